"""Every line of the station: a link for one device, or one bus that several units share."""

from typing import Final

from drivers.transport.address import Address
from drivers.transport.link import Link, RegisterLink
from drivers.transport.modbus_bus import Bus
from drivers.transport.modbus_rtu import RtuBus
from drivers.transport.modbus_tcp import TcpBus
from drivers.transport.serial import SerialLink
from drivers.transport.tcp import TcpLink
from drivers.transport.visa import VisaLink

DEFAULT_UNIT: Final = "1"
DEFAULT_BAUDRATE: Final = "115200"


class Lines:
    """Makes links from addresses, and keeps one bus for each connection that units share.

    A link is opened by `async with`; making one opens nothing.
    """

    def __init__(self) -> None:
        self._buses: dict[str, Bus] = {}
        self._instruments: dict[str, VisaLink] = {}

    def link(self, address: Address) -> Link | RegisterLink:
        """The link to an address, closed still. Raises BadAddress for a unit that can't be."""
        match address.scheme:
            case "tcp":
                return TcpLink(address.place, address.port)
            case "serial":
                return SerialLink(address.place, address.options)
            case "visa":
                return self._instrument(address)
        if address.bus not in self._buses:
            self._buses[address.bus] = _new_bus(address)
        return self._buses[address.bus].unit(int(address.options.get("unit", DEFAULT_UNIT)))

    def _instrument(self, address: Address) -> VisaLink:
        """A new link, unless the last one hangs: another thread would only hang as well."""
        link = self._instruments.get(address.bus)
        if link is None or not link.is_stuck:
            link = VisaLink(address.place, address.options.get("library", "@py"))
            self._instruments[address.bus] = link
        return link


def _new_bus(address: Address) -> Bus:
    if address.scheme == "modbus+tcp":
        return TcpBus(TcpLink(address.place, address.port))
    gap = float(address.options.get("gap", "0")) / 1000
    if address.scheme == "modbus+rtu+tcp":
        return RtuBus(TcpLink(address.place, address.port), gap=gap)
    baudrate = int(address.options.get("baudrate", DEFAULT_BAUDRATE))
    return RtuBus(SerialLink(address.place, address.options), baudrate=baudrate, gap=gap)

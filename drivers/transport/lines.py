"""Every line of the station: a link for one device, or one bus that several units share."""

from drivers.transport.address import Address
from drivers.transport.link import Link, RegisterLink
from drivers.transport.modbus import Bus, RtuBus, TcpBus


class Lines:
    """Makes links from addresses, and keeps one bus for each connection that units share.

    A link is opened by `async with`; making it opens nothing. Vendor libraries are imported when a
    link of their kind is first made.
    """

    def __init__(self) -> None:
        self._buses: dict[str, Bus] = {}

    def link(self, address: Address) -> Link | RegisterLink:
        """The link to an address, closed still."""
        if address.carries == "registers":
            return self._bus(address).unit(int(address.options.get("unit", "1")))
        return _byte_link(address)

    def _bus(self, address: Address) -> Bus:
        if address.bus not in self._buses:
            self._buses[address.bus] = _new_bus(address)
        return self._buses[address.bus]


def _byte_link(address: Address) -> Link:
    match address.scheme:
        case "serial":
            from drivers.transport.serial import SerialLink

            return SerialLink(address.place, address.options)
        case "visa":
            from drivers.transport.visa import VisaLink

            return VisaLink(address.place, address.options.get("library", "@py"))
    from drivers.transport.tcp import TcpLink

    return TcpLink(address.place, address.port)

"""Every line of the station: a link for one device, or one bus that several units share.

What speaks over a kind of line is imported with the first device on one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from drivers.transport.access import Access
from drivers.transport.address import Address
from drivers.transport.line_time import Echoed, Timed
from drivers.transport.link import Line, Link, RegisterLink, WebLink
from drivers.transport.recorder import Recorder
from drivers.transport.stream import StreamLink
from drivers.transport.tcp import TcpLink
from drivers.transport.traffic import Traffic

if TYPE_CHECKING:
    from drivers.transport.http import HttpLink
    from drivers.transport.modbus_bus import Bus
    from drivers.transport.visa import VisaLink

AnyStream = TypeVar("AnyStream", bound=StreamLink)


class Lines:
    """Makes links from addresses, and keeps one bus for each connection that units share.

    A link is opened by `async with`; making one opens nothing. `warn` is told, with the bus's
    name, of somebody who speaks on it and was not asked.
    """

    def __init__(self, warn: Callable[[str, str], None] = lambda *_: None) -> None:
        self._warn = warn
        self._buses: dict[str, Bus] = {}
        self._traffic: dict[str, Traffic] = {}
        self._instruments: dict[str, VisaLink] = {}
        self._recorders: dict[str, Recorder] = {}
        self._kept: dict[str, dict[str, str]] = {}

    def link(self, address: Address, access: Access | None = None) -> Link | RegisterLink | WebLink:
        """The link to an address, closed still. Raises BadAddress for a unit that can't be."""
        match address.scheme:
            case "tcp":
                return self._recorded(TcpLink(address.place, address.port), address)
            case "serial":
                from drivers.transport.serial import SerialLink

                return self._recorded(SerialLink(address.place, address.options), address)
            case "visa":
                return self._instrument(address)
            case "http" | "https":
                return self._host(address, access)
        if address.bus not in self._buses:
            bus = self._buses[address.bus] = self._new_bus(address)
            self._traffic[address.bus_label] = bus.counters
        return self._buses[address.bus].unit(int(address.unit))

    @property
    def traffic(self) -> Mapping[str, Traffic]:
        """What every bus has carried so far, by the address that its units share."""
        return self._traffic

    def recorder(self, address: Address) -> Recorder:
        """The flight recorder of the line that an address is on; it outlives the line's links."""
        bus = address.bus
        if bus not in self._recorders:
            self._recorders[bus] = Recorder()
        return self._recorders[bus]

    def _recorded(self, link: AnyStream, address: Address) -> AnyStream:
        link.recorder = self.recorder(address)
        link.kept = self._kept.setdefault(address.bus, {})
        return link

    def _host(self, address: Address, access: Access | None) -> HttpLink:
        from drivers.transport.http import HttpLink

        kept = self._kept.setdefault(address.bus, {})
        host = f"[{address.place}]" if ":" in address.place else address.place
        link = HttpLink(f"{address.scheme}://{host}:{address.port}", access, kept)
        link.recorder = self.recorder(address)
        return link

    def _instrument(self, address: Address) -> VisaLink:
        """A new link, unless the last one has hung: it knows what still hangs, and what to do."""
        link = self._instruments.get(address.bus)
        if link is None or not link.has_hung:
            link = _visa_link(address)
            link.recorder = self.recorder(address)
            self._instruments[address.bus] = link
        return link

    def _new_bus(self, address: Address) -> Bus:
        from drivers.transport.modbus_rtu import RtuBus
        from drivers.transport.modbus_tcp import TcpBus

        if address.scheme == "modbus+rtu":
            from drivers.transport.serial import SerialLink

            line = self._recorded(SerialLink(address.place, address.options), address)
            wired, gap = _heard(line, address), _gap(address)
            return RtuBus(wired, baudrate=address.baudrate, gap=gap, warn=self._warning(address))
        gateway = self._recorded(TcpLink(address.place, address.port), address)
        if address.scheme == "modbus+rtu+tcp":
            return RtuBus(gateway, gap=_gap(address), warn=self._warning(address))
        return TcpBus(gateway)

    def _warning(self, address: Address) -> Callable[[str], None]:
        return partial(self._warn, address.bus_label)


def _heard(line: Line, address: Address) -> Line:
    """The line with what its address says of the adapter; an echo tells all that a UART does."""
    if address.options.get("echo") == "on":
        return Echoed(line, address.character)
    if address.options.get("uart") == "on":
        return Timed(line, address.character)
    return line


def _gap(address: Address) -> float:
    """Seconds, of which the address says thousandths."""
    return float(address.options.get("gap", "0")) / 1000


def _visa_link(address: Address) -> VisaLink:
    from drivers.transport.visa import VisaLink

    options = dict(address.options)
    library = options.pop("library", "@py")
    return VisaLink(address.place, library, options)

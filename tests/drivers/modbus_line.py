"""A Modbus line in virtual time, with units that answer late, not, twice or in tatters.

A `Line` is a link. What is sent goes to a simulated bus; each reply meets the fate that the
test dealt. A unit is one machine: what it answers, it answers in the order of the requests.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from drivers.errors import LinkClosed
from drivers.transport.link import Timeouts
from drivers.transport.memory import Loopback
from drivers.transport.stream import Inbox
from simulators.modbus import RtuBus as Wires
from simulators.modbus import TcpGateway
from simulators.modbus_block import BlockDevice

QUICK = Timeouts(turn=5.0, first_byte=0.1, next_byte=0.02, whole=0.5)
LATE = 0.3  # after `first_byte`, within `whole`


@dataclass
class Fate:
    """What happens to one reply: `delay` in seconds, `copies` of it, and how it is spoiled."""

    delay: float = 0.001
    copies: int = 1
    spoil: Callable[[bytes], bytes] = field(default=lambda reply: reply)


PROMPT, LOST, TWICE, TOO_LATE = Fate(), Fate(copies=0), Fate(copies=2), Fate(delay=LATE)


class Line(Loopback):
    """A link to a simulated bus. Without more fates to deal, replies are prompt and whole."""

    def __init__(
        self,
        handle: Callable[[bytes], bytes],
        fates: Iterable[Fate] = (),
        unit_at: int = 0,
    ) -> None:
        super().__init__(handle)
        self.fates = iter(fates)
        self.unit_at = unit_at
        self.sent: list[tuple[float, bytes]] = []
        self.heard: list[float] = []
        self.opened = 0
        self.dead: set[int] = set()
        self._free: dict[int, float] = defaultdict(float)

    def send_now(self, data: bytes) -> None:
        if not self._is_open:
            raise LinkClosed("the line is closed")
        now = asyncio.get_running_loop().time()
        self.sent.append((now, data))
        reply = self._handle(data)
        unit = data[self.unit_at]
        if reply and unit not in self.dead:
            fate = next(self.fates, PROMPT)
            self._free[unit] = max(self._free[unit], now + fate.delay)
            if spoiled := fate.spoil(reply) * fate.copies:
                self._deliver(self._free[unit], spoiled)

    def requests(self, function: int) -> list[bytes]:
        """What was sent with this function code."""
        return [data for _, data in self.sent if data[self.unit_at + 1] == function]

    def cut(self) -> None:
        """Lose the connection, as when the cable is pulled."""
        self._is_open = False
        self.inbox.fail(LinkClosed("the line was cut"))

    def unasked(self, data: bytes) -> None:
        """Let bytes arrive that nobody asked for."""
        self.inbox.feed(data)

    async def resync(self, quiet: float) -> None:
        self.inbox = Inbox()
        self.opened += 1

    async def _open(self) -> None:
        await super()._open()
        self.opened += 1

    def _deliver(self, at: float, data: bytes) -> None:
        def arrive(inbox: Inbox = self.inbox) -> None:
            self.heard.append(at)
            inbox.feed(data)

        asyncio.get_running_loop().call_at(at, arrive)


class WithoutEcho(BlockDevice):
    """A block of registers that does not know function 8."""

    def answer(self, pdu: bytes) -> bytes:
        return bytes([0x88, 1]) if pdu[0] == 8 else super().answer(pdu)


def rtu_line(*units: BlockDevice, fates: Iterable[Fate] = ()) -> Line:
    return Line(Wires(units or (BlockDevice(1, 1000),)).handle, fates)


def tcp_line(*units: BlockDevice, fates: Iterable[Fate] = ()) -> Line:
    return Line(TcpGateway(units or (BlockDevice(1, 1000),)).handle, fates, unit_at=6)

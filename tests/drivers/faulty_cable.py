"""A cable in virtual time between a driver and a simulator, and the fates of what comes over it."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from drivers.errors import LinkClosed
from drivers.transport.link import Link, RegisterLink
from drivers.transport.modbus_rtu import RtuBus
from drivers.transport.modbus_tcp import TcpBus
from drivers.transport.stream import Inbox, StreamLink
from simulators.faults import Disconnect, Fault, Faults, Piece
from simulators.instrument import Instrument
from simulators.player import Player

LATENCY_S: Final = 0.001
TICK_S: Final = 0.05

Fate = Fault | Callable[[bytes], bytes] | None
"""What becomes of one reply: a fault of the simulators, other bytes, or nothing at all."""


class Dealt(Faults):
    """Deals one fate to each reply, in order; afterwards replies are whole and prompt."""

    def __init__(self, fates: Iterable[Fate] = (), seed: int = 0) -> None:
        super().__init__(random.Random(seed))
        self.fates = deque(fates)

    def clear(self) -> None:
        super().clear()
        self.fates.clear()

    def spoil(self, reply: bytes) -> list[Piece]:
        if not reply or not self.fates:
            return super().spoil(reply)
        fate = self.fates.popleft()
        if isinstance(fate, Fault) and fate.kind == "duplicate":
            reply *= 2  # in one piece: see fates.COPIES
        elif isinstance(fate, Fault):
            self.add(fate)
        elif fate is not None:
            reply = fate(reply)
        return super().spoil(reply)


class Cable(StreamLink):
    """A link whose replies arrive in order, each in two pieces, a little after they were said.

    With `clears` it is a socket, which forgets what was under way when it is opened again;
    without, it is a serial line, which does not.
    """

    def __init__(self, instrument: Instrument, faults: Faults, *, clears: bool) -> None:
        super().__init__("cable")
        self.clears = clears
        self.opened = 0
        self._player = Player(instrument, faults, self._leaves, tick=TICK_S)
        self._arrives_at = 0.0

    async def send(self, data: bytes) -> None:
        self.send_now(data)
        await asyncio.sleep(0)

    def send_now(self, data: bytes) -> None:
        if not self._player._connected:
            raise LinkClosed("the cable is out").unsent()
        self._player.hear(data)

    async def resync(self, quiet: float) -> None:
        if self.clears:
            await self._close()
            self.inbox = Inbox()
            await self._open()
        else:
            await super().resync(quiet)

    async def _open(self) -> None:
        await asyncio.sleep(LATENCY_S)
        if not self.opened:
            self._player.start()
        self.opened += 1
        self._player.connected()

    async def _close(self) -> None:
        self._player.disconnected()

    def _leaves(self, piece: bytes | Disconnect) -> None:
        if isinstance(piece, Disconnect):
            self._player.disconnected()
            self._arrive(partial(self.inbox.fail, LinkClosed("the cable is out")))
            return
        for part in (piece[:1], piece[1:]):
            self._arrive(partial(self.inbox.feed, part))

    def _arrive(self, happens: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self._arrives_at = max(self._arrives_at + LATENCY_S / 10, loop.time() + LATENCY_S)
        loop.call_at(self._arrives_at, happens)


def link_over(scheme: str, cable: Cable) -> Link | RegisterLink:
    """The link that an address of this scheme makes, over a cable in place of a port."""
    match scheme:
        case "modbus+tcp":
            return TcpBus(cable).unit(1)
        case "modbus+rtu":
            return RtuBus(cable, baudrate=9600, dice=random.Random(0)).unit(1)
        case "modbus+rtu+tcp":
            return RtuBus(cable, dice=random.Random(0)).unit(1)
    return cable

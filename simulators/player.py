"""Plays an instrument against a link: real time in, replies out, in order and on time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from simulators.faults import Disconnect, Faults, Mishap, Restart
from simulators.instrument import Instrument, PowerCycled

TICK_S: Final = 0.02
"""How often physics advances, in seconds of real time."""

Deliver = Callable[[bytes | Disconnect], None]


class Outbox:
    """Sends pieces when they are due, and never one before an earlier one.

    With `bytes_per_second`, bytes leave as a serial line of that speed would let them.
    """

    def __init__(self, deliver: Deliver, bytes_per_second: float | None) -> None:
        self._deliver = deliver
        self._rate = bytes_per_second
        self._queue: deque[tuple[float, bytes | Disconnect]] = deque()
        self._free_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def post(self, delay: float, piece: bytes | Disconnect) -> None:
        """Send a piece `delay` seconds from now, or when everything before it has been sent."""
        loop = asyncio.get_running_loop()
        due = max(self._free_at, loop.time() + delay)
        for part in self._parts(piece):
            if self._rate is not None and isinstance(part, bytes):
                due += len(part) / self._rate
            self._queue.append((due, part))
        self._free_at = due
        if self._timer is None:
            self._send_due()

    def clear(self) -> None:
        """Throw away what has not been sent: its connection is gone."""
        self._queue.clear()
        self._free_at = 0.0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _parts(self, piece: bytes | Disconnect) -> list[bytes | Disconnect]:
        """Cut bytes into what a slow line sends in one tick."""
        if self._rate is None or isinstance(piece, Disconnect):
            return [piece]
        size = max(1, int(self._rate * TICK_S))
        return [piece[i : i + size] for i in range(0, len(piece), size)]

    def _send_due(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._queue and self._queue[0][0] <= loop.time():
            self._deliver(self._queue.popleft()[1])
        if self._queue and self._timer is None:
            self._timer = loop.call_at(self._queue[0][0], self._send_due)


class Player:
    """One instrument behind one connector, with the faults between them.

    What the instrument says while nobody is connected is lost, as on a real connector. While
    `faults` hang it, it neither hears nor speaks; its physics goes on. An instrument that raises
    is a bug of the simulator: the error reaches the loop's exception handler.
    """

    def __init__(
        self,
        instrument: Instrument,
        faults: Faults,
        deliver: Deliver,
        *,
        tick: float = TICK_S,
        bytes_per_second: float | None = None,
    ) -> None:
        self._instrument = instrument
        self._faults = faults
        self._outbox = Outbox(deliver, bytes_per_second)
        self._tick = tick
        self._connected = False
        self._then = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Let time run for the instrument."""
        loop = asyncio.get_running_loop()
        self._then = loop.time()
        self._timer = loop.call_later(self._tick, self._on_tick)

    def stop(self) -> None:
        """Stop time and drop what has not been sent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.disconnected()

    def connected(self) -> None:
        """Begin a connection: the instrument resets or greets, if it is of that kind."""
        self._catch_up()
        self._outbox.clear()
        self._connected = True
        self._say(self._instrument.opened())

    def disconnected(self) -> None:
        """End the connection; what was on its way is lost."""
        self._connected = False
        self._outbox.clear()

    def hear(self, data: bytes) -> None:
        """Give the instrument what came off the wire, at the time it has now."""
        self._catch_up()
        for piece in self._faults.heard(data):
            if isinstance(piece, bytes):
                self._say(self._instrument.handle(piece))
            else:
                self._befall(piece)
            if isinstance(piece, Disconnect):
                return  # what comes after it has no way to the instrument

    def restart(self) -> None:
        """Switch the instrument off and on. Raises `TypeError` when it is not of that kind."""
        if not isinstance(self._instrument, PowerCycled):
            raise TypeError("this instrument can't be switched off and on")
        self._instrument.power_cycle()
        self._say(self._instrument.advance(0.0))

    def swap(self, other: Player) -> None:
        """Exchange the instruments of two connectors; nobody must be connected to either."""
        self._instrument, other._instrument = other._instrument, self._instrument

    def _befall(self, mishap: Mishap) -> None:
        if isinstance(mishap, Restart):
            self.restart()
        else:
            self._outbox.post(0.0, mishap)

    def _on_tick(self) -> None:
        self._catch_up()
        self._timer = asyncio.get_running_loop().call_later(self._tick, self._on_tick)

    def _catch_up(self) -> None:
        now = asyncio.get_running_loop().time()
        dt, self._then = now - self._then, now
        self._say(self._instrument.advance(dt))
        if (words := self._faults.chatter(dt)) and self._connected:
            self._outbox.post(0.0, words)

    def _say(self, said: bytes) -> None:
        if not self._connected:
            return
        for delay, piece in self._faults.spoil(said):
            self._outbox.post(delay, piece)

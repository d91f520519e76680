"""Plays an instrument against a link: real time in, replies out, in order and on time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from simulators.faults import Disconnect, Faults, Mishap, Restart
from simulators.instrument import Instrument, Played, PowerCycled, Punctual
from simulators.serial_line import Deliver, Outgoing

TICK_S: Final = 0.02
"""How often physics advances, in seconds of real time."""

SHORTEST_TICK_S: Final = 0.002
"""How often it advances at most where time is faster than here."""

SHORTEST_S: Final = 1e-5
"""The shortest step in which an instrument that is always due advances."""


class Player:
    """One instrument behind one connector, with the faults between them.

    What the instrument says while nobody is connected is lost, as on a real connector. While
    `faults` hang it, it neither hears nor speaks; its physics goes on. An instrument that raises
    is a bug of the simulator: the error reaches the loop's exception handler.

    An instrument that is `Punctual` lives in exact time: it hears each piece when that arrived,
    and what it says leaves when it was said, even if this process looks at it later. `pull`, if
    any, is told up to when time is about to pass, and hands over what arrives until then.

    Each second here is `speed` seconds for the instrument, above 0; its cable is as fast as ever.
    """

    def __init__(
        self,
        instrument: Instrument,
        faults: Faults,
        deliver: Deliver,
        *,
        tick: float = TICK_S,
        bytes_per_second: float | None = None,
        pull: Callable[[float], None] | None = None,
        speed: float = 1.0,
    ) -> None:
        self._instrument = instrument
        self._punctual = _punctual(instrument)
        self._faults = faults
        self._outbox = Outgoing(deliver, bytes_per_second)
        self._speed = speed
        self._tick = tick if speed <= 1.0 else max(tick / speed, SHORTEST_TICK_S)
        self._pull = pull
        self._connected = False
        self._then = 0.0
        self._running = False
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Let time run for the instrument."""
        self._then = asyncio.get_running_loop().time()
        self._running = True
        self._plan()

    def stop(self) -> None:
        """Stop time and drop what has not been sent."""
        self._running = False
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
        self._plan()

    def disconnected(self) -> None:
        """End the connection; what was on its way is lost."""
        self._connected = False
        self._outbox.clear()

    def hear(self, data: bytes, at: float | None = None) -> None:
        """Give the instrument what came off the wire, at the loop's time `at`, or now."""
        self._catch_up(at)
        for piece in self._faults.heard(data):
            if isinstance(piece, bytes):
                self._say(self._instrument.handle(piece))
            else:
                self._befall(piece)
            if isinstance(piece, Disconnect):
                break  # what comes after it has no way to the instrument
        self._plan()

    def restart(self) -> None:
        """Switch the instrument off and on. Raises `TypeError` when it is not of that kind."""
        if not isinstance(self._instrument, PowerCycled):
            raise TypeError("this instrument can't be switched off and on")
        self._instrument.power_cycle()
        self._say(self._instrument.advance(0.0))

    def play(self, verb: str, **how: object) -> object:
        """Play a trick of the instrument's own, and return what came of it.

        Raises `TypeError` for an instrument that knows none or for wrong arguments, and
        `ValueError` for a verb that it does not know.
        """
        if not isinstance(self._instrument, Played):
            raise TypeError("this instrument has no tricks of its own")
        tricks = self._instrument.tricks()
        if verb not in tricks:
            raise ValueError(f"there is no verb {verb!r}, only {', '.join(sorted(tricks))}")
        self._reach_now()
        result = tricks[verb](**how)
        self._say(self._instrument.advance(0.0))
        self._plan()
        return result

    def swap(self, other: Player) -> None:
        """Exchange the instruments of two connectors; nobody must be connected to either."""
        self._instrument, other._instrument = other._instrument, self._instrument
        self._punctual, other._punctual = other._punctual, self._punctual

    def _befall(self, mishap: Mishap) -> None:
        if isinstance(mishap, Restart):
            self.restart()
        else:
            self._outbox.post(asyncio.get_running_loop().time(), mishap)

    def _on_tick(self) -> None:
        self._timer = None
        self._reach_now()
        self._plan()

    def _reach_now(self) -> None:
        """Let what arrives by now arrive, and time pass up to now."""
        now = asyncio.get_running_loop().time()
        if self._pull is not None:
            self._pull(now)
        self._catch_up(now)

    def _plan(self) -> None:
        """Look again after a tick, or earlier when the instrument is due earlier."""
        if not self._running:
            return
        ahead = self._tick
        if self._punctual is not None:
            ahead = min(ahead, self._due_in(self._punctual))
        due = self._then + ahead
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(due, self._on_tick)

    def _catch_up(self, at: float | None = None) -> None:
        """Let time pass up to `at`, or up to now; a punctual instrument in exact steps."""
        now = max(asyncio.get_running_loop().time() if at is None else at, self._then)
        whole = now - self._then
        while True:
            step = now - self._then
            if self._punctual is not None:
                step = min(step, self._due_in(self._punctual))
            arrives = self._then + step >= now
            self._then = now if arrives else self._then + step
            self._say(self._instrument.advance(step * self._speed))
            if arrives:
                break
        if (words := self._faults.chatter(whole)) and self._connected:
            self._outbox.post(now, words)

    def _due_in(self, punctual: Punctual) -> float:
        """Seconds here until the instrument is due."""
        return max(punctual.due_in() / self._speed, SHORTEST_S)

    def _say(self, said: bytes) -> None:
        if not (said and self._connected):
            return
        for delay, piece in self._faults.spoil(said):
            self._outbox.post(self._then + delay, piece)


def _punctual(instrument: Instrument) -> Punctual | None:
    return instrument if isinstance(instrument, Punctual) else None

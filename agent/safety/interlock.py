"""Interlocks: what must be so before a device is told something, or at all times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.clock import Clock
from agent.fleet.board import Board
from agent.languages.message import Message, joined
from agent.safety.arrivals import Arrivals
from agent.safety.condition import BELIEVED, REAL, Watched
from agent.settings import Interlock


class Guard:
    """One interlock, at work."""

    def __init__(self, interlock: Interlock) -> None:
        self.interlock = interlock
        believed = BELIEVED if interlock.simulated else REAL
        self._requires = [Watched(it, interlock.max_age, believed) for it in interlock.requires]

    def note(self, board: Board) -> None:
        """Take in what the board shows now: whether a value is right depends on the one before."""
        for it in self._requires:
            it.note(board.latest)

    def doubts(self, board: Board, now: float) -> str:
        """Why it does not hold at `now` (seconds, monotonic), with every reason; "" when it does."""
        return joined(it.doubt(board.latest, now) for it in self._requires)

    def awaits(self, board: Board, now: float, arrivals: Arrivals) -> bool:
        """Whether all that it lacks are values of devices that have only just begun."""
        lacking = [it for it in self._requires if it.doubt(board.latest, now)]
        return all(
            arrivals.awaits(it.condition.device, now, self.interlock.max_age)
            and not ((sample := it.sample(board.latest)) and it.is_believed(sample))
            for it in lacking
        )

    def watches(self, device: str) -> bool:
        """Whether a change of this device may matter to it."""
        interlock = self.interlock
        return device in interlock.trip or any(it.device == device for it in interlock.requires)


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One interlock as it stands: `reason` says why it does not hold."""

    interlock: Interlock
    reason: str
    latched: str = ""
    """Why its trip still counts, and what to do about it; "" when it does not."""

    @property
    def holds(self) -> bool:
        """Whether everything is as it must be."""
        return not self.reason


class Interlocks:
    """The interlocks of the station. Nothing of them can keep a stop from anything."""

    def __init__(self, interlocks: Mapping[str, Interlock], board: Board, clock: Clock) -> None:
        self._board, self._clock = board, clock
        self.arrivals = Arrivals(board, clock)
        self.trips = Counter[str]()
        """How often each has tripped since the agent started."""
        self.guards: dict[str, Guard] = {}
        self.latched: Callable[[str], str] = lambda _: ""
        """Why the trip of an interlock still counts, although it may hold again; "" when not."""
        self.adopt(interlocks)
        board.follow(self._changed)

    def adopt(self, interlocks: Mapping[str, Interlock]) -> None:
        """Go on under other interlocks; those that are the same keep what they know."""
        known = self.guards
        self.guards = {
            name: known[name] if name in known and known[name].interlock == it else Guard(it)
            for name, it in interlocks.items()
        }
        self._by_device: dict[str, list[Guard]] = {}
        for name, guard in self.guards.items():
            devices = {it.device for it in guard.interlock.requires}
            for device in devices:
                self._by_device.setdefault(device, []).append(guard)
            if guard is not known.get(name):
                guard.note(self._board)
                self.arrivals.expect(devices)

    def refusal(self, device: str, name: str, value: object) -> str:
        """Why a setting may not be changed, or a command not begin; "" when it may.

        What is switched off is never refused: no interlock keeps a person from that.
        """
        if value is False:
            return ""
        target, now = f"{device}.{name}", self._clock.monotonic()
        for guard in self.guards.values():
            trips = device in guard.interlock.trip
            if not (trips or target in guard.interlock.guards):
                continue
            why = guard.doubts(self._board, now) or (trips and self.latched(guard.interlock.name))
            if why:
                return Message(
                    "{target} is refused by the interlock {name}: {why}",
                    target=target,
                    name=guard.interlock.name,
                    why=why,
                )
        return ""

    def standing(self) -> list[Standing]:
        """All of them as they stand now, in the order of their names."""
        now = self._clock.monotonic()
        return [
            Standing(
                interlock=guard.interlock,
                reason=guard.doubts(self._board, now),
                latched=self.latched(name),
            )
            for name, guard in sorted(self.guards.items())
        ]

    def _changed(self, device: str) -> None:
        for guard in self._by_device.get(device, ()):
            guard.note(self._board)

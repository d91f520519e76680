"""Interlocks: what must be so before a device is told something, or at all times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.clock import Clock
from agent.fleet.board import Board
from agent.safety.condition import Watched
from agent.settings import Interlock


class Guard:
    """One interlock, at work."""

    def __init__(self, interlock: Interlock) -> None:
        self.interlock = interlock
        self._requires = [Watched(it, interlock.max_age) for it in interlock.requires]

    def doubts(self, board: Board, now: float) -> str:
        """Why it does not hold at `now` (seconds UTC), with every reason; "" when it does."""
        return "; ".join(filter(None, (it.doubt(board.latest, now) for it in self._requires)))

    def watches(self, device: str) -> bool:
        """Whether a change of this device may matter to it."""
        interlock = self.interlock
        return device in interlock.trip or any(it.device == device for it in interlock.requires)


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One interlock as it stands: `reason` says why it does not hold."""

    interlock: Interlock
    reason: str

    @property
    def holds(self) -> bool:
        """Whether everything is as it must be."""
        return not self.reason


class Interlocks:
    """The interlocks of the station. Nothing of them can keep a stop from anything."""

    def __init__(self, interlocks: Mapping[str, Interlock], board: Board, clock: Clock) -> None:
        self._board, self._clock = board, clock
        self.guards: dict[str, Guard] = {}
        self.adopt(interlocks)

    def adopt(self, interlocks: Mapping[str, Interlock]) -> None:
        """Go on under other interlocks; those that are the same keep what they know."""
        known = self.guards
        self.guards = {
            name: known[name] if name in known and known[name].interlock == it else Guard(it)
            for name, it in interlocks.items()
        }

    def refusal(self, device: str, name: str, value: object) -> str:
        """Why a setting may not be changed, or a command not begin; "" when it may.

        What is switched off is never refused: no interlock keeps a person from that.
        """
        if value is False:
            return ""
        target, now = f"{device}.{name}", self._clock.utc()
        for guard in self.guards.values():
            concerned = target in guard.interlock.guards or device in guard.interlock.trip
            if concerned and (why := guard.doubts(self._board, now)):
                return f"{target} is refused by the interlock {guard.interlock.name}: {why}"
        return ""

    def standing(self) -> list[Standing]:
        """All of them as they stand now, in the order of their names."""
        now = self._clock.utc()
        return [
            Standing(interlock=guard.interlock, reason=guard.doubts(self._board, now))
            for _, guard in sorted(self.guards.items())
        ]

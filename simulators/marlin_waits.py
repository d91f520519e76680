"""How a command waits: the currency between what the printer does and the board that lets it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simulators.marlin_lines import Command


@dataclass
class Clock:
    """Simulated seconds since power-up."""

    now: float = 0.0


class Timer:
    """Goes off every `period` seconds of simulated time; 0 is never."""

    def __init__(self, clock: Clock, period: float) -> None:
        self._clock = clock
        self.set(period)

    def set(self, period: float) -> None:
        """Go off so often from now on."""
        self.period = period
        self.restart()

    def restart(self) -> None:
        """Begin a whole period anew."""
        self.due_at = self._clock.now + self.period if self.period > 0 else math.inf
        """The clock's time at which it goes off."""

    def goes_off(self) -> bool:
        """Look whether it is time; True once for each period."""
        if self._clock.now < self.due_at - 1e-9:
            return False
        self.restart()
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What a command waits for, and what the host hears meanwhile.

    `busy` is the state that the keep-alive tells; `report` a line said every second. M108 ends a
    `breakable` wait. A `planned` wait is one for room in the planner: its moves are meant to go on
    without a gap, while every other wait lets them come to an end.
    """

    done: Callable[[], bool]
    due_in: Callable[[], float]
    busy: str = "processing"
    report: Callable[[], str] | None = None
    breakable: bool = False
    planned: bool = False


Waits = Iterator[Wait]
Action = Callable[[Command], "Waits | None"]
Actions = dict[str, Action]
"""What to do for each code: nothing more to wait for, or waits, one after another."""


def sleep(clock: Clock, seconds: float, busy: str = "processing") -> Waits:
    """Wait for `seconds` of simulated time."""
    end = clock.now + seconds
    yield Wait(
        done=lambda: clock.now >= end - 1e-9, due_in=lambda: max(0.0, end - clock.now), busy=busy
    )

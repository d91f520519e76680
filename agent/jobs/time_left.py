"""How long a job takes still, and how that is known. Pure: nothing here asks the time.

What is certain is what a recipe says in seconds: the waits that are still to come, and what the steps
that run say of themselves. It is said as `at_least`, for a command takes its time as well, and nobody
has written down how much. Where the same recipe has been run to its end before, the median of the last
runs is said as `about`, with their number. While a person is asked, and in a pause, nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

from agent.jobs.language.expressions import ExpressionError, Value
from agent.jobs.progress import StepNow
from agent.jobs.recipes.flow_steps import CallStep, IfStep, ParallelStep, RepeatStep, WaitStep
from agent.jobs.recipes.recipe import Recipe
from agent.jobs.recipes.step import Step

RUNS: Final = 5
"""The last runs that count: older ones were of another specimen, day or device."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeLeft:
    """Seconds until a job ends: none where that is `unknown`; `runs` is how many runs say so."""

    kind: Literal["unknown", "at_least", "about"] = "unknown"
    seconds: float | None = None
    runs: int = 0


UNKNOWN: Final = TimeLeft()


def time_left(
    certain: float, past: Sequence[float], elapsed: float, *, is_held_up: bool
) -> TimeLeft:
    """What is known of a job that has run for `elapsed` seconds.

    Args:
        certain: Seconds that it takes still at the least; 0 where nothing is known.
        past: How long the last runs of the same recipe took, in seconds.
        elapsed: How long it runs already, in seconds.
        is_held_up: Whether it waits for a person, in a question or a pause, or is being stopped.
    """
    if is_held_up:
        return UNKNOWN
    if past and (left := median(past) - elapsed) > 0 and left >= certain:
        return TimeLeft(kind="about", seconds=left, runs=len(past))
    if certain > 0:
        return TimeLeft(kind="at_least", seconds=certain)
    return UNKNOWN


def certain_left(recipe: Recipe, now: Iterable[StepNow], values: Mapping[str, Value]) -> float:
    """Seconds that a recipe takes still at the least, while these steps run; `values` are its parameters."""
    running = list(now)
    for key, steps in recipe.lists():
        here = _Here(steps, running, values)
        if here.is_there:
            ending = recipe.finally_ if key == "steps" else None
            return here.left() + _all(ending or (), values)
    return 0.0


class _Here:
    """The steps that run, as far as they are of this recipe and not of one that it calls."""

    def __init__(
        self, steps: tuple[Step, ...], running: list[StepNow], values: Mapping[str, Value]
    ) -> None:
        self._steps, self._values = steps, values
        file = steps[0].place.file if steps else ""
        ours = {it.key: it for it in running if it.place.rpartition(":")[0] == file}
        self._ours = ours
        self._called = max((it.left or 0.0 for it in running if it not in ours.values()), default=0)

    @property
    def is_there(self) -> bool:
        """Whether one of these steps runs."""
        return any(step.place.key in self._ours for step in self._steps)

    def left(self) -> float:
        """Seconds from here to the end of these steps, at the least."""
        return self._of(self._steps)

    def _of(self, steps: tuple[Step, ...]) -> float:
        """The same for a list of steps; 0 where none of them runs: it is done, or still to come."""
        for number, step in enumerate(steps):
            if step.place.key in self._ours:
                return self._inside(step) + _all(steps[number + 1 :], self._values)
        return 0.0

    def _inside(self, step: Step) -> float:
        now = self._ours[step.place.key]
        left = max((self._of(inner) for _, inner in step.nested()), default=0.0)
        if isinstance(step, RepeatStep) and now.turns is not None:
            left += max(now.turns - now.turn, 0) * _all(step.steps, self._values)
        if isinstance(step, CallStep):
            left = self._called
        return max(left, now.left or 0.0)


def _all(steps: tuple[Step, ...], values: Mapping[str, Value]) -> float:
    return sum(_least(step, values) for step in steps)


def _least(step: Step, values: Mapping[str, Value]) -> float:
    """Seconds that a step takes at the least that has not begun."""
    match step:
        case WaitStep():
            try:
                return step.wait.seconds(values)
            except ExpressionError:  # it depends on what is still to be measured or answered
                return 0.0
        case RepeatStep():
            return _turns(step) * _all(step.steps, values)
        case IfStep():
            return min(_all(step.then, values), _all(step.else_ or (), values))
        case ParallelStep():
            return max(_all(branch, values) for branch in step.parallel.values())
    return sum(_all(inner, values) for _, inner in step.nested())


def _turns(step: RepeatStep) -> int:
    how = step.repeat
    if how.over is not None:
        return len(how.over)
    return how.times if isinstance(how.times, int) else 0

"""How far a job is: the steps that run now, one inside the other, and what is left of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.jobs.recipes.step import Step


@dataclass(slots=True)
class StepNow:
    """A step that runs. `left` is in seconds, None where nobody knows."""

    key: str
    """Its path in the recipe, such as `steps.2.then.0`."""
    place: str
    titles: dict[str, str]
    left: float | None = None
    limit: float | None = None
    """Seconds after which it gives up, where it waits for something; None where it never does."""
    turn: int = 0
    """Which time a `repeat` runs its steps, from 1; 0 for other steps."""
    turns: int | None = None
    """How many times it will, where that is known."""
    began: float = 0.0
    """When, on the clock of the job's pace, which stands still in a pause."""
    expected: float | None = None
    """How many seconds it may take from there; None where nobody can say, or steps inside it tell."""


class Progress:
    """Of one job. Steps of branches that run side by side stand beside each other."""

    def __init__(self) -> None:
        self._now: list[StepNow] = []
        self.begun = 0
        """Steps that have begun, each time anew in a loop."""
        self.ended = 0
        self.over: dict[tuple[str, str], bool] = {}
        """Of each step that is over, by file and key: whether it has done its work. Of a loop, its last turn."""

    @property
    def now(self) -> tuple[StepNow, ...]:
        """The steps that run, in the order in which they began."""
        return tuple(self._now)

    @contextmanager
    def of(self, step: Step, began: float = 0.0) -> Iterator[StepNow]:
        """Count a step that begins now, by the job's pace, and show it while it runs."""
        from agent.jobs.recipes.outline import title
        from agent.jobs.recipes.step_words import step_said

        titles = {"ko": step_said(step, "ko"), "en": title(step, "en")}
        now = StepNow(step.place.key, str(step.place), titles, began=began, expected=step.expected)
        self._now.append(now)
        self.begun += 1
        file, key = step.place.file, step.place.key
        self._forget(file, key)
        try:
            yield now
            self.ended += 1
            self.over[file, key] = True
        except BaseException:
            self.over[file, key] = False
            raise
        finally:
            self._now = [it for it in self._now if it is not now]

    def _forget(self, file: str, key: str) -> None:
        """A step begins anew, and so do those inside it."""
        for it in [it for it in self.over if it[0] == file and f"{it[1]}.".startswith(f"{key}.")]:
            del self.over[it]

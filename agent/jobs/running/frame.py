"""One recipe under way: its values, its devices, and how its steps are run one after the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from agent.clock import Clock
from agent.errors import AgentError, DeviceTrouble, OutcomeUnknown, Refused
from agent.fleet.samples import Outcome, Sample, Status
from agent.jobs.job import Job
from agent.jobs.keeping.notes import Notes
from agent.jobs.language.expressions import Value
from agent.jobs.plates import Plates
from agent.jobs.progress import StepNow
from agent.jobs.questions import Questions
from agent.jobs.recipes.library import Library
from agent.jobs.recipes.recipe import Recipe
from agent.jobs.recipes.step import Step
from agent.jobs.running.hands import Hands
from agent.jobs.running.pace import Pace
from agent.languages.message import Message
from agent.safety.condition import BELIEVED
from drivers.errors import DriverError

if TYPE_CHECKING:
    from agent.jobs.running.python_work import Function

ERRORS: Final[Mapping[Status, type[AgentError]]] = {
    Status.REFUSED: Refused,
    Status.FAILED: DeviceTrouble,
    Status.UNKNOWN: OutcomeUnknown,
}

log = logging.getLogger("labkeeper")


class StepFailed(Exception):
    """A step ended the job. The message names its file and line, and says why."""


@dataclass(kw_only=True)
class Means:
    """What the steps of one job work with."""

    job: Job
    hands: Hands
    pace: Pace
    clock: Clock
    notes: Notes
    questions: Questions
    library: Library
    tasks: asyncio.TaskGroup
    plates: Plates
    """Shared by all jobs."""
    work: Mapping[type[Step], Work]
    """How each kind of step is run."""
    frames: list[Frame] = field(default_factory=list)
    """The recipes under way, the innermost last: those whose `finally` is still to come."""


class Known(Mapping[str, Value]):
    """What an expression may name now: values of the run, and readings that are to be believed."""

    def __init__(self, frame: Frame, fresh: Mapping[str, Sample] | None = None) -> None:
        self._frame, self._fresh = frame, fresh or {}

    def __getitem__(self, name: str) -> Value:
        if "." not in name:
            return self._frame.values[name]
        sample = self.sample(name)
        if sample is None or sample.quality not in BELIEVED or sample.value is None:
            raise KeyError(name)
        return sample.value

    def sample(self, name: str) -> Sample | None:
        """The sample of a `role.reading`; None where there is none, or the name is a value's."""
        role, dot, reading = name.partition(".")
        if not dot or name in self._fresh:
            return self._fresh.get(name)
        return self._frame.means.hands.latest(self._frame.devices[role], reading)

    def __iter__(self) -> Iterator[str]:
        return iter(self._frame.values)

    def __len__(self) -> int:
        return len(self._frame.values)


class Frame:
    """A recipe with the values that it was given, or one branch of it."""

    def __init__(
        self, means: Means, recipe: Recipe, devices: Mapping[str, str], values: dict[str, Value]
    ) -> None:
        self.means, self.recipe, self.devices, self.values = means, recipe, devices, values
        self.begun = False
        """Whether a step has begun, so that `finally` must run."""
        self.is_ending = False
        """Whether `finally` or `on_stop` runs: no journal keeps their steps from being done."""
        self.function: Function | None = None
        """The function of a recipe in Python, once it has begun."""
        self.whole = self
        """The recipe of which this is a branch; itself where it is none."""
        self.callers: tuple[Frame, ...] = ()
        """The recipes that have led to this one by their calls, the outermost first."""
        self.is_asked = False
        """Whether a function has asked for what runs here: it may go on after a failure."""
        self.recorders: dict[str, asyncio.Task[None]] = {}
        """What goes on being recorded until the recipe ends, by the key of its step."""

    @property
    def known(self) -> Known:
        """The names that an expression may use now."""
        return Known(self)

    def branch(self) -> Frame:
        """The same recipe, with values of its own from here on."""
        made = Frame(self.means, self.recipe, self.devices, dict(self.values))
        made.recorders, made.is_ending = self.recorders, self.is_ending
        made.whole, made.callers = self.whole, self.callers
        return made

    async def run(self, steps: tuple[Step, ...]) -> None:
        """Run steps in their order. Raises StepFailed at the first that ends the job."""
        for step in steps:
            await self._one(step)

    async def _one(self, step: Step) -> None:
        means = self.means
        await means.pace.rest()
        self.begun = True
        with means.job.progress.of(step, means.pace.time) as now:
            try:
                await means.notes.step(step, "begun", must=not self.is_ending)
                await means.work[type(step)](self, step, now)
                await means.notes.step(step, "ended", must=not self.is_ending)
            except (AgentError, DriverError) as error:
                await means.notes.failed(step, str(error))
                raise StepFailed(
                    Message(
                        "{place}: {verb}: {error}",
                        place=step.place,
                        verb=step.verb,
                        error=str(error),
                    )
                ) from error

    async def end_recorders(self) -> None:
        """Record nothing of this recipe any longer, and do nothing more for its function."""
        if self.function is not None:
            self.function.close()
        ending = list(self.recorders.values())
        self.recorders.clear()
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)


Work: TypeAlias = Callable[[Frame, Any, StepNow], Coroutine[Any, Any, None]]
"""Runs one step. It raises AgentError, DriverError or StepFailed where the step ends the job."""


def must_be_done(outcome: Outcome) -> Outcome:
    """The outcome, if the request was done. Raises AgentError with its message otherwise."""
    if outcome.status is Status.DONE:
        return outcome
    raise ERRORS[outcome.status](
        outcome.message or Message("the request was {status}", status=outcome.status)
    )

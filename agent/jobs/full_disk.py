"""What a disk that fills means for jobs: those that measure are stopped in order, before it is full."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from agent.errors import AgentError
from agent.fleet.events import EventLog, Severity
from agent.jobs.jobs import Jobs
from agent.jobs.states import JobState
from agent.languages.message import Message
from agent.roles import Actor
from agent.safety.disk_alarms import DiskAlarms
from agent.store.disk_watch import Fill
from drivers import Role

if TYPE_CHECKING:
    from agent.jobs.recipes.library import Library

DISK: Final = Actor(name="the full disk", origin="agent", role=Role.OBSERVER)
RUNS: Final = frozenset({JobState.RUNNING, JobState.PAUSING, JobState.PAUSED})

log = logging.getLogger("labkeeper")


class FullDisk:
    """Tells of a disk that fills, and stops jobs that measure when it is full. Runs in `tasks`."""

    def __init__(
        self, jobs: Jobs, events: EventLog, alarms: DiskAlarms, tasks: asyncio.TaskGroup
    ) -> None:
        self._jobs, self._events, self._alarms, self._tasks = jobs, events, alarms, tasks
        self._was = Fill.FREE

    def __call__(self, fill: Fill, words: str) -> None:
        """Say how full it is now, and do what that asks for."""
        was, self._was = self._was, fill
        self._alarms.show(
            fill, words
        )  # also where nothing is new: an earlier run may have raised one
        match fill:
            case _ if fill is was:
                pass
            case Fill.FREE:
                self._events.add(
                    "disk.recovered",
                    Message("there is room on the disk again: {words}", words=words),
                )
            case Fill.LOW:
                text = Message("the disk fills up, make room: {words}", words=words)
                self._events.add("disk.low", text, severity=Severity.WARNING)
            case Fill.NO_JOBS:
                text = Message("no new job begins until there is room: {words}", words=words)
                self._events.add("disk.no_jobs", text, severity=Severity.ERROR)
            case Fill.NO_DATA:
                text = Message(
                    "jobs that measure are stopped, for there is no room: {words}", words=words
                )
                self._events.add("disk.no_data", text, severity=Severity.ERROR)
                self._tasks.create_task(self._stop_measuring(), name="disk.stop_measuring")

    async def _stop_measuring(self) -> None:
        try:
            library = await self._jobs.library()
            running = [job for job in self._jobs.listing if job.state in RUNS]
            measuring = [job.id for job in running if measures(job.recipe, library)]
            await asyncio.gather(*map(self._stop, measuring))
        except AgentError as error:
            log.warning("%s", error)
        except Exception:  # this is a task of the station, which must not end by it
            log.exception("stopping jobs that measure")

    async def _stop(self, job: str) -> None:
        """Stop one of several: one that has ended meanwhile must not keep the others running."""
        try:
            await self._jobs.stop(job, DISK)
        except AgentError as error:
            log.warning("%s", error)


def measures(recipe: str, library: Library, above: frozenset[str] = frozenset()) -> bool:
    """Whether a recipe, or one that it calls, leaves data. One that can't be looked into counts as such."""
    from agent.jobs.recipes.device_steps import MeasureStep, RecordStep
    from agent.jobs.recipes.flow_steps import CallStep
    from agent.jobs.recipes.recipe_file import RecipeFile

    try:
        entry = library.find(recipe)
    except AgentError:
        return True
    if not isinstance(entry, RecipeFile):
        return True
    steps = tuple(entry.recipe.every_step())
    return any(
        isinstance(step, MeasureStep | RecordStep)
        or (
            isinstance(step, CallStep)
            and step.call
            not in above | {recipe}  # files that call in a circle may lie there by now
            and measures(step.call, library, above | {recipe})
        )
        for step in steps
    )

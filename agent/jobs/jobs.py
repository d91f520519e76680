"""The jobs of a station: submitted, queued, run, stopped. A device belongs to one at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Set
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from agent.errors import NoSuchThing, NotAllowed, NotNow, Refused
from agent.jobs.expressions import Value
from agent.jobs.job import Job
from agent.jobs.library import Library
from agent.jobs.questions import Question, Questions
from agent.jobs.recipe_file import RecipeFile
from agent.jobs.shop import Kept, Shop, kept_of, new_job
from agent.jobs.states import PAUSABLE, WAITING, JobState
from agent.roles import Actor, refusal
from agent.safety.reservations import Holder
from agent.settings.sentences import suggest
from drivers import Role

LONGEST_QUEUE: Final = 200
"""Jobs that may wait; a further one is refused."""

log = logging.getLogger("labkeeper")


class Jobs:
    """Every job since the start, the last `kept` of those that have ended."""

    def __init__(self, shop: Shop, *, kept: int = 200) -> None:
        self._shop, self._most = shop, kept
        self._kept: dict[str, Kept] = {}
        self._questions, self._plates = Questions(), set[str]()
        self._number = 0
        self._is_ending = False
        shop.reservations.listen(self._device_stopped)

    @property
    def listing(self) -> tuple[Job, ...]:
        """All jobs, in the order of their submission."""
        return tuple(kept.job for kept in self._kept.values())

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions that wait for an answer, the oldest first."""
        return self._questions.open

    async def library(self) -> Library:
        """The recipes that may be submitted, as their files are now."""
        return await self._shop.recipes.library()

    def get(self, job: str) -> Job:
        """The job of this id. Raises NoSuchThing."""
        return self._of(job).job

    async def submit(
        self,
        recipe: str,
        arguments: Mapping[str, object],
        devices: Mapping[str, str],
        actor: Actor,
        *,
        held: bool = False,
    ) -> Job:
        """Check a recipe with these parameters and devices, and queue it as a job.

        Raises:
            NoSuchThing: There is no recipe of this name.
            NotAllowed: The actor's role does not suffice for what its steps do.
            Refused: A parameter is missing or not allowed, or the queue is full.
            ConfigError: The recipe is wrong, or does not fit this station.
        """
        _may(actor, Role.TECHNICIAN, f"starting {recipe}")
        library = await self.library()
        entry = _found(library, recipe)
        values = entry.recipe.arguments(arguments)
        checked = await self._shop.recipes.check(entry, library, devices, values)
        checked.must_be_right()
        what = f"starting {recipe}" + (f" ({checked.demanding})" if checked.demanding else "")
        _may(actor, checked.role, what)
        if missing := entry.recipe.devices.keys() - checked.devices.keys():
            raise Refused(f"{recipe} needs a device for {', '.join(sorted(missing))}: name it")
        self._room()
        kept = self._made(entry, library, values, checked.devices, actor)
        if why := self._shop.uncovered(actor, recipe, kept.job.claimed):
            raise Refused(why)
        await kept.notes.submitted()
        kept.notes.state(JobState.HELD if held else JobState.QUEUED)
        self._kept[kept.job.id] = kept
        self._next()
        return kept.job

    async def stop(self, job: str, actor: Actor) -> Job:
        """Stop a job, and return when its devices have been stopped. Needs no role."""
        kept = self._of(job)
        if kept.job.state in WAITING:
            by = f"stopped by {actor.name} ({actor.origin}) before it began"
            kept.notes.state(JobState.STOPPED, by)
            await kept.notes.entered()
            self._over(kept)
        elif kept.job.state.is_final:
            raise NotNow(f"job {job} is {kept.job.state} already")
        else:
            kept.run.stop(actor)
            await kept.run.stopped()
        return kept.job

    async def pause(self, job: str, actor: Actor) -> Job:
        """Let a job rest at the next step, in a wait, or in a print."""
        kept = self._asked(job, actor, "pausing", PAUSABLE)
        if kept.job.state is JobState.RUNNING:
            kept.notes.state(JobState.PAUSING, f"by {actor.name} ({actor.origin})")
            kept.pace.pause()
            await kept.notes.entered()
        return kept.job

    async def resume(self, job: str, actor: Actor) -> Job:
        """Let a job go on after a pause."""
        kept = self._asked(job, actor, "resuming", PAUSABLE)
        if kept.job.state is not JobState.RUNNING:
            kept.notes.state(JobState.RUNNING, f"resumed by {actor.name} ({actor.origin})")
            kept.pace.resume()
            await kept.notes.entered()
        return kept.job

    async def hold(self, job: str, actor: Actor) -> Job:
        """Keep a job that has not begun from beginning."""
        kept = self._asked(job, actor, "holding", WAITING)
        kept.notes.state(JobState.HELD, f"by {actor.name} ({actor.origin})")
        self._next()
        await kept.notes.entered()
        return kept.job

    async def release(self, job: str, actor: Actor) -> Job:
        """Let a held job begin when it is its turn."""
        kept = self._asked(job, actor, "releasing", WAITING)
        kept.notes.state(JobState.QUEUED, f"released by {actor.name} ({actor.origin})")
        self._next()
        await kept.notes.entered()
        return kept.job

    async def answer(self, question: str, value: object, actor: Actor) -> Question:
        """Answer a question; it is recorded with the actor's name. Raises NoSuchThing and Refused."""
        _may(actor, Role.TECHNICIAN, "answering a question")
        return self._questions.answer(question, value, actor.name, self._shop.clock.utc())

    async def until_over(self, job: str) -> Job:
        """Wait for a job's final state."""
        kept = self._of(job)
        await kept.over.wait()
        return kept.job

    async def end(self) -> None:
        """The agent ends: no job begins any more, and those that run are interrupted.

        Their devices are left as they are, or made safe, as each one's `on_shutdown` says.
        """
        self._is_ending = True
        running = [it.task for it in self._kept.values() if it.task and not it.task.done()]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    def _made(
        self,
        entry: RecipeFile,
        library: Library,
        values: dict[str, Value],
        devices: Mapping[str, str],
        actor: Actor,
    ) -> Kept:
        job = new_job(self._id(), entry, library, values, devices, actor, self._shop.clock.utc())
        return kept_of(job, entry, library, self._shop, self._questions, self._plates, self._rests)

    def _next(self) -> None:
        """Begin what can begin, in the order of submission.

        A job that waits for its devices keeps later ones from taking them, so that it gets its turn.
        """
        spoken_for: set[str] = set()
        for kept in tuple(self._kept.values()):
            if kept.job.state is not JobState.QUEUED or self._is_ending:
                continue
            if spoken_for.isdisjoint(kept.job.claimed) and self._taken(kept.job):
                self._begin(kept)
            else:
                spoken_for |= kept.job.claimed

    def _taken(self, job: Job) -> bool:
        holder = Holder(job=job.id, what=job.recipe, by=job.by.name)
        return self._shop.reservations.take(job.claimed, holder)

    def _begin(self, kept: Kept) -> None:
        kept.job.began = self._shop.clock.utc()
        kept.notes.state(JobState.RUNNING)
        name = f"job.{kept.job.id}"
        kept.task = self._shop.tasks.create_task(self._run(kept), name=name)

    async def _run(self, kept: Kept) -> None:
        try:
            await kept.run.go()
        except Exception as error:  # a defect of ours ends this job, never the agent
            log.exception("job %s", kept.job.id)
            kept.notes.state(JobState.FAILED, f"a defect of the agent: {error!r}")
        finally:
            self._over(kept)

    def _over(self, kept: Kept) -> None:
        """Give the devices back, and let the next job begin."""
        self._shop.reservations.release(kept.job.id)
        self._questions.forget(kept.job.id)
        kept.over.set()
        ended = [it.job.id for it in self._kept.values() if it.job.state.is_final]
        for job in ended[: max(0, len(ended) - self._most)]:
            del self._kept[job]
            self._shop.forget(job)
        self._next()

    def _device_stopped(self, job: str, device: str, actor: Actor) -> None:
        """Somebody stops a device of a job: that is the end of the job."""
        self._kept[job].run.stop(actor, device)

    def _rests(self, job: str) -> None:
        """Every branch of the job rests."""
        kept = self._kept[job]
        if kept.job.state is JobState.PAUSING:
            kept.notes.state(JobState.PAUSED, kept.job.why)

    def _asked(self, job: str, actor: Actor, what: str, states: Set[JobState]) -> Kept:
        """The job, if the actor may do this to it, and it is in one of these states."""
        kept = self._of(job)
        _may(actor, Role.TECHNICIAN, f"{what} job {job}")
        if kept.job.state not in states:
            raise NotNow(f"{what} job {job} is not possible: it is {kept.job.state}")
        return kept

    def _of(self, job: str) -> Kept:
        if job not in self._kept:
            raise NoSuchThing(f"there is no job {job}; `labkeeper job list` shows those there are")
        return self._kept[job]

    def _room(self) -> None:
        if self._is_ending:
            raise NotNow("the agent is stopping: no job begins any more")
        if sum(it.job.state in WAITING for it in self._kept.values()) >= LONGEST_QUEUE:
            raise NotNow(f"{LONGEST_QUEUE} jobs wait already: stop some, or wait")

    def _id(self) -> str:
        """A name in which a person sees when it was submitted: `20260102-030405-1`, in UTC."""
        self._number += 1
        second = datetime.fromtimestamp(self._shop.clock.utc(), UTC).strftime("%Y%m%d-%H%M%S")
        return f"{second}-{self._number}"


def _may(actor: Actor, needed: Role, what: str) -> None:
    if why := refusal(actor, needed, what):
        raise NotAllowed(why)


def _found(library: Library, recipe: str) -> RecipeFile:
    """The recipe of this name. Raises NoSuchThing, ConfigError and Refused."""
    if recipe not in library.recipes and not any(
        Path(it.file).stem == recipe for it in library.problems
    ):
        raise NoSuchThing(f"no recipe is called {recipe!r}; {suggest(recipe, library.recipes)}")
    entry = library.find(recipe)
    if not isinstance(entry, RecipeFile):
        raise Refused(f"{recipe} is written in Python: only recipes in files can be started so far")
    return entry

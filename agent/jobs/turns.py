"""Which job has its turn: it begins when its devices are free, and its recipe is what it was."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.errors import AgentError, ConfigError, NoSuchThing
from agent.jobs.job import Job
from agent.jobs.job_tally import JobTally
from agent.jobs.questions import Questions
from agent.jobs.queue import in_order
from agent.jobs.shop import Kept, Shop, equip
from agent.jobs.states import JobState
from agent.languages.message import Message, joined
from agent.roles import Actor, refusal
from agent.safety.reservations import Holder
from agent.settings.sentences import suggest

if TYPE_CHECKING:
    from agent.jobs.recipes.library import Entry, Library

LOOK_S: Final = 1.0
"""How often a job that waits for a time is looked at: the station's clock may be set meanwhile."""

log = logging.getLogger("labkeeper")


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """Who keeps every job from beginning, since when (seconds UTC), and why."""

    by: str
    origin: str
    since: float
    reason: str = ""


class Turns:
    """Of all jobs: begins them, runs them, and gives their devices back."""

    def __init__(self, shop: Shop, questions: Questions, most: int) -> None:
        self.kept: dict[str, Kept] = {}
        self.plates, self.tally = shop.plates, JobTally()
        self.plates.closed_because = lambda: self.closed
        self.hold: Hold | None = None
        self.is_open, self.is_ending = True, False
        self.closed = ""
        """Why the jobs of before are not taken over, as a sentence: none begins until they are."""
        self.closed_because: Callable[[], str] = lambda: ""
        """Why no job may be submitted or begin now, as a sentence; "" when one may."""
        self._shop, self._questions, self._most = shop, questions, most
        self._waking: asyncio.Task[None] | None = None
        shop.reservations.listen(self._device_stopped)
        shop.reservations.freed = self.next

    @property
    def waiting(self) -> list[Job]:
        """The jobs that wait, in the order in which they have their turn."""
        return in_order(it.job for it in self.kept.values())

    def add(self, kept: Kept) -> None:
        """List a job."""
        self.kept[kept.job.id] = kept
        if kept.job.state.is_final:
            kept.over.set()

    def equip(self, kept: Kept, entry: Entry, library: Library) -> None:
        """Give a job what runs it; its recipe has been checked."""
        equip(kept, entry, library, self._shop, self._questions, self._rests)

    def next(self) -> None:
        """Begin what can begin, in the order of the queue.

        A job that waits for its devices keeps later ones from taking them, so that it gets its turn.
        """
        closed, spoken_for = self.closed_because(), set[str]()
        for job in self.waiting:
            kept = self.kept[job.id]
            if not self._is_due(kept):
                continue
            if closed:
                job.why = closed
            elif spoken_for.isdisjoint(job.claimed) and self._taken(job):
                self._begin(kept)
            else:
                job.why = self._shop.reservations.awaited(job.claimed)
                spoken_for |= job.claimed
        for kept in self.kept.values():
            if kept.task is None:  # what it was checked with may change until its turn comes
                kept.run = kept.pace = None
        self._wake_in_time()

    def over(self, kept: Kept) -> None:
        """A job has ended: give its devices back, and let the next one begin."""
        self._shop.reservations.release(kept.job.id)
        self._questions.forget(kept.job.id)
        if not kept.over.is_set():  # one that is stopped as it begins comes here twice
            took = None if kept.began is None else self._shop.clock.monotonic() - kept.began
            self.tally.over(kept.job, self._shop.clock.utc(), took)
        kept.over.set()
        self._forget_all_but_the_last(kept.job)
        self._look_again()

    async def end(self) -> list[Kept]:
        """Begin nothing any more and interrupt what runs; return the jobs that this has interrupted."""
        self.is_ending = True
        running = [it for it in self.kept.values() if it.task and not it.task.done()]
        tasks = [it.task for it in running if it.task]
        if self._waking is not None:
            tasks.append(self._waking)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        return [it for it in running if it.job.state.is_final]

    def _forget_all_but_the_last(self, latest: Job) -> None:
        """List no longer those that ended first. The latest stays, though the clock was set back."""
        ended = [it.job for it in self.kept.values() if it.job.state.is_final]
        ended.sort(key=lambda it: it.ended or it.submitted)
        for job in ended[: max(0, len(ended) - self._most)]:
            if job is not latest:
                del self.kept[job.id]
                self._shop.forget(job.id)

    @property
    def _may_begin(self) -> bool:
        """Whether any job may begin now."""
        return self.is_open and not (self.closed or self.is_ending) and self.hold is None

    def _is_due(self, kept: Kept) -> bool:
        job = kept.job
        if job.state is not JobState.QUEUED or kept.task or not self._may_begin:
            return False
        return job.not_before is None or job.not_before <= self._shop.clock.utc()

    def _taken(self, job: Job) -> bool:
        holder = Holder(job=job.id, what=job.recipe, by=job.by.name)
        return self._shop.reservations.take(job.claimed, holder)

    def _begin(self, kept: Kept) -> None:
        kept.begun.clear()
        if kept.run is not None:
            self._running(kept)
        kept.task = self._shop.tasks.create_task(self._run(kept), name=f"job.{kept.job.id}")

    def _running(self, kept: Kept) -> None:
        from agent.jobs.reckoning import reckon

        kept.job.began, kept.began = self._shop.clock.utc(), self._shop.clock.monotonic()
        reckon(kept, self.kept.values(), self._questions, self._shop.clock)
        kept.notes.state(JobState.RUNNING)
        kept.begun.set()

    async def _run(self, kept: Kept) -> None:
        try:
            if kept.run is None:
                await self._make_ready(kept)
            if kept.run is not None:
                await kept.run.go()
        except Exception as error:  # a defect of ours ends this job, never the agent
            log.exception("job %s", kept.job.id)
            kept.notes.state(
                JobState.FAILED, Message("a defect of the agent: {error}", error=repr(error))
            )
            await kept.notes.entered()
        finally:
            kept.begun.set()
            if kept.job.state.is_final:
                self.over(kept)
            else:
                self._given_back(kept)

    def _given_back(self, kept: Kept) -> None:
        """It has its devices no longer, and has not begun."""
        self._shop.reservations.release(kept.job.id)
        kept.task = None
        self._look_again()

    async def _make_ready(self, kept: Kept) -> None:
        """See whether a job that has its devices may begin: then it runs. Else it is held."""
        why = await self._unready(kept)
        if kept.job.state is not JobState.QUEUED:  # held or stopped meanwhile
            kept.run = None
            await kept.notes.entered()
        elif why:
            kept.notes.state(JobState.HELD, why)
            await kept.notes.entered()
        else:
            self._running(kept)

    async def _unready(self, kept: Kept) -> str:
        """Why a job may not begin that was checked when it was submitted; "" when it may."""
        job = kept.job
        try:
            library = await self._shop.recipes.library()
            from agent.jobs.recipes.claims import called_hashes

            entry = found(library, job.recipe)
            if entry.sha256 != job.sha256 or called_hashes(entry, library) != job.called:
                return Message(
                    "{recipe}, or a recipe that it calls, has changed since the job was submitted: "
                    "put the files back and release it, or stop it and start anew",
                    recipe=job.recipe,
                )
            checked = await self._shop.recipes.check(entry, library, job.devices, job.arguments)
            checked.must_be_right()
        except ConfigError as error:
            return joined(map(str, error.problems))
        except AgentError as error:
            return str(error)
        if why := refusal(job.by, checked.role, Message("starting {recipe}", recipe=job.recipe)):
            return why
        if why := self._shop.uncovered(kept.starter, job.recipe, job.claimed):
            return why
        self.equip(kept, entry, library)
        return ""

    def _look_again(self) -> None:
        """Look at the queue where nobody has asked for it. A defect of ours must not end the agent."""
        try:
            self.next()
        except Exception:
            log.exception("looking at the queue")

    def _wake_in_time(self) -> None:
        """See that the queue is looked at when a job may begin that waits for a time, a lease or room."""
        if self._waking is None and (seconds := self._waits_for_time()):
            self._waking = self._shop.tasks.create_task(self._wake(seconds), name="jobs.wake")

    async def _wake(self, seconds: float) -> None:
        while seconds:
            await self._shop.clock.sleep(seconds)
            self._look_again()
            seconds = self._waits_for_time()
        self._waking = None

    def _waits_for_time(self) -> float:
        """How long to let pass before the next look; 0 where no job waits for a time."""
        if not self._may_begin:
            return 0.0
        now = self._shop.clock.utc()
        queued = [it for it in self.waiting if it.state is JobState.QUEUED]
        times = [it.not_before - now for it in queued if it.not_before and it.not_before > now]
        leased = self._shop.reservations.leases.keys()
        is_closed = bool(self.closed_because())
        waits = times or any(is_closed or not leased.isdisjoint(it.claimed) for it in queued)
        return min([LOOK_S, *times]) if waits else 0.0

    def _device_stopped(self, job: str, device: str, actor: Actor) -> None:
        """Somebody stops a device of a job: that is the end of the job, or keeps it from beginning."""
        kept = self.kept[job]
        if kept.run is not None:
            kept.run.stop(actor, device)
        else:
            why = Message(
                "{device} was stopped by {name} ({origin}) as it was about to begin",
                device=device,
                name=actor.name,
                origin=actor.origin,
            )
            kept.notes.state(JobState.HELD, why, actor)

    def _rests(self, job: str) -> None:
        """Every branch of the job rests."""
        kept = self.kept[job]
        if kept.job.state is JobState.PAUSING:
            kept.notes.state(JobState.PAUSED, kept.job.why)
            self._shop.tasks.create_task(kept.notes.entered(), name=f"job.{job}.paused")


def found(library: Library, recipe: str) -> Entry:
    """The recipe of this name. Raises NoSuchThing, ConfigError and Refused."""
    if recipe not in library.recipes and not any(
        Path(it.file).stem == recipe for it in library.problems
    ):
        raise NoSuchThing(
            Message(
                "no recipe is called {recipe!r}; {suggest}",
                recipe=recipe,
                suggest=suggest(recipe, library.recipes),
            )
        )
    return library.find(recipe)

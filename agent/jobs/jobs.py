"""The jobs of a station: submitted, queued, run, stopped. A device belongs to one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Set
from typing import TYPE_CHECKING, Any, Final

from agent.errors import AgentError, NotAllowed, Refused
from agent.fleet.samples import Outcome
from agent.jobs import restart, sentences
from agent.jobs.asked import Asked
from agent.jobs.inheritance import Inheritance
from agent.jobs.job import Answer, Job, StoppedJob
from agent.jobs.job_tally import JobTally
from agent.jobs.plates import Plates
from agent.jobs.questions import Question, Questions
from agent.jobs.queue import Place, moved
from agent.jobs.queue_hold import QueueHold
from agent.jobs.shop import Kept, Shop
from agent.jobs.states import PAUSABLE, WAITING, JobState
from agent.jobs.submission import Submission
from agent.jobs.turns import Hold, Turns
from agent.languages.message import N_, Message
from agent.roles import Actor, refusal
from agent.safety.stops import ANSWERED_WITHIN_S
from agent.store.store_errors import NotRecorded
from drivers import Role

if TYPE_CHECKING:
    from agent.jobs.recipes.library import Library

BEGUN_WITHIN_S: Final = 2.0
"""How long the answer to a release waits for the job to begin, or for what keeps it from that."""


class Jobs:
    """Every job since the start, the last `kept` of those that have ended.

    What is asked for is on the disk when the call returns, or the call raises.
    """

    def __init__(self, shop: Shop, *, kept: int = 200) -> None:
        self._shop = shop
        self._questions = Questions()
        self._turns = Turns(shop, self._questions, kept)
        self._kept = self._turns.kept
        self._submission = Submission(shop, self._turns)
        self._answering = asyncio.Lock()
        self._whole_queue = QueueHold(shop, self._turns)
        self._before = Inheritance(shop, self._turns, self._submission)
        self.taken_over: asyncio.Event = self._before.taken_over
        """Set when the jobs of before are listed."""
        self.tally: JobTally = self._turns.tally
        """What is counted of jobs that have ended."""
        self.plates: Plates = shop.plates

    def close_while(self, why: Callable[[], str]) -> None:
        """Take no job, and let none begin, as long as `why` gives a reason, a sentence; "" is none."""
        self._turns.closed_because = why

    @property
    def untaken(self) -> str:
        """Why the jobs of before are not taken over yet, as a sentence; "" once they are."""
        return self._turns.closed

    @property
    def listing(self) -> tuple[Job, ...]:
        """All jobs, in the order of their submission."""
        return tuple(kept.job for kept in self._kept.values())

    @property
    def queue(self) -> tuple[Job, ...]:
        """The jobs that wait, in the order in which they have their turn."""
        return tuple(self._turns.waiting)

    @property
    def held(self) -> Hold | None:
        """Who keeps every job from beginning; None while they may."""
        return self._turns.hold

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions that wait for an answer, the oldest first."""
        return self._questions.open

    def uncovered(self, actor: Actor, recipe: str, devices: Iterable[str]) -> str:
        """Why a start would be refused, as nothing covers these devices; "" where it would not."""
        return self._shop.uncovered(actor, recipe, devices)

    async def begin(self) -> None:
        """Take over what the agent before this one has left. No job begins before that and `open`."""
        self._turns.is_open = False
        await self._before.begin()

    def open(self) -> None:
        """Let jobs begin: the devices have had the time to answer."""
        self._turns.is_open = True
        self._turns.next()

    async def library(self) -> Library:
        """The recipes that may be submitted, as their files are now."""
        return await self._shop.recipes.library()

    def get(self, job: str) -> Job:
        """The job of this id.

        Raises:
            NoSuchThing: There is none.
            NotRead: The jobs of before are not taken over yet, and it may be one of them.
        """
        return self._of(job).job

    async def submit(
        self,
        recipe: str,
        arguments: Mapping[str, object],
        devices: Mapping[str, str],
        actor: Actor,
        *,
        held: bool = False,
        key: str = "",
        priority: int = 0,
        copies: int = 1,
        not_before: float | None = None,
    ) -> Job:
        """Check a recipe with these parameters and devices, and queue it as a job.

        Args:
            recipe: The name of a recipe.
            arguments: Its parameters by name.
            devices: Devices by role, where they are not the recipe's own.
            actor: Who asks.
            held: Wait until somebody releases it.
            key: The same key with the same request gives the job that it gave before, also after
                a restart. "": every submission is a new one.
            priority: From -100 to 100; of jobs that wait for a device the highest begins first.
            copies: How many jobs of it, each as soon as its devices are free; the first is returned.
            not_before: When it may begin at the earliest, in seconds UTC.

        Raises:
            NoSuchThing: There is no recipe of this name.
            NotAllowed: The actor's role does not suffice for what its steps do.
            KeyConflict: The key belongs to another request.
            Refused: A parameter is missing or not allowed, or the queue is full.
            ConfigError: The recipe is wrong, or does not fit this station.
            NotRecorded: The disk does not take it; there is no such job.
        """
        self._before.must_be_here()
        asked = Asked(
            recipe=recipe,
            arguments=arguments,
            devices=devices,
            held=held,
            priority=priority,
            copies=copies,
            not_before=not_before,
        )
        return await self._submission.submit(asked, actor, key)

    async def stop(self, job: str, actor: Actor) -> StoppedJob:
        """Stop a job, and return within a second how the stop of each of its devices stands by then.

        One that hangs is tried on; its end is an event. Needs no role.

        Raises:
            NotNow: It has ended already.
            NotRecorded: It had not begun, and does not any more; but the disk does not take that.
        """
        kept, devices = self._of(job), dict[str, Outcome]()
        if kept.job.state in WAITING:
            kept.notes.state(JobState.STOPPED, sentences.stopped_before(actor), actor)
            try:
                await kept.notes.must_enter(ANSWERED_WITHIN_S)
            except AgentError as error:
                raise NotRecorded(sentences.unrecorded_stop(job, error)) from error
            finally:
                self._turns.over(kept)
        elif kept.job.state.is_final or kept.run is None:
            raise sentences.over_already(job, kept.job.state)
        else:
            kept.run.stop(actor)
            devices = kept.job.safe  # of this stop: of the next one it is another
            await kept.run.stopped(ANSWERED_WITHIN_S)
        return StoppedJob(job=kept.job, devices=dict(devices))

    async def pause(self, job: str, actor: Actor) -> Job:
        """Let a job rest at the next step, in a wait, or in a print."""
        kept = self._asked(job, actor, N_("pausing job {job}"), PAUSABLE)
        if kept.job.state is JobState.RUNNING and kept.pace:
            kept.notes.state(JobState.PAUSING, sentences.done_by(actor), actor)
            kept.pace.pause()
            await kept.notes.must_enter()
        return kept.job

    async def resume(self, job: str, actor: Actor) -> Job:
        """Let a job go on after a pause."""
        kept = self._asked(job, actor, N_("resuming job {job}"), PAUSABLE)
        if kept.job.state is not JobState.RUNNING and kept.pace:
            text = Message("resumed {by}", by=sentences.done_by(actor))
            kept.notes.state(JobState.RUNNING, text, actor)
            kept.pace.resume()
            await kept.notes.must_enter()
        return kept.job

    async def hold(self, job: str, actor: Actor) -> Job:
        """Keep a job that has not begun from beginning."""
        kept = self._asked(job, actor, N_("holding job {job}"), WAITING)
        kept.notes.state(JobState.HELD, sentences.done_by(actor), actor)
        self._turns.next()
        await kept.notes.must_enter()
        return kept.job

    async def release(self, job: str, actor: Actor) -> Job:
        """Let a held job begin when it is its turn. Raises Refused where nothing covers its outputs."""
        kept = self._asked(job, actor, N_("releasing job {job}"), WAITING)
        if why := self._shop.uncovered(actor, kept.job.recipe, kept.job.claimed):
            raise Refused(why)
        kept.released = actor
        text = Message("released {by}", by=sentences.done_by(actor))
        kept.notes.state(JobState.QUEUED, text, actor)
        await kept.notes.must_enter()
        self._turns.next()
        await kept.until_begun(BEGUN_WITHIN_S)
        return kept.job

    async def move(self, job: str, to: Place, actor: Actor, other: str = "") -> Job:
        """Give a job that waits another place: first, last, or before `other`, with its priority."""
        kept = self._asked(job, actor, N_("moving job {job}"), WAITING)
        changed = moved([it.job for it in self._kept.values()], kept.job, to, other)
        if changed:
            await self._shop.book.enter([self._kept[it].notes.moved(actor) for it in changed])
        self._turns.next()
        return kept.job

    async def hold_all(self, actor: Actor, reason: str = "") -> Hold:
        """Keep every job from beginning, also after a restart. Those that run go on."""
        _may(actor, Role.TECHNICIAN, Message("holding the queue"))
        self._before.must_be_here()
        return await self._whole_queue.hold(actor, reason)

    async def release_all(self, actor: Actor) -> None:
        """Let jobs begin again. Jobs that are held by themselves stay so."""
        _may(actor, Role.TECHNICIAN, Message("releasing the queue"))
        self._before.must_be_here()
        await self._whole_queue.release(actor)

    async def answer(self, question: str, value: object, actor: Actor) -> Question:
        """Answer a question; it is recorded with the actor's name. Raises NoSuchThing and Refused."""
        _may(actor, Role.TECHNICIAN, Message("answering a question"))
        async with self._answering:  # of two who answer at once, the second finds it answered
            found = self._questions.find(question)
            accepted = found.accepted(value)
            now = self._shop.clock.utc()
            answer = Answer(question=found.en, ko=found.ko, time=now, value=accepted, by=actor.name)
            await self._of(found.job).notes.answered(found.id, answer, actor)
            self._questions.close(found, answer)
        return found

    async def log(self, job: str, after: int, most: int) -> tuple[Mapping[str, Any], ...]:
        """What is on record of a job, after a row. Raises NoSuchThing where nothing is known of it."""
        rows = await self._shop.book.log(job, after, most)
        if not rows and not after:
            self._of(job)
        return rows

    async def until_over(self, job: str) -> Job:
        """Wait for a job's final state, and until its devices are given back."""
        kept = self._of(job)
        await kept.over.wait()
        return kept.job

    async def end(self) -> None:
        """The agent ends: no job begins any more, and those that run are interrupted.

        Their devices are left as they are, or made safe, as each one's `on_shutdown` says.
        """
        await self._before.end()
        interrupted = await self._turns.end()
        kept, in_order = tuple(self._kept.values()), self._before.is_taken_over
        await restart.leave(self._shop, kept, interrupted, in_order=in_order)

    def _asked(self, job: str, actor: Actor, what: str, states: Set[JobState]) -> Kept:
        """The job, if the actor may do this to it, and it is in one of these states."""
        kept = self._of(job)
        _may(actor, Role.TECHNICIAN, Message(what, job=job))
        if kept.job.state not in states:
            raise sentences.not_possible(Message(what, job=job), kept.job.state)
        return kept

    def _of(self, job: str) -> Kept:
        if job not in self._kept:
            self._before.must_tell_of(job)
            raise sentences.no_job(job)
        return self._kept[job]


def _may(actor: Actor, needed: Role, what: str) -> None:
    if why := refusal(actor, needed, what):
        raise NotAllowed(why)

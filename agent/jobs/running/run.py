"""One run of a recipe: its steps, and how it ends in any case.

A run ends in this order. After a stop the devices are stopped at once; then `on_stop`; then
`finally`, once a step has begun; and where the job was stopped or has failed, every device of it
is made safe at last. A further stop cuts the list that runs and stops the devices again; what is
left of this order follows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from agent.fleet.samples import Outcome, Status
from agent.jobs.language.expressions import Value
from agent.jobs.recipes.recipe import Recipe
from agent.jobs.recipes.step import Step
from agent.jobs.running.device_stops import DeviceStops
from agent.jobs.running.frame import Frame, Means, StepFailed
from agent.jobs.states import JobState
from agent.languages.message import Message, joined
from agent.roles import Actor

log = logging.getLogger("labkeeper")


class Run:
    """The run of one job, from its first step to its final state."""

    def __init__(self, means: Means, recipe: Recipe, values: dict[str, Value]) -> None:
        self._means, self._job, self._notes = means, means.job, means.notes
        self._root = Frame(means, recipe, means.job.devices, values)
        means.frames.append(self._root)
        self._work: asyncio.Task[str] | None = None
        self._stops = DeviceStops(means)
        self._failure = ""
        self._stopped = ""
        self._cut = False
        """Whether a stop came, and the list of steps that it cut has not ended yet."""
        self._is_ending = False
        """Whether nothing is left but to make safe: a stop has nothing more to do."""

    @property
    def recipe(self) -> Recipe:
        """What is run."""
        return self._root.recipe

    async def go(self) -> None:
        """Run to the end. Whatever happens, the job is in a final state afterwards."""
        try:
            await self._whole()
        except asyncio.CancelledError:
            self._stops.give_up()
            self._notes.state(JobState.INTERRUPTED, Message("the agent ended while it ran"))
            raise
        except Exception as error:  # a defect of ours ends this job, never the agent
            log.exception("job %s", self._job.id)
            self._failure = self._failure or Message(
                "a defect of the agent: {error}", error=repr(error)
            )
            await self._make_safe()
        finally:
            if self._work is not None:
                self._work.cancel()
            for frame in self._means.frames:
                await frame.end_recorders()
        self._finish()
        await self._notes.entered()

    def stop(self, actor: Actor, device: str = "") -> None:
        """Stop at once: no further step begins, and every device is being stopped.

        `device` is the one whose stop ends the job: the end of that stop is waited for, and it is
        not stopped twice; nor is one that is about to be stopped as well, as all are by a stop of
        everything. This itself waits for nothing.
        """
        if self._is_ending or self._job.state.is_final or self._cut:
            return
        self._stopped = self._stopped or _stopped_by(actor, device)
        self._cut = self._notes.is_ending = True
        self._means.hands.halt()
        self._stops.begin(device)
        if self._work is not None:
            self._work.cancel()
        self._means.pace.resume()
        self._notes.state(JobState.STOPPING, self._stopped, actor)

    async def stopped(self, within: float) -> None:
        """Wait for so many seconds at most until the devices have been stopped that are being stopped.

        `job.safe` says of each how its stop stands then.
        """
        await self._stops.ended(within)

    async def _whole(self) -> None:
        await self._notes.entered()
        await self._part(self._root, self._root.recipe.steps)
        if self._stopped:
            await self._after_stop()
        for frame in reversed(self._means.frames):
            if frame.begun:
                await self._finally(frame)
        if self._stopped or self._failure:
            await self._make_safe()

    async def _finally(self, frame: Frame) -> None:
        """Run what comes at the end in any case: a stop that comes before its first step cuts nothing.

        Such a one comes in a pause; a further stop cuts it, as it cuts every list.
        """
        begun = self._job.progress.begun
        await self._part(frame, frame.recipe.finally_)
        if self._stopped and self._job.progress.begun == begun:
            await self._part(frame, frame.recipe.finally_)

    async def _after_stop(self) -> None:
        """What the recipes say is to be done after a stop, the innermost first."""
        await self._settled()
        await self._notes.entered()
        for frame in reversed(self._means.frames):
            await self._part(frame, frame.recipe.on_stop)

    async def _part(self, frame: Frame, steps: tuple[Step, ...] | None) -> None:
        """Run one list of steps to its end, its failure, or the stop that cuts it."""
        is_first = frame is self._root and steps is self._root.recipe.steps
        if is_first and self._stopped:
            return
        await self._settled()
        if not steps:
            return
        frame.is_ending = steps is not frame.recipe.steps
        name = f"{self._job.id}.steps"
        self._work = self._means.tasks.create_task(self._caught(frame, steps), name=name)
        await asyncio.wait([self._work])
        if not self._work.cancelled() and (why := self._work.result()):
            self._failed(why)
        await self._settled()

    def _failed(self, why: str) -> None:
        """Remember the first failure; a pause must not keep the end of the job from going on."""
        self._failure = self._failure or why
        self._notes.is_ending = True
        self._means.pace.resume()
        if self._job.state in {JobState.PAUSING, JobState.PAUSED}:
            self._notes.state(JobState.RUNNING, why)

    async def _caught(self, frame: Frame, steps: tuple[Step, ...]) -> str:
        """Why these steps ended before their end; "" when they did not."""
        try:
            await frame.run(steps)
        except StepFailed as failed:
            return str(failed)
        except Exception as error:  # a defect in a step is the end of the job, not of the agent
            log.exception("job %s", self._job.id)
            return Message("a defect of the agent: {error}", error=repr(error))
        return ""

    async def _settled(self) -> None:
        """After a stop: the devices have been stopped, and nothing of the list is under way."""
        if not self._cut:
            return
        await self._stops.ended()
        await self._means.hands.end_unfinished()
        self._cut = False
        self._means.hands.go_on()

    async def _make_safe(self) -> None:
        """Make every device of the job safe, all at once, and remember what was confirmed."""
        self._is_ending = True
        await self._stops.ended()
        self._stops.begin()
        await self._stops.ended()
        await self._notes.safe(self._job.safe)
        if unsafe := list(_not_done(self._job.safe)):
            self._notes.unsafe(
                Message(
                    "job {id}: not confirmed safe: {unsafe}",
                    id=self._job.id,
                    unsafe=joined(unsafe),
                )
            )

    def _finish(self) -> None:
        """Enter the final state: what came first says which."""
        self._is_ending = True
        if self._stopped:
            self._notes.state(JobState.STOPPED, joined([self._stopped, self._failure]))
        elif self._failure:
            self._notes.state(JobState.FAILED, self._failure)
        else:
            self._notes.state(JobState.DONE)


def _stopped_by(actor: Actor, device: str) -> str:
    of = {"name": actor.name, "origin": actor.origin}
    if device:
        return Message("{device} was stopped by {name} ({origin})", device=device, **of)
    return Message("stopped by {name} ({origin})", **of)


def _not_done(outcomes: dict[str, Outcome]) -> Iterable[str]:
    for device, outcome in outcomes.items():
        if outcome.status is not Status.DONE:
            yield outcome.message or device

"""Runs recipes in Python. What the function asks for is done by the step that it stands in.

The function runs in a task of its own, and waits there for each call. The step does what it is
asked for, so that a pause and a stop find it as they find any step. After a stop the step is gone and
the function waits on; its end comes in the turn of `finally`, when the devices have been stopped: it
is cancelled, and its own `finally` may set and command devices as that of a file may.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from agent.errors import AgentError, DeviceTrouble, Refused
from agent.jobs.language.expressions import Value
from agent.jobs.progress import StepNow
from agent.jobs.recipes.claims import called_devices, claimed
from agent.jobs.recipes.flow_steps import CallStep
from agent.jobs.recipes.library import head_of
from agent.jobs.recipes.python_steps import PythonEndStep, PythonStep, ReadStep
from agent.jobs.recipes.step import Step
from agent.jobs.running.frame import Frame, StepFailed
from agent.jobs.running.python_desk import RESULT, DeviceAtDesk, JobAtDesk, Take
from agent.jobs.running.python_watch import watched
from agent.languages.message import Message
from agent.safety.condition import BELIEVED
from drivers.errors import DriverError

log = logging.getLogger("labkeeper")


@dataclass(kw_only=True, slots=True)
class _Request:
    """A call of the function that waits for its end."""

    step: Step
    values: dict[str, Value]
    take: Take
    answer: asyncio.Future[Any]


@dataclass(kw_only=True)
class Function:
    """The function of one recipe under way."""

    frame: Frame
    step: PythonStep
    task: asyncio.Task[Exception | None] | None = None
    closed: bool = False
    """Whether nothing more is done for it."""
    _asked: deque[_Request] = field(default_factory=deque)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _failures: list[StepFailed] = field(default_factory=list)
    _late: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Let it run up to its first call."""
        means = self.frame.means
        name = f"{means.job.id}.{self.frame.recipe.name}"
        self.task = means.tasks.create_task(self._caught(), name=name)
        self.task.add_done_callback(lambda _: self._news.set())

    def cancel(self) -> None:
        """Let it end: what it awaits is cancelled, and its own `finally` begins."""
        if self.task is not None:
            self.task.cancel()

    def close(self) -> None:
        """Do nothing for it any more, whatever it does."""
        self.closed = True
        self.cancel()

    async def serve(self) -> None:
        """Do what it asks for, until it ends."""
        pace, tasks = self.frame.means.pace, self.frame.means.tasks
        served: set[asyncio.Task[None]] = set()
        with pace.fork():
            try:
                while self.task is not None and not self.task.done():
                    self._news.clear()
                    while self._asked:
                        request = self._asked.popleft()
                        if request.answer.done():
                            continue  # whoever asked waits no longer
                        name = f"{self.frame.means.job.id}.{request.step.verb}"
                        task = tasks.create_task(self._one(request), name=name)
                        served.add(task)
                        task.add_done_callback(served.discard)
                    await self._news.wait()
                    await self._tell_late()
            finally:
                await self._cut(served)
        await self._tell_late()

    def failure(self) -> str:
        """Why it has ended before its end; "" where it did not."""
        if self.task is None or not self.task.done() or self.task.cancelled():
            return ""
        error = self.task.result()
        return "" if error is None else self._sentence(error)

    async def _caught(self) -> Exception | None:
        """What it raised; nothing of it may end the agent."""
        step, values = self.step, self.frame.values
        desks: dict[str, Any] = {role: DeviceAtDesk(role, self._ask) for role in step.roles}
        try:
            work = step.function(JobAtDesk(self._ask), **desks, **values)
            await watched(work, self.frame.means.clock, self._was_late, lambda: self.closed)
        except Exception as error:  # noqa: BLE001 - told by `failure`
            return error
        except SystemExit as error:
            return RuntimeError(
                Message("the recipe calls for the end of the agent: {error}", error=repr(error))
            )
        return None

    async def _ask(self, step: Step, values: dict[str, Value], take: Take) -> Any:
        if self.closed or (self.task is not None and self.task.done()):
            await asyncio.sleep(0)  # whoever does not heed this must not keep others from running
            raise asyncio.CancelledError
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked.append(_Request(step=step, values=values, take=take, answer=answer))
        self._news.set()
        return await answer

    async def _one(self, request: _Request) -> None:
        """Run one step, in values of its own; who no longer waits for it ends it."""
        here, answer = asyncio.current_task(), request.answer
        answer.add_done_callback(lambda it: here.cancel() if it.cancelled() and here else None)
        inner = self.frame.branch()
        inner.values |= request.values
        inner.is_asked = True
        found: Any = None
        error: Exception | None = None
        try:
            with self.frame.means.pace.lane():
                if isinstance(request.step, CallStep):
                    self._must_be_ours(request.step)
                await inner.run((request.step,))
                found = request.take(inner)
        except StepFailed as failed:
            self._failures.append(failed)
            cause = failed.__cause__
            error = cause if isinstance(cause, Exception) else DeviceTrouble(str(failed))
        except Exception as raised:  # noqa: BLE001 - the function is told, and it or the job ends by it
            error = raised
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(found)

    def _must_be_ours(self, step: CallStep) -> None:
        """Raise Refused for a recipe that runs already, or that needs what the job does not have."""
        means = self.frame.means
        entry = means.library.find(step.call)
        if step.call not in {*means.job.called, means.job.recipe}:
            raise Refused(
                Message(
                    "{call} is not on record with this job, as it was not known before that it is "
                    'called: write its name as a text, `job.call("{call}")`',
                    call=step.call,
                )
            )
        if step.call in {frame.recipe.name for frame in means.frames}:
            raise Refused(
                Message(
                    "{call} runs already: it can't be called by what it has called", call=step.call
                )
            )
        head = head_of(entry)
        theirs = called_devices(head, step, self.frame.devices)
        missing = sorted(head.devices.keys() - theirs.keys())
        foreign = sorted(claimed(entry, theirs, means.library) - means.job.claimed)
        if missing or foreign:
            what = (
                Message("a device for {missing}", missing=", ".join(missing))
                if missing
                else ", ".join(foreign)
            )
            raise Refused(
                Message(
                    "{call} needs {what}, which this job has not: give it a role",
                    call=step.call,
                    what=what,
                )
            )

    async def _cut(self, served: set[asyncio.Task[None]]) -> None:
        """End what is still being done for it; what it has begun at a device is stopped."""
        left = set(served)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
            if self.task is not None and self.task.done():
                await self.frame.means.hands.end_unfinished()

    def _was_late(self, seconds: float, line: int) -> None:
        place = f"{self.step.place.file}:{line}" if line else self.step.place.file
        self._late.append(
            Message(
                "{place}: has kept the agent from everything else for {seconds:.1f} s",
                place=place,
                seconds=seconds,
            )
        )
        self._news.set()

    async def _tell_late(self) -> None:
        while self._late:
            text = self._late.pop(0)
            await self.frame.means.notes.line("warning", text, text)

    def _sentence(self, error: Exception) -> str:
        """What a person is told of what it raised; the whole of it is in the log where it is a defect."""
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        for failed in self._failures:
            if failed.__cause__ is error:
                return str(failed)
        place = _place(error, self.step.place.file)
        if isinstance(error, AgentError | DriverError):
            return Message("{place}: {text}", place=place, text=str(error))
        log.error("job %s", self.frame.means.job.id, exc_info=error)
        return f"{place}: {type(error).__name__}: {error}"


async def run_python(frame: Frame, step: PythonStep, _: StepNow) -> None:
    """Run the function to its end."""
    frame.function = function = Function(frame=frame, step=step)
    function.begin()
    await function.serve()
    await _must_be_well(frame, step, function)
    if function.task is not None and function.task.cancelled():
        raise StepFailed(Message("{place}: the recipe has cancelled itself", place=step.place))


async def run_python_end(frame: Frame, step: PythonEndStep, _: StepNow) -> None:
    """Let a function end that a stop has left in the midst."""
    function = frame.function
    if function is None or function.task is None or function.task.done():
        return
    function.cancel()
    try:
        await function.serve()
    except asyncio.CancelledError:
        function.close()
        raise
    await _must_be_well(frame, step, function)


async def run_read(frame: Frame, step: ReadStep, _: StepNow) -> None:
    """Ask the device now."""
    device = frame.devices[step.read.role]
    sample = (await frame.means.hands.read(device, (step.read.name,)))[step.read.name]
    if sample.quality not in BELIEVED or sample.value is None:
        why = Message(": {reason}", reason=sample.reason) if sample.reason else ""
        raise DeviceTrouble(
            Message(
                "{device}.{name} is {quality}{why}",
                device=device,
                name=step.read.name,
                quality=sample.quality,
                why=why,
            )
        )
    frame.values[RESULT] = sample.value


async def _must_be_well(frame: Frame, step: Step, function: Function) -> None:
    if why := function.failure():
        await frame.means.notes.failed(step, why)
        raise StepFailed(why)


def _place(error: Exception, file: str) -> str:
    """The last line of the recipe's own file on the way to where an error was raised."""
    lines = [it.lineno for it in traceback.extract_tb(error.__traceback__) if it.filename == file]
    return f"{file}:{lines[-1]}" if lines else file

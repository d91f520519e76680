"""Settings and commands on one connected device: once each, to their end, with an outcome."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from agent.fleet.ends import failure, of, plain, took, unknown
from agent.fleet.flight import Asked, unheard
from agent.fleet.plan import Plan
from agent.fleet.polling import Polling
from agent.fleet.samples import Cause, Outcome, Quality, Sample, Status
from agent.fleet.sending import sending
from agent.languages.message import N_, Message, joined
from agent.store.stored_file import in_use
from drivers import Command, Driver, Setting, attempt, urgent, word
from drivers.errors import (
    AccessRefused,
    BadReply,
    ConnectFailed,
    DriverError,
    LinkClosed,
    LinkError,
    TurnTimeout,
    Unfinished,
)

T = TypeVar("T")

SAFE_WITHIN_S = 3.0  # to make safe, before that is called unconfirmed
INTERRUPT, NOT_SAFE = Message("interrupt"), Message("not confirmed safe")
MADE_SAFE = N_("{device} was made safe")
NOTHING_UNSAFE = N_("{device} has nothing to be made safe; what ran has ended")
NOT_ASKED = Message("the link was lost before anything was asked")
CANCEL_WITHIN_S, INTERRUPT_WITHIN_S = 2.0, 1.0


class Requests:
    """The acting side of one connection. `busy` is told of the command that runs, "" for none.

    Work runs in tasks of the connection, not of the caller: one who goes away changes nothing,
    and a lost link ends everything that was under way, with an unknown outcome.
    """

    def __init__(
        self,
        plan: Plan,
        driver: Driver[Any],
        polling: Polling,
        tasks: asyncio.TaskGroup,
        busy: Callable[[str], None],
        tell: Asked = unheard,
    ) -> None:
        self._tell = tell
        self._plan, self._driver, self._polling = plan, driver, polling
        self._tasks, self._busy = tasks, busy
        self._command = ""
        self._at_work: set[asyncio.Task[Any]] = set()
        """Reads, settings and commands, which a stop ends; stops themselves are not among them."""
        self._gave_way: set[asyncio.Task[Any]] = set()
        """Those that a stop has ended, not the loss of the link."""
        self._stops = 0

    async def read(self, names: tuple[str, ...]) -> Mapping[str, Sample]:
        """Read now. Raises LinkError, and BadReply for an error of the driver."""
        reading = self._begin("read", self._caught(names))
        found = await _ended(reading, LinkClosed(NOT_ASKED))
        if isinstance(found, DriverError):
            self._blame(found)
            raise found
        return found

    async def set(self, name: str, value: object) -> Outcome:
        """Write a setting and read it back."""
        setting = self._driver.readings[name]
        anytime = not isinstance(setting, Setting) or setting.anytime
        if why := self._occupied_by(anytime=anytime):
            return self._occupied(Message("{name} can't be changed", name=name), why)
        work = self._to_end(f"set {name}", lambda: self._write(name, value))
        return await self._outcome(self._begin(f"set {name}", work))

    async def do(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        """Run a command to its end or to its time-out."""
        command = self._driver.commands[name]
        if why := self._occupied_by(anytime=command.anytime):
            return self._occupied(Message("{name} can't start", name=name), why)
        work = self._to_end(name, lambda: self._perform(command, arguments))
        running = self._begin(name, work)
        if not command.anytime:
            self._command = name
            self._busy(name)
            running.add_done_callback(self._command_ended)
        return await self._outcome(running)

    def hang_up(self, why: str) -> None:
        """End the connection, so that the worker begins a new one."""
        self._polling.broken(LinkClosed(why))

    async def stop(self) -> Outcome:
        """Interrupt, end all that is under way, make safe, and say what was confirmed."""
        return await self._outcome(self._task("stop", self._to_end("stop", self._stop)))

    def _begin(self, what: str, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        task = self._task(what, work)
        if isinstance(task, asyncio.Task):
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)
        return task

    def _task(self, what: str, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Have it done by a task of the connection. One that is ending takes none: it is cancelled."""
        try:
            return self._tasks.create_task(work, name=f"{self._plan.name}.{what}")
        except RuntimeError:
            work.close()
            never: asyncio.Future[T] = asyncio.get_running_loop().create_future()
            never.cancel()
            return never

    async def _outcome(self, task: asyncio.Future[Outcome]) -> Outcome:
        why = of(self._plan.name, Message("the link was lost before anything was sent"))
        return await _ended(task, Outcome(status=Status.FAILED, message=why, cause=Cause.NOT_SENT))

    async def _to_end(self, what: str, work: Callable[[], Coroutine[Any, Any, Outcome]]) -> Outcome:
        """Turn every ending into an outcome: the task ends either way, so nothing is held up."""
        label = f"{self._plan.name}: {what}"
        try:
            sending()
            return await work()
        except asyncio.CancelledError:
            if asyncio.current_task() not in self._gave_way:
                return unknown(Message("{what} was under way when the link was lost", what=label))
            return Outcome(
                status=Status.UNKNOWN,
                message=Message(
                    "{what} was stopped before its end, and a part of it may have been done: "
                    "look at the device before going on",
                    what=label,
                ),
            )
        except DriverError as error:
            self._blame(error)
            return failure(label, error)
        except Exception as error:  # noqa: BLE001 - a driver's own bug is reported, not spread
            return unknown(Message("{what} ended with {error}", what=label, error=_defect(error)))

    async def _caught(self, names: tuple[str, ...]) -> Mapping[str, Sample] | DriverError:
        """The samples or the error, as a value: a task of the connection must not fail for a request."""
        try:
            return await self._polling.read(names)
        except DriverError as error:
            return error
        except asyncio.CancelledError:
            if asyncio.current_task() in self._gave_way:
                return TurnTimeout(Message("the device was stopped, and the reading gave way"))
            return LinkClosed(Message("the link was lost"))
        except Exception as error:  # noqa: BLE001 - a driver's own bug is reported, not spread
            return BadReply(Message("the reading ended with {error}", error=_defect(error)))

    async def _write(self, name: str, value: object) -> Outcome:
        self._tell(f"set {name} {json.dumps(value, default=str)}")
        await getattr(self._driver, name).write(value)
        sent = f"{self._plan.name}.{name}"
        try:
            sample = (await self._polling.read([name]))[name]
        except DriverError as error:
            self._blame(error)
            text = N_("{what} was sent, but can't be read back: {error}")
            return unknown(Message(text, what=sent, error=str(error)))
        if sample.quality in {Quality.BAD, Quality.STALE}:  # a stale one is from before the write
            text = N_("{what} was sent, but reads {reason}")
            return unknown(Message(text, what=sent, reason=sample.reason))
        if not took(word(value), sample.value):
            message = Message(
                "{what}: the device holds {found}, not {value}: "
                "it took the nearest value it can, or something else sets it too",
                what=sent,
                found=sample.value,
                value=word(value),
            )
            return Outcome(status=Status.FAILED, message=message, value=sample.value)
        return Outcome(status=Status.DONE, value=sample.value)

    async def _perform(
        self, command: Command[Any, ..., Any], arguments: Mapping[str, object]
    ) -> Outcome:
        self._tell(f"do {command.name} {json.dumps(dict(arguments), default=str)}")
        with attempt() as tried, in_use(arguments.values()):
            try:
                async with asyncio.timeout(command.timeout):
                    result = await command.method(self._driver, **arguments)
            except TimeoutError:
                late = _late(command.name, command.timeout)
                return unknown(of(self._plan.name, late))
            except (AccessRefused, LinkError, BadReply, Unfinished) as error:
                if not (tried.sent or error.sent):
                    raise
                self._blame(error)  # a part of it may have been done before
                return unknown(of(f"{self._plan.name}: {command.name}", str(error)))
        try:
            await self._polling.refresh()
        except DriverError as error:  # the command was done all the same
            self._blame(error)
        return Outcome(status=Status.DONE, value=plain(result))

    async def _stop(self) -> Outcome:
        self._stops += 1
        self._tell("stop")
        try:
            with urgent():
                doubts = [
                    await self._doubt(INTERRUPT, self._driver.interrupt(), INTERRUPT_WITHIN_S),
                    await self._end_work(),
                    await self._doubt(NOT_SAFE, self._driver.make_safe(), SAFE_WITHIN_S),
                ]
        finally:
            self._stops -= 1
        if trouble := joined(doubts):
            return unknown(of(self._plan.name, trouble))
        settles = type(self._driver).make_safe is not Driver.make_safe
        did = MADE_SAFE if settles else NOTHING_UNSAFE
        text = Message(did, device=self._plan.name)
        return Outcome(status=Status.DONE, message=text, is_settling=settles)

    async def _end_work(self) -> str:
        """End all that is under way or waits for its turn; "" unless something goes on all the same."""
        ending = set(self._at_work)
        self._gave_way |= ending
        for task in ending:
            task.add_done_callback(self._gave_way.discard)
            task.cancel()
        if ending:
            await asyncio.wait(ending, timeout=CANCEL_WITHIN_S)
        late = sorted(task.get_name() for task in ending if not task.done())
        return _late(", ".join(late), CANCEL_WITHIN_S) if late else ""

    async def _doubt(self, what: str, work: Coroutine[Any, Any, None], seconds: float) -> str:
        """Why this part of a stop is in doubt, "" where it is not: the next part follows either way."""
        try:
            async with asyncio.timeout(seconds):
                await work
        except TimeoutError:
            return Message("{what} within {seconds:g} s", what=what, seconds=seconds)
        except DriverError as error:
            if what is not INTERRUPT:  # a connection that ends would end the stop as well
                self._blame(error)
            return of(what, str(error))
        except Exception as error:  # noqa: BLE001 - a driver's own bug must not end the stop half way
            return of(what, _defect(error))
        return ""

    def _command_ended(self, _: object) -> None:
        self._command = ""
        self._busy("")

    def _occupied_by(self, *, anytime: bool) -> str:
        """What has to end before this may begin; "" for nothing."""
        if self._stops:
            return Message("it is being stopped")
        busy = self._command and not anytime
        return Message("{command} runs", command=self._command) if busy else ""

    def _occupied(self, what: str, why: str) -> Outcome:
        return Outcome(
            status=Status.REFUSED,
            message=Message(
                "{device}: {what} while {why}; wait for its end or stop it",
                device=self._plan.name,
                what=what,
                why=why,
            ),
            cause=Cause.BUSY,
        )

    def _blame(self, error: DriverError) -> None:
        """A request that finds the link gone ends the connection for all."""
        if isinstance(error, LinkClosed | ConnectFailed):
            self._polling.broken(error)


async def _ended(task: asyncio.Future[T], otherwise: T) -> T:
    """The task's result, for a caller who may go away; `otherwise` where it never began.

    A task that is cancelled in the turn of the loop in which it was made has no say in its result.
    """
    await asyncio.wait([task])
    return otherwise if task.cancelled() else task.result()


def _late(what: str, seconds: float) -> Message:
    return Message("{what} had not ended after {seconds:g} s", what=what, seconds=seconds)


def _defect(error: Exception) -> Message:
    return Message("an error of the driver, {error}", error=repr(error))

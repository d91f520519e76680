"""Settings and commands on one connected device: once each, to their end, with an outcome."""

import asyncio
import math
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from agent.fleet.plan import Plan
from agent.fleet.polling import Polling
from agent.fleet.samples import Cause, Outcome, Quality, Result, Sample, Status
from drivers import Command, Driver, Setting, word
from drivers.errors import (
    BadReply,
    ConnectFailed,
    DriverError,
    LinkClosed,
    LinkError,
    RequestError,
)

SAFE_WITHIN_S = 3.0
"""How long making safe may take before it is called unconfirmed."""
CANCEL_WITHIN_S = 2.0
ROUNDING: Final = 0.01
"""How far a value read back may be from the one that was set, as a part of it."""


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
    ) -> None:
        self._plan, self._driver, self._polling = plan, driver, polling
        self._tasks, self._busy = tasks, busy
        self._command = ""
        self._running: asyncio.Task[Outcome] | None = None
        self._stopped = False

    async def read(self, names: tuple[str, ...]) -> Mapping[str, Sample]:
        """Read now. Raises LinkError."""
        reading = self._tasks.create_task(
            _caught(self._polling.read(names)), name=f"{self._plan.name}.read"
        )
        found = await asyncio.shield(reading)
        if isinstance(found, DriverError):
            self._blame(found)
            raise found
        return found

    async def set(self, name: str, value: object) -> Outcome:
        """Write a setting and read it back."""
        setting = self._driver.readings[name]
        if self._command and isinstance(setting, Setting) and not setting.anytime:
            return self._occupied(f"{name} can't be changed")
        return await asyncio.shield(self._start(f"set {name}", self._write(name, value)))

    async def do(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        """Run a command to its end or to its time-out."""
        command = self._driver.commands[name]
        if command.anytime:
            return await asyncio.shield(self._start(name, self._perform(command, arguments)))
        if self._command:
            return self._occupied(f"{name} can't start")
        self._command = name
        self._busy(name)
        self._running = self._start(name, self._perform(command, arguments))
        self._running.add_done_callback(self._command_ended)
        return await asyncio.shield(self._running)

    def hang_up(self, why: str) -> None:
        """End the connection, so that the worker begins a new one."""
        self._polling.broken(LinkClosed(why))

    async def stop(self) -> Outcome:
        """Interrupt, end the command that runs, make safe, and say what was confirmed."""
        return await asyncio.shield(self._start("stop", self._stop()))

    def _start(self, what: str, work: Coroutine[Any, Any, Outcome]) -> asyncio.Task[Outcome]:
        return self._tasks.create_task(self._to_end(what, work), name=f"{self._plan.name}.{what}")

    async def _to_end(self, what: str, work: Coroutine[Any, Any, Outcome]) -> Outcome:
        """Turn every ending into an outcome: the task ends either way, so nothing is held up."""
        label = f"{self._plan.name}: {what}"
        try:
            return await work
        except asyncio.CancelledError:
            if self._stopped:
                return Outcome(status=Status.FAILED, message=f"{label} was stopped")
            return _unknown(f"{label} was under way when the link was lost")
        except DriverError as error:
            self._blame(error)
            return _failure(label, error)
        except Exception as error:  # noqa: BLE001 - a driver's own bug is reported, not spread
            return _unknown(f"{label} ended with an error of the driver, {error!r}")

    async def _write(self, name: str, value: object) -> Outcome:
        await getattr(self._driver, name).write(value)
        sample = (await self._polling.read([name]))[name]
        if sample.quality is Quality.BAD:
            return _unknown(f"{self._plan.name}.{name} was sent, but reads {sample.reason}")
        if not _took(word(value), sample.value):
            message = (
                f"{self._plan.name}.{name}: the device holds {sample.value}, not {word(value)}: "
                "it took the nearest value it can, or something else sets it too"
            )
            return Outcome(status=Status.FAILED, message=message, value=sample.value)
        return Outcome(status=Status.DONE, value=sample.value)

    async def _perform(
        self, command: Command[Any, ..., Any], arguments: Mapping[str, object]
    ) -> Outcome:
        try:
            async with asyncio.timeout(command.timeout):
                result = await command.method(self._driver, **arguments)
        except TimeoutError:
            return _unknown(
                f"{self._plan.name}: {command.name} had not ended after {command.timeout:g} s"
            )
        except (LinkError, BadReply) as error:  # a part of it may have been done before
            self._blame(error)
            return _unknown(f"{self._plan.name}: {command.name}: {error}")
        try:
            await self._polling.refresh()
        except DriverError as error:  # the command was done all the same
            self._blame(error)
        return Outcome(status=Status.DONE, value=_plain(result))

    async def _stop(self) -> Outcome:
        self._stopped = True
        trouble = []
        try:
            await self._driver.interrupt()
        except DriverError as error:
            trouble.append(f"interrupt: {error}")
        if self._running is not None and not self._running.done():
            self._running.cancel()
            await asyncio.wait([self._running], timeout=CANCEL_WITHIN_S)
        try:
            async with asyncio.timeout(SAFE_WITHIN_S):
                await self._driver.make_safe()
        except TimeoutError:
            trouble.append(f"not confirmed safe within {SAFE_WITHIN_S:g} s")
        except DriverError as error:
            self._blame(error)
            trouble.append(f"not confirmed safe: {error}")
        self._stopped = False
        if trouble:
            return _unknown(f"{self._plan.name}: {'; '.join(trouble)}")
        return Outcome(status=Status.DONE, message=f"{self._plan.name} was made safe")

    def _command_ended(self, _: object) -> None:
        self._command, self._running = "", None
        self._busy("")

    def _occupied(self, what: str) -> Outcome:
        return Outcome(
            status=Status.REFUSED,
            message=f"{self._plan.name}: {what} while {self._command} runs; wait for its end or stop it",
            cause=Cause.BUSY,
        )

    def _blame(self, error: DriverError) -> None:
        """A request that finds the link gone ends the connection for all."""
        if isinstance(error, LinkClosed | ConnectFailed):
            self._polling.broken(error)


async def _caught(
    reading: Coroutine[Any, Any, Mapping[str, Sample]],
) -> Mapping[str, Sample] | DriverError:
    """The samples or the error, as a value: a task of the connection must not fail for a request."""
    try:
        return await reading
    except DriverError as error:
        return error
    except asyncio.CancelledError:
        return LinkClosed("the link was lost")


def _failure(label: str, error: DriverError) -> Outcome:
    match error:
        case RequestError():
            return Outcome(
                status=Status.REFUSED, message=f"{label}: {error}", cause=Cause.of(error)
            )
        case LinkError() if not error.sent:
            return Outcome(
                status=Status.FAILED,
                message=f"{label}: {error}; nothing was sent",
                cause=Cause.NOT_SENT,
            )
        case LinkError() | BadReply():
            return _unknown(f"{label}: {error}")
    return Outcome(status=Status.FAILED, message=f"{label}: {error}")


def _unknown(what: str) -> Outcome:
    return Outcome(
        status=Status.UNKNOWN,
        message=f"{what}; whether it was done is unknown: look at the device before going on",
    )


def _took(asked: Any, found: Any) -> bool:
    """Whether a value read back is the one that was set, but for the device's own rounding."""
    if isinstance(asked, bool) or not isinstance(asked, int | float):
        return bool(asked == found)
    return math.isclose(asked, found, rel_tol=ROUNDING, abs_tol=ROUNDING / 10)


def _plain(result: Any) -> Result:
    if isinstance(result, Mapping):
        return {str(name): word(value) for name, value in result.items()}
    plain: Result = word(result)
    return plain

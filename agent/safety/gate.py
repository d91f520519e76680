"""The one door: every setting and command, from a person or a program, passes here.

The order is always the same: does the device have it, who asks and may they, is the value
allowed, does the device belong to a job, do the interlocks hold, is it known what became of the
command before; then the intent goes on record, and only when that is on the disk has the device's
own worker its turn. Whatever the end, the record and an event tell of it. A stop asks nothing and
waits for no disk.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from agent.errors import AgentError
from agent.fleet.device import DeviceWorker
from agent.fleet.events import EventLog, Severity
from agent.fleet.samples import Cause, Outcome, Status
from agent.roles import Actor, refusal
from agent.safety.record import Record
from agent.safety.reservations import Reservations
from drivers import Driver, Role, TextFile, word
from drivers.errors import RequestError

log = logging.getLogger("labkeeper")

SEVERITY = {
    Status.DONE: Severity.INFO,
    Status.REFUSED: Severity.WARNING,
    Status.FAILED: Severity.ERROR,
    Status.UNKNOWN: Severity.ERROR,
}


class Files(Protocol):
    """Where the files are that a command may be given by name."""

    async def named(self, name: str) -> TextFile:
        """Return the file, or raise a RequestError."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for: `after` is the value, or the arguments by name, for the record.

    `value` is what a setting shall be, and `stops` how often the device had been stopped before.
    """

    actor: Actor
    verb: str
    target: str
    after: Any
    value: object
    stops: int


class Interlocked(Protocol):
    """What may keep something from being done because of how things are."""

    def refusal(self, device: str, name: str, value: object) -> str:
        """Why a setting may not be changed to this value, or a command not begin; "" when it may."""
        ...


class Gate:
    """Settings and commands of all devices. Stop passes it too, but nothing here can refuse it."""

    def __init__(
        self,
        workers: Mapping[str, DeviceWorker],
        files: Files,
        events: EventLog,
        interlocks: Interlocked,
        reservations: Reservations,
        record: Record,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._workers, self._files, self._events = workers, files, events
        self._interlocks, self._reservations = interlocks, reservations
        self._record, self._tasks = record, tasks
        self._stops: Counter[str] = Counter()
        self._under_way: dict[str, dict[asyncio.Task[Outcome], int]] = {}
        """What is under way on a device, and how often it had been stopped when that was asked."""
        self._stop_records: dict[str, set[asyncio.Task[None]]] = {}

    async def set(self, actor: Actor, device: str, name: str, value: object) -> Outcome:
        """Change a setting, if this actor may, and return how that ended."""
        target = f"{device}.{name}"
        worker = self._workers.get(device)
        if worker is None:
            return self._told(actor, "set", target, self._no_such(device))
        driver, stops = worker.plan.driver_class, self._stops[device]
        setting = driver.settings().get(name)
        if setting and (why := refusal(actor, setting.role, f"setting {target}")):
            return self._told(actor, "set", target, _refused(why, Cause.NOT_ALLOWED))
        try:
            checked = driver.check_setting(worker.plan.limits, name, value)
        except RequestError as error:
            refused = _refused(f"{device}.{error}", Cause.of(error))
            return self._told(actor, "set", target, refused)
        if refused_now := self._refused_now(actor, device, name, checked):
            return self._told(actor, "set", target, refused_now)
        asked = Asked(actor, "set", target, word(checked), checked, stops)
        outcome = await self._recorded(asked, lambda: worker.set(name, checked))
        return self._told(actor, "set", target, outcome, _spelled(value))

    async def do(
        self, actor: Actor, device: str, name: str, arguments: Mapping[str, object]
    ) -> Outcome:
        """Run a command, if this actor may, and return how that ended."""
        target = f"{device}.{name}"
        worker = self._workers.get(device)
        if worker is None:
            return self._told(actor, "do", target, self._no_such(device))
        driver, stops = worker.plan.driver_class, self._stops[device]
        command = driver.commands.get(name)
        if command and (why := refusal(actor, command.role, target)):
            return self._told(actor, "do", target, _refused(why, Cause.NOT_ALLOWED))
        try:
            found = await self._with_files(driver, name, arguments)
            checked = driver.check_arguments(worker.plan.limits, name, found)
        except RequestError as error:
            cause = Cause.BAD_VALUE if name in driver.commands else Cause.NO_SUCH
            return self._told(actor, "do", target, _refused(f"{device}: {error}", cause))
        if refused_now := self._refused_now(actor, device, name, None):
            return self._told(actor, "do", target, refused_now)
        asked = Asked(actor, "do", target, dict(arguments), None, stops)
        outcome = await self._recorded(asked, lambda: worker.do(name, checked))
        return self._told(actor, "do", target, outcome, _shown(arguments))

    async def stop(self, actor: Actor, device: str) -> Outcome:
        """Interrupt a device and make it safe. Needs no role beyond being there."""
        worker = self._workers.get(device)
        if worker is None:
            return self._told(actor, "stop", device, self._no_such(device))
        self._stops[device] += 1
        self._reservations.stopping(actor, device)
        number = self._stops[device]
        outcome = await worker.stop()
        recording = self._stopped(actor, device, number, outcome)
        task = self._tasks.create_task(recording, name=f"{device}.stop.record")
        records = self._stop_records.setdefault(device, set())
        records.add(task)
        task.add_done_callback(records.discard)
        return self._told(actor, "stop", device, outcome)

    async def settle(self, actor: Actor, device: str, reason: str) -> Outcome:
        """Take a person's word for what became of commands whose outcome is unknown."""
        if device not in self._workers:
            return self._told(actor, "settle", device, self._no_such(device))
        if why := refusal(actor, Role.TECHNICIAN, f"settling {device}"):
            return self._told(actor, "settle", device, _refused(why, Cause.NOT_ALLOWED))
        try:
            count = await self._record.settle(actor, device, reason)
        except AgentError as error:
            return self._told(actor, "settle", device, _unrecorded(error))
        text = f"{device}: {count} settled" if count else f"{device} has nothing to settle"
        outcome = Outcome(status=Status.DONE, message=text)
        return self._told(actor, "settle", device, outcome, reason)

    async def _recorded(
        self, asked: Asked, work: Callable[[], Coroutine[Any, Any, Outcome]]
    ) -> Outcome:
        """Have it done between two entries of the record. A caller who goes away hastens nothing."""
        device = asked.target.partition(".")[0]
        carrying = self._carry_out(asked, device, work)
        task = self._tasks.create_task(carrying, name=f"{asked.target}.record")
        under_way = self._under_way.setdefault(device, {})
        under_way[task] = asked.stops
        task.add_done_callback(under_way.pop)
        await asyncio.wait([task])
        return task.result()

    async def _carry_out(
        self, asked: Asked, device: str, work: Callable[[], Coroutine[Any, Any, Outcome]]
    ) -> Outcome:
        """Have it done, whatever happens: this is a task of the station, which must not end by it."""
        try:
            return await self._between_records(asked, device, work)
        except AgentError as error:
            return _unrecorded(error)
        except Exception as error:
            log.exception("carrying out %s", asked.target)
            return _defect(asked, error)

    async def _between_records(
        self, asked: Asked, device: str, work: Callable[[], Coroutine[Any, Any, Outcome]]
    ) -> Outcome:
        if self._stops[device] == asked.stops and (records := self._stop_records.get(device)):
            await asyncio.wait(set(records))  # what a stop settles is settled by then
        if asked.value is not False and (why := await self._record.blocked(device)):
            return _refused(why, Cause.BLOCKED)
        intent = await self._record.intend(asked.actor, asked.verb, asked.target, asked.after)
        try:
            outcome = self._refused_meanwhile(asked, device) or await work()
        except Exception as error:
            log.exception("carrying out %s", asked.target)
            outcome = _defect(asked, error)
        await self._record.ended(intent, outcome)
        return outcome

    def _refused_meanwhile(self, asked: Asked, device: str) -> Outcome | None:
        """Why it is not sent any more: what a file and the disk were waited for has changed things."""
        if self._stops[device] != asked.stops:
            text = f"{device} was stopped before anything was sent for {asked.target}"
            return _refused(f"{text}; ask again if it is still wanted", Cause.BUSY)
        if asked.value is not False and (why := self._record.doubted(device)):
            return _refused(why, Cause.BLOCKED)
        name = asked.target.partition(".")[2]
        return self._refused_now(asked.actor, device, name, asked.value)

    async def _stopped(self, actor: Actor, device: str, number: int, outcome: Outcome) -> None:
        """Record a stop when all that was asked before it is on record."""
        under_way = self._under_way.get(device, {})
        if ended := [task for task, stops in under_way.items() if stops < number]:
            await asyncio.wait(ended)
        try:
            await self._record.stopped(actor, device, outcome)
        except Exception:
            log.exception("recording the stop of %s", device)

    def _refused_now(self, actor: Actor, device: str, name: str, value: object) -> Outcome | None:
        """The refusal by how things are at this moment. Nothing may be awaited after it."""
        if why := self._reservations.refusal(actor, device):
            return _refused(why, Cause.RESERVED)
        if why := self._interlocks.refusal(device, name, value):
            return _refused(why, Cause.INTERLOCKED)
        return None

    async def _with_files(
        self, driver: type[Driver[Any]], command: str, arguments: Mapping[str, object]
    ) -> dict[str, object]:
        """Put the files themselves where a caller gave their names."""
        found = dict(arguments)
        if command in driver.commands:
            for parameter in driver.commands[command].parameters:
                name = found.get(parameter.name)
                if parameter.form.kind == "file" and isinstance(name, str):
                    found[parameter.name] = await self._files.named(name)
        return found

    def _no_such(self, device: str) -> Outcome:
        known = ", ".join(sorted(self._workers)) or "none"
        return _refused(f"no device is called {device}; devices: {known}", Cause.NO_SUCH)

    def _told(
        self, actor: Actor, verb: str, target: str, outcome: Outcome, value: str = ""
    ) -> Outcome:
        """Record the request and its end as one event."""
        device = target.partition(".")[0]
        shown = f" {value}" if value else ""
        ending = f": {outcome.message}" if outcome.message else ""
        self._events.add(
            f"{verb}.{outcome.status}",
            f"{actor.name} ({actor.origin}) {verb} {target}{shown}: {outcome.status}{ending}",
            device=device if device in self._workers else "",
            severity=SEVERITY[outcome.status],
            actor=actor.name,
            origin=actor.origin,
            target=target,
        )
        return outcome


def _refused(why: str, cause: Cause) -> Outcome:
    return Outcome(status=Status.REFUSED, message=why, cause=cause)


def _defect(asked: Asked, error: Exception) -> Outcome:
    text = f"{asked.target}: an error of the agent, {error!r}; whether it was done is unknown"
    return Outcome(status=Status.UNKNOWN, message=f"{text}: look at the device before going on")


def _unrecorded(error: AgentError) -> Outcome:
    text = f"{error}; nothing was sent: what is not on record is not done"
    return Outcome(status=Status.FAILED, message=text, cause=Cause.NOT_RECORDED)


def _shown(arguments: Mapping[str, object]) -> str:
    return " ".join(f"{name}={_spelled(value)}" for name, value in arguments.items())


def _spelled(value: object) -> str:
    """A value as a person writes it: on and off, and numbers without a needless .0."""
    match value:
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:.10g}"
    return str(value)

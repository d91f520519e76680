"""The one door: every setting and command, from a person or a program, passes here.

The order is always the same: does the device have it, who asks and may they, is the value
allowed, does the device belong to a job, do the interlocks hold, is a printer's plate clear, is it
known what became of the command before; then the intent goes on record, and only when that is on
the disk has the device's own worker its turn. Whatever the end, the record and an event tell of it.
A stop asks nothing and waits for no disk.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from agent.clock import Clock
from agent.errors import AgentError
from agent.fleet.device import DeviceWorker
from agent.fleet.ends import of
from agent.fleet.events import EventLog, Severity
from agent.fleet.samples import Cause, Outcome, Status
from agent.languages.message import Message
from agent.languages.words import term
from agent.roles import Actor, refusal
from agent.safety.doubts import Doubt
from agent.safety.passage import Asked, Passage, refused
from agent.safety.prints import Prints
from agent.safety.record import Record
from agent.safety.reservations import Reservations
from agent.safety.stops import ANSWERED_WITHIN_S, LastStop, Stops, still_trying
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
        *,
        clock: Clock,
    ) -> None:
        self._workers, self._files, self._events = workers, files, events
        self._interlocks, self._reservations = interlocks, reservations
        self._record, self._clock = record, clock
        self._passage = Passage(record, self._refused_of, tasks, clock)
        self._stops = Stops(tasks, clock)
        self.prints = Prints(self._passage.through, self._put_down, tasks)
        """The way of what a device shall do; it keeps prints from plates that are not clear."""

    @property
    def doubts(self) -> Mapping[str, tuple[Doubt, ...]]:
        """What is not known, by device; some of these may have left the config."""
        return self._record.doubts

    @property
    def stops_under_way(self) -> Collection[asyncio.Task[Outcome]]:
        """The stops that have not ended yet."""
        return self._stops.under_way

    async def end_of_stops(self, device: str, within: float | None = None) -> None:
        """Wait for the stops of a device that are under way, whoever has asked for them.

        For so many seconds at most, or to their end.
        """
        await self._stops.end_of(device, within)

    def last_stop(self, device: str) -> LastStop:
        """How the last stop of a device stands, since the agent began."""
        return self._stops.last(device)

    def is_stop_due(self, device: str) -> bool:
        """Whether a stop is about to reach the device: no other one need be asked for now."""
        return self._stops.is_due(device)

    async def set(self, actor: Actor, device: str, name: str, value: object) -> Outcome:
        """Change a setting, if this actor may, and return how that ended."""
        asked = Asked(actor, "set", f"{device}.{name}", value, *self._begun(device))
        worker = self._workers.get(device)
        if worker is None:
            return self._turned_away(asked, self._no_such(device))
        driver = worker.plan.driver_class
        setting = driver.settings().get(name)
        if setting and (
            why := refusal(actor, setting.role, Message("setting {target}", target=asked.target))
        ):
            return self._turned_away(asked, refused(why, Cause.NOT_ALLOWED))
        try:
            checked = driver.check_setting(worker.plan.limits, name, value)
        except RequestError as error:
            return self._turned_away(
                asked,
                refused(
                    Message("{device}.{error}", device=device, error=str(error)), Cause.of(error)
                ),
            )
        asked = replace(asked, after=word(checked), value=checked)
        if refused_now := self._refused_of(asked):
            return self._turned_away(asked, refused_now)
        outcome = await self._passage.through(asked, lambda: worker.set(name, checked))
        return self._told(actor, "set", asked.target, outcome, _spelled(value))

    async def do(
        self, actor: Actor, device: str, name: str, arguments: Mapping[str, object]
    ) -> Outcome:
        """Run a command, if this actor may, and return how that ended."""
        asked = Asked(actor, "do", f"{device}.{name}", dict(arguments), *self._begun(device))
        worker = self._workers.get(device)
        if worker is None:
            return self._turned_away(asked, self._no_such(device))
        driver = worker.plan.driver_class
        command = driver.commands.get(name)
        if command and (why := refusal(actor, command.role, asked.target)):
            return self._turned_away(asked, refused(why, Cause.NOT_ALLOWED))
        try:
            found = await self._with_files(driver, name, arguments)
            checked = driver.check_arguments(worker.plan.limits, name, found)
        except RequestError as error:
            cause = Cause.BAD_VALUE if name in driver.commands else Cause.NO_SUCH
            return self._turned_away(asked, refused(of(device, str(error)), cause))
        if refused_now := self._refused_of(asked):
            return self._turned_away(asked, refused_now)
        outcome = await self.prints.through(asked, driver, lambda: worker.do(name, checked))
        return self._told(actor, "do", asked.target, outcome, _shown(arguments))

    async def stop(self, actor: Actor, device: str) -> Outcome:
        """Interrupt a device and make it safe. Needs no role beyond being there.

        It is made to its end and put on record, also where the caller goes away.
        """
        if device not in self._workers:
            return self._told(actor, "stop", device, self._no_such(device))
        return await self._stops.through(device, partial(self._stop_guarded, actor, device))

    async def stop_soon(self, actor: Actor, device: str) -> Outcome:
        """The same, for who needs an answer within a second: it may be that it is still being tried."""
        try:
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                return await self.stop(actor, device)
        except TimeoutError:
            return still_trying(device)

    async def _stop_guarded(self, actor: Actor, device: str) -> Outcome:
        """Stop it, whatever happens: this is a task of the station, which must not end by it."""
        try:
            return await self._stop(actor, device)
        except Exception as error:
            log.exception("stopping %s", device)
            text = Message(
                "{device}: stop ended with a defect, {error}", device=device, error=repr(error)
            )
            outcome = Outcome(status=Status.UNKNOWN, message=text)
            return self._told(actor, "stop", device, outcome)

    async def _stop(self, actor: Actor, device: str) -> Outcome:
        worker = self._workers.get(device)
        if worker is None:
            return self._told(actor, "stop", device, self._no_such(device))
        at = self._clock.monotonic()
        self._passage.stops[device] += 1
        number = self._passage.stops[device]
        self._reservations.stopping(actor, device)
        outcome = await worker.stop()
        self._passage.stopped(actor, device, number, outcome, at)
        return self._told(actor, "stop", device, outcome)

    async def settle(self, actor: Actor, device: str, reason: str) -> Outcome:
        """Take a person's word for what became of what nobody knows, also of a device that is gone."""
        if device not in self._workers and device not in self.doubts:
            return self._told(actor, "settle", device, self._no_such(device))
        if why := refusal(actor, Role.TECHNICIAN, Message("settling {device}", device=device)):
            return self._told(actor, "settle", device, refused(why, Cause.NOT_ALLOWED))
        try:
            count = await self._record.settle(actor, device, reason)
        except AgentError as error:
            text = Message("{error}; {device} stays as it is", error=str(error), device=device)
            outcome = Outcome(status=Status.FAILED, message=text, cause=Cause.NOT_RECORDED)
            return self._told(actor, "settle", device, outcome)
        text = (
            Message("{device}: {count} settled", device=device, count=count)
            if count
            else Message("{device} has nothing to settle", device=device)
        )
        outcome = Outcome(status=Status.DONE, message=text)
        return self._told(actor, "settle", device, outcome, reason)

    def _begun(self, device: str) -> tuple[int, float]:
        """How often the device has been stopped by now, and when that is."""
        return self._passage.stops[device], self._clock.monotonic()

    def _refused_of(self, asked: Asked) -> Outcome | None:
        name = asked.target.partition(".")[2]
        return self._refused_now(asked.actor, asked.device, name, asked.value)

    def _refused_now(self, actor: Actor, device: str, name: str, value: object) -> Outcome | None:
        """The refusal by how things are at this moment. Nothing may be awaited after it."""
        if why := self._reservations.refusal(actor, device):
            return refused(why, Cause.RESERVED)
        if why := self._interlocks.refusal(device, name, value):
            return refused(why, Cause.INTERLOCKED)
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
        known = ", ".join(sorted(self._workers)) or Message("none")
        return refused(
            Message("no device is called {device}; devices: {known}", device=device, known=known),
            Cause.NO_SUCH,
        )

    def _turned_away(self, asked: Asked, outcome: Outcome) -> Outcome:
        self._put_down(asked, outcome.message)
        return self._told(asked.actor, asked.verb, asked.target, outcome)

    def _put_down(self, asked: Asked, why: str) -> None:
        """Record what was refused before there was an intent. Nobody waits for the disk."""
        self._record.refused(asked.actor, asked.verb, asked.target, asked.after, why)

    def _told(
        self, actor: Actor, verb: str, target: str, outcome: Outcome, value: str = ""
    ) -> Outcome:
        """Record the request and its end as one event."""
        device = target.partition(".")[0]
        asked = f"{target} {value}" if value else target
        text = Message(
            "{name} ({origin}) {verb} {target}: {status}",
            name=actor.name,
            origin=actor.origin,
            verb=term(verb),
            target=asked,
            status=outcome.status,
        )
        self._events.add(
            f"{verb}.{outcome.status}",
            of(text, outcome.message) if outcome.message else text,
            device=device if device in self._workers else "",
            severity=SEVERITY[outcome.status],
            actor=actor.name,
            origin=actor.origin,
            target=target,
        )
        return outcome


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

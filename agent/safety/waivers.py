"""Unattended starts: refused where an output has no cover, unless an engineer has waived that."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

from agent.clock import Clock
from agent.errors import AgentError, NotAllowed, Refused, UnknownDevice
from agent.fleet.device import DeviceWorker
from agent.fleet.ends import of
from agent.fleet.events import EventLog, Severity
from agent.languages.message import Message
from agent.roles import Actor, refusal
from agent.safety.record import Record
from agent.store.database import Database
from agent.store.waivers import WAIVE, Waiver, waived
from drivers import Role

UNATTENDED: Final = frozenset({"schedule", "mqtt"})
"""Origins of starts that nobody stands beside."""
LONGEST: Final = timedelta(days=366)


class Waivers:
    """Who may start jobs unattended with which devices. What is waived is in the ledger."""

    def __init__(
        self,
        record: Record,
        workers: Mapping[str, DeviceWorker],
        clock: Clock,
        events: EventLog,
    ) -> None:
        self._record, self._workers = record, workers
        self._clock, self._events = clock, events
        self._waivers: dict[str, Waiver] = {}

    async def begin(self, database: Database) -> None:
        """Take over what the ledger has. Until it is read, and where it can't be, nothing is waived."""
        try:
            found = await database.read(waived, "the waivers")
        except AgentError as error:
            text = Message("no waiver counts: {error}", error=str(error))
            self._events.add("waiver.unread", text, severity=Severity.ERROR)
        else:
            self._waivers = {**found, **self._waivers}  # what was waived meanwhile is younger

    @property
    def in_force(self) -> tuple[Waiver, ...]:
        """Those that count today, by device."""
        return tuple(it for _, it in sorted(self._waivers.items()) if self._counts(it))

    async def waive(self, actor: Actor, device: str, reason: str, until: str) -> Waiver:
        """Allow unattended starts with this device up to a day, such as 2026-12-31.

        Raises:
            UnknownDevice: There is none of this name.
            NotAllowed: It takes an engineer.
            Refused: The day is none, or over, or too far away.
            NotRecorded: The disk does not take it, and so it does not count.
        """
        if device not in self._workers:
            raise UnknownDevice(Message("no device is called {device}", device=device))
        if why := refusal(actor, Role.ENGINEER, Message("a waiver for {device}", device=device)):
            raise NotAllowed(why)
        last, today = _day(until), self._today()
        if not today <= last <= today + LONGEST:
            raise Refused(
                Message(
                    "until {until}: give a day from today, {today}, and within a year",
                    until=until,
                    today=today,
                )
            )
        waiver = Waiver(
            device=device,
            by=actor.name,
            reason=reason,
            until=last.isoformat(),
            since=datetime.fromtimestamp(self._clock.utc(), UTC).isoformat(timespec="milliseconds"),
        )
        await self._record.noted(actor, WAIVE, device, reason, after={"until": waiver.until})
        self._waivers[device] = waiver
        text = Message(
            "{name} ({origin}) waives the cover of {device} until {until}",
            name=actor.name,
            origin=actor.origin,
            device=device,
            until=waiver.until,
        )
        self._events.add(
            "waiver.recorded", of(text, reason), device=device, severity=Severity.WARNING
        )
        return waiver

    def refusal(self, actor: Actor, what: str, devices: Iterable[str]) -> str:
        """Why this start is refused; "" when it is not. An attended one is allowed, and warned of."""
        bare = [
            f"{device}.{name}"
            for device in sorted(devices)
            if device in self._workers
            for name in self._workers[device].plan.uncovered
        ]
        if actor.origin not in UNATTENDED:
            if bare:
                text = Message(
                    "{what}: nothing but the agent makes safe {bare}: stay beside it",
                    what=what,
                    bare=", ".join(bare),
                )
                self._events.add("job.uncovered", text, severity=Severity.WARNING)
            return ""
        today = {it.device for it in self.in_force}
        bare = [output for output in bare if output.partition(".")[0] not in today]
        if not bare:
            return ""
        device = bare[0].partition(".")[0]
        return Message(
            "{what} can't be started unattended ({origin}): nothing makes safe {bare} when "
            "the agent is gone. Say in the config what does (`safe_by`), or let an "
            'engineer waive it: `labkeeper waive {device} --reason "…" --until DATE`',
            what=what,
            origin=actor.origin,
            bare=", ".join(bare),
            device=device,
        )

    def _counts(self, waiver: Waiver) -> bool:
        return waiver.device in self._workers and self._today() <= _day(waiver.until)

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.utc(), UTC).date()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(Message("{text!r} is no day such as 2026-12-31", text=text)) from None

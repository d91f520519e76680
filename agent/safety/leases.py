"""A person reserves a device, to work on it by hand: for a time, with a reason, under their name.

It is on record before it is so, and the next agent knows of what has not ended. An engineer may
take a device over; that is on record as well, and everybody is told. Stop is never refused.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from agent.clock import Clock
from agent.errors import AgentError
from agent.fleet.device import DeviceWorker
from agent.fleet.events import EventLog, Severity
from agent.fleet.samples import Cause, Outcome, Status
from agent.languages.message import Message, joined
from agent.roles import Actor, refusal
from agent.safety.lease_forms import LONGEST_S, UNKNOWN, form_of, recalled
from agent.safety.reservations import Holder, Lease, Reservations
from agent.store.database import Connection
from agent.store.entries import AGENT, EventEntry, Json, Who
from agent.store.job_table import marks, put_mark
from agent.store.ledger import Ledger
from drivers import Role

MARK: Final = "leases"
NOT_YET: Final = Message("the disk has not told of the reservations of before yet")

log = logging.getLogger("labkeeper")


class Leases:
    """The door to reservations for people. Without a ledger none outlasts the process."""

    def __init__(
        self,
        reservations: Reservations,
        workers: Mapping[str, DeviceWorker],
        events: EventLog,
        clock: Clock,
        ledger: Ledger | None,
    ) -> None:
        self._reservations, self._workers = reservations, workers
        self._events, self._clock, self._ledger = events, clock, ledger
        self._is_recalling = False
        """Whether the disk has yet to tell of the reservations of before."""
        self._aside: Sequence[Json] = ()
        """What was on the disk and can't be read, until the ledger has it."""

    @property
    def holders(self) -> Mapping[str, Holder]:
        """The devices of jobs."""
        return self._reservations.holders

    @property
    def held(self) -> Mapping[str, Lease]:
        """The devices of people."""
        return self._reservations.leases

    async def recall(self) -> None:
        """Take over what has not ended of the reservations of before, for what was left of them.

        The start may go on before this returns, when the disk hangs: until then nothing is reserved
        or given back, for it would be kept in the place of what was.
        """
        if self._ledger is None:
            return
        self._is_recalling = True
        try:
            kept = await self._ledger.read(marks, "the reservations of before")
        except AgentError as error:
            text = Message("the reservations of people are not known: {error}", error=str(error))
            self._events.add("leases.unknown", text, severity=Severity.ERROR)
            return
        finally:
            self._is_recalling = False
        now, mono = self._clock.utc(), self._clock.monotonic()
        found = recalled(kept.get(MARK, []), self._workers, now, mono)
        for lease in found.leases:
            self._reservations.lease(lease)
        if found.unread:
            await self._tell_unread(found.unread)

    async def _tell_unread(self, forms: Sequence[Json]) -> None:
        """Say which devices count as reserved by nobody knows whom; what is on the disk is kept aside."""
        unknown = [it for it in self._reservations.leases.values() if it.by == UNKNOWN]
        text = Message(
            "a reservation of before can't be read. Taken for reserved by somebody unknown: {devices}, "
            "until an engineer gives them back or 24 h have passed; the ledger keeps what was on record",
            devices=", ".join(it.device for it in unknown) or Message("none"),
        )
        self._events.add("leases.unread", text, severity=Severity.ERROR)
        self._aside = forms
        if failed := await self._set_aside():
            log.error("it is not on record yet: %s", failed)

    async def _set_aside(self) -> str:
        """Have what can't be read in the ledger before anything takes its place; why not, else ""."""
        if self._ledger is None or not self._aside:
            return ""
        entry = EventEntry(action="lease.set_aside", target="station", before=list(self._aside))
        forms: list[Json] = [form_of(it) for it in self._reservations.leases.values()]
        try:
            await self._ledger.record(AGENT, entry, lambda it: put_mark(it, MARK, forms))
        except AgentError as error:
            return str(error)
        self._aside = ()
        return ""

    async def reserve(
        self, actor: Actor, device: str, seconds: float, reason: str, *, takeover: bool = False
    ) -> Outcome:
        """Give a device to whoever asks, for some seconds. Their own lease is replaced by it."""
        if refused := self._refused(actor, device, Message("reserving {device}", device=device)):
            return refused
        if not 1 <= seconds <= LONGEST_S:
            text = Message("{seconds:g} s is not a time from 1 s to 24 h", seconds=seconds)
            return _refusal(text, Cause.BAD_VALUE)
        now = self._clock.utc()
        lease = Lease(
            device=device,
            by=actor.name,
            origin=actor.origin,
            reason=reason,
            since=now,
            until=now + seconds,
            ends=self._clock.monotonic() + seconds,
        )
        if refused := self._not_now(actor, device, takeover=takeover):
            return refused
        before = self._reservations.leases.get(device)
        self._reservations.lease(lease)  # at once, so that no job begins while the disk is awaited
        if failed := await self._kept(actor, "reserve", device, lease, before):
            self._put_back(device, before)
            return failed
        if before and before.by != actor.name:
            self._taken_over(actor, before, reason)
        else:
            self._events.add("device.reserved", str(lease), device=device, actor=actor.name)
        return Outcome(status=Status.DONE, message=str(lease))

    def _taken_over(self, actor: Actor, before: Lease, reason: str) -> None:
        text = Message(
            "{name} ({origin}) took {device} over from {by}: {reason}",
            name=actor.name,
            origin=actor.origin,
            device=before.device,
            by=before.by,
            reason=reason,
        )
        self._events.add(
            "device.taken_over",
            text,
            device=before.device,
            severity=Severity.WARNING,
            actor=actor.name,
        )

    async def unreserve(self, actor: Actor, device: str) -> Outcome:
        """Give a device back; that of another person an engineer may."""
        if refused := self._refused(actor, device, Message("giving {device} back", device=device)):
            return refused
        lease = self._reservations.leases.get(device)
        if lease is None:
            return Outcome(
                status=Status.DONE, message=Message("{device} is reserved by nobody", device=device)
            )
        if lease.by != actor.name and (
            why := refusal(
                actor, Role.ENGINEER, Message("ending the reservation of {by}", by=lease.by)
            )
        ):
            return _refusal(joined([str(lease), why]), Cause.RESERVED)
        if failed := await self._kept(actor, "unreserve", device, None, lease):
            return failed
        self._reservations.end_lease(device)
        text = Message(
            "{name} ({origin}) ended the reservation of {device} by {by}",
            name=actor.name,
            origin=actor.origin,
            device=device,
            by=lease.by,
        )
        self._events.add("device.unreserved", text, device=device, actor=actor.name)
        return Outcome(status=Status.DONE, message=Message("{device} is free again", device=device))

    def _refused(self, actor: Actor, device: str, what: str) -> Outcome | None:
        if device not in self._workers:
            known = ", ".join(sorted(self._workers)) or "none"
            return _refusal(
                Message(
                    "no device is called {device}; devices: {known}", device=device, known=known
                ),
                Cause.NO_SUCH,
            )
        if why := refusal(actor, Role.TECHNICIAN, what):
            return _refusal(why, Cause.NOT_ALLOWED)
        if self._is_recalling:
            text = Message(
                "{what} has to wait: {not_yet}; ask again in a while", what=what, not_yet=NOT_YET
            )
            return Outcome(status=Status.FAILED, message=text, cause=Cause.NOT_RECORDED)
        return None

    def _not_now(self, actor: Actor, device: str, *, takeover: bool) -> Outcome | None:
        """The refusal by whose the device is at this moment."""
        if device in self._reservations.holders:
            return _refusal(self._reservations.refusal(actor, device), Cause.RESERVED)
        lease = self._reservations.leases.get(device)
        if lease is None or lease.by == actor.name:
            return None
        if not takeover:
            text = Message("{lease}; an engineer may take it over", lease=str(lease))
            return _refusal(text, Cause.RESERVED)
        if why := refusal(
            actor,
            Role.ENGINEER,
            Message("taking {device} over from {by}", device=device, by=lease.by),
        ):
            return _refusal(joined([str(lease), why]), Cause.NOT_ALLOWED)
        return None

    def _put_back(self, device: str, before: Lease | None) -> None:
        if before is not None:
            self._reservations.lease(before)
        else:
            self._reservations.end_lease(device)

    async def _kept(
        self,
        actor: Actor,
        action: str,
        device: str,
        lease: Lease | None,
        before: Lease | None,
    ) -> Outcome | None:
        """Have it on record; the failure, if the disk does not take it."""
        if self._ledger is None:
            return None
        if why := await self._set_aside():
            return Outcome(status=Status.FAILED, message=why, cause=Cause.NOT_RECORDED)
        forms: list[Json] = [
            form_of(it)
            for it in self._reservations.leases.values()
            if lease is not None or it.device != device
        ]

        def along(connection: Connection) -> None:
            put_mark(connection, MARK, forms)

        entry = EventEntry(
            action=action,
            target=device,
            before=form_of(before) if before else None,
            after=form_of(lease) if lease else None,
            reason=lease.reason if lease else "",
        )
        who = Who(name=actor.name, role=actor.role.name.lower(), origin=actor.origin)
        try:
            await self._ledger.record(who, entry, along)
        except AgentError as error:
            return Outcome(status=Status.FAILED, message=str(error), cause=Cause.NOT_RECORDED)
        return None


def _refusal(why: str, cause: Cause) -> Outcome:
    return Outcome(status=Status.REFUSED, message=why, cause=cause)

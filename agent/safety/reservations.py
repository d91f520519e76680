"""Whose a device is: a job's, or for a time a person's. Nobody else may set or command it then."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Protocol

from agent.clock import Clock, SystemClock
from agent.languages.message import Message, joined
from agent.roles import Actor

log = logging.getLogger("labkeeper")


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Who has a device: a job, what it runs, and who started it."""

    job: str
    what: str
    by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """A device that a person has for a time, to work on it by hand."""

    device: str
    by: str
    origin: str
    reason: str
    since: float
    until: float
    """When it ends, in seconds UTC: for people. What counts is `ends`."""
    ends: float
    """The same on the monotonic clock, which nobody sets."""

    def __str__(self) -> str:
        until = datetime.fromtimestamp(self.until, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return Message(
            "{device} is reserved by {by} ({origin}) until {until}: {reason}",
            device=self.device,
            by=self.by,
            origin=self.origin,
            until=until,
            reason=self.reason,
        )


class StopListener(Protocol):
    """Told that a device of a job is being stopped, before it is. Must not wait for anything."""

    def __call__(self, job: str, device: str, actor: Actor, /) -> None: ...


class Reservations:
    """The devices that belong to jobs and people. Reads and stops never ask here."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._holders: dict[str, Holder] = {}
        self._leases: dict[str, Lease] = {}
        self._listeners: list[StopListener] = []
        self.freed: Callable[[], None] = lambda: None
        """Told when a person has given a device back."""

    @property
    def holders(self) -> Mapping[str, Holder]:
        """Who has what, by device."""
        return MappingProxyType(self._holders)

    @property
    def leases(self) -> Mapping[str, Lease]:
        """What people have now, by device."""
        now = self._clock.monotonic()
        self._leases = {device: it for device, it in self._leases.items() if it.ends > now}
        return MappingProxyType(self._leases)

    def lease(self, lease: Lease) -> None:
        """Give a person a device. It must not be a job's."""
        self._leases[lease.device] = lease

    def end_lease(self, device: str) -> None:
        """Take it back before its time."""
        self._leases.pop(device, None)
        self.freed()

    def awaited(self, devices: Iterable[str]) -> str:
        """Which of these devices are another's, and whose, as a sentence; "" when none is."""
        wanted = sorted(devices)
        jobs = [
            Message(
                "{device} belongs to the job {job}", device=device, job=self._holders[device].job
            )
            for device in wanted
            if device in self._holders
        ]
        return joined([*jobs, *(str(it) for it in self.leases.values() if it.device in wanted)])

    def take(self, devices: Iterable[str], holder: Holder) -> bool:
        """Give a job all of these devices, or none where one is another's. Return whether it has them."""
        wanted = frozenset(devices)
        if any(device in self._holders or device in self.leases for device in wanted):
            return False
        self._holders |= dict.fromkeys(wanted, holder)
        return True

    def release(self, job: str) -> None:
        """Take all devices back that a job has."""
        self._holders = {it: holder for it, holder in self._holders.items() if holder.job != job}

    def refusal(self, actor: Actor, device: str) -> str:
        """Why this actor may not tell the device anything now, as a sentence; "" when it may."""
        holder = self._holders.get(device)
        if actor.job and (holder is None or holder.job != actor.job):
            return Message(
                "{device} does not belong to the job {job}", device=device, job=actor.job
            )
        if lease := self.leases.get(device):
            return (
                ""
                if lease.by == actor.name
                else Message("{lease}; ask them, or wait", lease=str(lease))
            )
        if holder is None or holder.job == actor.job:
            return ""
        return Message(
            "{device} is reserved by the job {job} ({what}, started by {by}); wait for its "
            "end, or stop the job",
            device=device,
            job=holder.job,
            what=holder.what,
            by=holder.by,
        )

    def listen(self, listener: StopListener) -> Callable[[], None]:
        """Tell `listener` of stops from now on; call what is returned to end that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def stopping(self, actor: Actor, device: str) -> None:
        """Tell that a device is about to be stopped, unless its own job does so. Never raises."""
        holder = self._holders.get(device)
        if holder is None or holder.job == actor.job:
            return
        for listener in tuple(self._listeners):
            try:
                listener(holder.job, device, actor)
            except Exception:  # nothing may hinder a stop
                log.exception("telling the job %s that %s is stopped", holder.job, device)

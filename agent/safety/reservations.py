"""Which device belongs to which job. While it does, nobody else may set or command it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from agent.roles import Actor

log = logging.getLogger("labkeeper")


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Who has a device: a job, what it runs, and who started it."""

    job: str
    what: str
    by: str


class StopListener(Protocol):
    """Told that a device of a job is being stopped, before it is. Must not wait for anything."""

    def __call__(self, job: str, device: str, actor: Actor, /) -> None: ...


class Reservations:
    """The devices that belong to jobs. Reads and stops never ask here."""

    def __init__(self) -> None:
        self._holders: dict[str, Holder] = {}
        self._listeners: list[StopListener] = []

    @property
    def holders(self) -> Mapping[str, Holder]:
        """Who has what, by device."""
        return MappingProxyType(self._holders)

    def take(self, devices: Iterable[str], holder: Holder) -> bool:
        """Give a job all of these devices, or none where one is another's. Return whether it has them."""
        wanted = frozenset(devices)
        if any(device in self._holders for device in wanted):
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
            return f"{device} does not belong to the job {actor.job}"
        if holder is None or holder.job == actor.job:
            return ""
        return (
            f"{device} is reserved by the job {holder.job} ({holder.what}, started by {holder.by}); "
            "wait for its end, or stop the job"
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

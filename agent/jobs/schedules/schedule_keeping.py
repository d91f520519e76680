"""A schedule with what is kept of it, and its entries in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from agent.jobs.schedules.follower import Follower
from agent.roles import Actor
from agent.settings import Schedule
from agent.store.entries import AGENT, Entry, EventEntry, Who
from agent.store.schedules import KeptSchedule, Trouble


class Book(Protocol):
    """Where schedules are kept. See `agent.store.schedules.ScheduleBook`."""

    async def kept(self) -> Mapping[str, KeptSchedule]:
        """All that is kept, by name. Raises NotRead."""
        ...

    async def keep(self, kept: KeptSchedule, who: Who, entry: Entry) -> None:
        """Keep this, along with an entry of the ledger. Raises NotRecorded."""
        ...


@dataclass(slots=True)
class Followed:
    """A schedule of the config in force, and where it has come to."""

    follower: Follower
    enabled: bool
    """False where a person has switched it off."""
    fired: float | None = None
    """The time for which its last job was started, in seconds UTC."""
    job: str = ""
    trouble: Trouble | None = None
    """The last firing for which no job was started."""

    @property
    def schedule(self) -> Schedule:
        """What config says of it."""
        return self.follower.schedule

    @property
    def is_on(self) -> bool:
        """Whether it fires: neither config nor a person has switched it off."""
        return self.schedule.enabled and self.enabled

    @property
    def next(self) -> float | None:
        """When it fires next, in seconds UTC; None while it is off."""
        return self.follower.next if self.is_on else None

    def kept(self) -> KeptSchedule:
        """What is to be kept of it."""
        return KeptSchedule(
            name=self.schedule.name,
            timetable=followed_by(self.schedule),
            enabled=self.enabled,
            fired=self.fired,
            job=self.job,
            lived=self.follower.lived.text(),
            trouble=self.trouble,
        )


def followed_by(schedule: Schedule) -> str:
    """The timetable in words, to find out whether it is still the one that was followed; "" if off."""
    timetable = schedule.timetable
    return f"{timetable.cron} {timetable.zone}" if schedule.enabled else ""


def actor_of(schedule: Schedule) -> Actor:
    """Who starts its jobs: the schedule itself, with the role that config gives it."""
    return Actor(name=schedule.name, origin="schedule", role=schedule.role)


def who_of(actor: Actor) -> Who:
    """The same for the ledger."""
    return Who(name=actor.name, role=actor.role.name.lower(), origin=actor.origin)


def changed_entry(schedule: Schedule) -> tuple[Who, Entry]:
    """That a schedule is followed from now on, in this form."""
    timetable = schedule.timetable
    form: dict[str, Any] = {
        "recipe": schedule.recipe,
        "cron": timetable.cron,
        "zone": timetable.zone,
        "enabled": schedule.enabled,
    }
    return AGENT, EventEntry(action="schedule.followed", target=schedule.name, after=form)


def switched_entry(schedule: Schedule, actor: Actor, *, on: bool) -> tuple[Who, Entry]:
    """That a person switched it on or off."""
    verb = "schedule.enabled" if on else "schedule.disabled"
    entry = EventEntry(action=verb, target=schedule.name, before=not on, after=on)
    return who_of(actor), entry

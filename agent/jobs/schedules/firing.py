"""What a firing does: a job is started, unless it is late, or the last one is still there."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, Final

from agent.errors import AgentError
from agent.fleet.events import EventLog, Severity
from agent.jobs.job import Job
from agent.jobs.jobs import Jobs
from agent.jobs.schedules.follower import Due
from agent.jobs.schedules.schedule_keeping import Followed, actor_of, who_of
from agent.jobs.states import WAITING
from agent.languages.message import N_, Message, joined
from agent.languages.words import term
from agent.settings import Schedule
from agent.settings.timetable import MOST_COUNTED
from agent.store.entries import Entry, EventEntry, Json, Who
from agent.store.moments import exact
from agent.store.schedules import Trouble

SEVERITY: Final = {
    "fired": Severity.INFO,
    "skipped": Severity.WARNING,
    "missed": Severity.WARNING,
    "refused": Severity.ERROR,
}

log = logging.getLogger("labkeeper")


class Firing:
    """Starts the jobs of schedules, and tells what became of each firing."""

    def __init__(self, jobs: Jobs, events: EventLog) -> None:
        self._jobs, self._events = jobs, events

    async def made(self, followed: Followed, due: Due) -> tuple[Who, Entry]:
        """Do what a firing is for, and return what is to be recorded of it."""
        schedule = followed.schedule
        if not due.starts:
            return self._told(
                "missed",
                followed,
                due,
                Message("{missed}; nothing is started", missed=_missed(schedule, due)),
            )
        if not (due.is_punctual and due.missed):
            return await self._begun(followed, due)
        text = Message("{missed} before this one", missed=_missed(schedule, due))
        self._told("missed", followed, due, text)
        who, entry = await self._begun(followed, due)
        return who, replace(entry, reason=joined([entry.reason, text]))  # one row tells of both

    async def _begun(self, followed: Followed, due: Due) -> tuple[Who, Entry]:
        """Start the job, unless the last one is still there."""
        schedule = followed.schedule
        if (present := self._in_the_way(schedule)) is not None:
            text = Message("its job {id} is still {state}", id=present.id, state=present.state)
            return self._told("skipped", followed, due, text, present.id)
        try:
            job = await self._submit(schedule, due)
        except AgentError as error:
            return self._told("refused", followed, due, str(error))
        except Exception as error:
            log.exception("schedule %s", schedule.name)
            return self._told(
                "refused",
                followed,
                due,
                Message("a defect of the agent: {error}", error=repr(error)),
            )
        followed.fired, followed.job = due.at, job.id
        late = "" if due.is_punctual else Message(", late: {missed}", missed=_missed(schedule, due))
        return self._told(
            "fired",
            followed,
            due,
            Message("job {id} of {recipe}{late}", id=job.id, recipe=schedule.recipe, late=late),
            job.id,
        )

    async def _submit(self, schedule: Schedule, due: Due) -> Job:
        return await self._jobs.submit(
            schedule.recipe,
            dict(schedule.arguments),
            dict(schedule.devices),
            actor_of(schedule),
            key=key_of(schedule, due),
        )

    def _in_the_way(self, schedule: Schedule) -> Job | None:
        """The job of an earlier firing that keeps this one from being made; None if there is none."""
        its = [
            job
            for job in self._jobs.listing
            if job.by.origin == "schedule"
            and job.by.name == schedule.name
            and not job.state.is_final
        ]
        if schedule.overlap == "queue":
            its = [job for job in its if job.state in WAITING]
        return its[-1] if its else None

    def _told(
        self, what: str, followed: Followed, due: Due, text: str, job: str = ""
    ) -> tuple[Who, Entry]:
        """Tell everybody, and return the same for the ledger. What was not fired is kept as trouble."""
        kind, schedule = f"schedule.{what}", followed.schedule
        if what != "fired":
            followed.trouble = Trouble(time=due.at, what=what, text=text)
        at = exact(due.at)
        data: dict[str, Any] = {"schedule": schedule.name, "due": at, "missed": due.missed}
        if job:
            data["job"] = job
        whole = Message(
            "schedule {name} ({shown}) {what}: {text}",
            name=schedule.name,
            shown=schedule.timetable.shown(due.at),
            what=term(what),
            text=text,
        )
        self._events.add(kind, whole, severity=SEVERITY[what], recipe=schedule.recipe, **data)
        after: dict[str, Json] = {"due": at, "missed": due.missed}
        entry = EventEntry(action=kind, target=schedule.name, after=after, reason=text, job=job)
        return who_of(actor_of(schedule)), entry


def key_of(schedule: Schedule, due: Due) -> str:
    """The same for the same firing, also after a restart: it is submitted once."""
    return f"schedule:{schedule.name}:{exact(due.at)}"


def _missed(schedule: Schedule, due: Due) -> str:
    """What was missed, in words: `3 firings were missed, the last of 2026-11-28T02:00:00+09:00`."""
    last = ""
    if not due.is_punctual:
        last = Message(", the last of {time}", time=schedule.timetable.shown(due.at))
    if due.missed == 1:
        return Message("1 firing was missed{last}", last=last)
    if due.missed >= MOST_COUNTED:
        text = N_("more than {count} firings were missed{last}")
    else:
        text = N_("{count} firings were missed{last}")
    return Message(text, count=due.missed, last=last)

"""The schedules of a station: they start recipes at their times, each time once, and never a burst.

One task looks at the wall clock every second. That is how a clock that was set, and a machine that
was suspended, are noticed: what lies between two looks is due, whatever the reason.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from agent.clock import Clock
from agent.errors import AgentError, NoSuchThing, NotAllowed, NotNow, Problem
from agent.fleet.events import EventLog, Severity
from agent.jobs.jobs import Jobs
from agent.jobs.schedules.firing import Firing
from agent.jobs.schedules.follower import Follower
from agent.jobs.schedules.lived import Lived
from agent.jobs.schedules.schedule_keeping import (
    Book,
    Followed,
    changed_entry,
    followed_by,
    switched_entry,
)
from agent.languages.message import Message
from agent.languages.words import term
from agent.roles import Actor, refusal
from agent.settings import Schedule
from agent.settings.sentences import suggest
from agent.store.entries import AGENT, EventEntry
from agent.store.schedules import KeptSchedule
from drivers import Role

LOOK_EVERY_S: Final = 1.0
"""How often the wall clock is looked at; a firing is made at its time, not at the next look."""
SOONEST_S: Final = 0.01

log = logging.getLogger("labkeeper")


class Schedules:
    """All schedules of the config in force. `book` is None where nothing can be recorded."""

    def __init__(
        self,
        jobs: Jobs,
        book: Book | None,
        *,
        wanted: Callable[[], Mapping[str, Schedule]],
        problems: Callable[[], Awaitable[tuple[Problem, ...]]],
        clock: Clock,
        events: EventLog,
    ) -> None:
        self._jobs, self._book, self._wanted, self._problems = jobs, book, wanted, problems
        self._clock, self._events = clock, events
        self._firing = Firing(jobs, events)
        self._followed: dict[str, Followed] = {}
        self._adopted: Mapping[str, Schedule] | None = None
        self._is_off = False
        self._turn = asyncio.Lock()  # what is kept is kept in the order in which it changed

    @property
    def listing(self) -> tuple[Followed, ...]:
        """Every schedule as it stands, in the order of their names."""
        return tuple(self._followed[name] for name in sorted(self._followed))

    async def run(self) -> None:
        """Fire what is due, until cancelled. A defect of one schedule does not end the others."""
        if self._book is None:
            if self._wanted():
                text = Message("schedules do not fire: nothing can be recorded")
                self._events.add("schedule.off", text, severity=Severity.ERROR)
            return
        while True:
            async with self._turn:
                if (wanted := self._wanted()) is not self._adopted:
                    await self._take_over(self._book, wanted)
            for followed in self._ready():
                async with self._turn:
                    await self._look(self._book, followed)
            await self._clock.sleep(self._until_next())

    def _ready(self) -> tuple[Followed, ...]:
        """Those that are looked at now: none before the jobs of before are taken over.

        What falls due meanwhile is due then, or missed when it is late by more than a minute, as over a
        restart of the agent. Refused it was by nobody.
        """
        return () if self._jobs.untaken else self.listing

    async def switch(self, name: str, actor: Actor, *, on: bool) -> Followed:
        """Let a schedule fire, or not, until somebody says otherwise. What was missed is left out.

        Raises:
            NoSuchThing: There is no schedule of this name.
            NotAllowed: The actor's role does not suffice.
            NotNow: Config has it switched off.
            NotRecorded: It can't be kept, and stays as it was.
        """
        enabling = Message("enabling the schedule {name}", name=name)
        disabling = Message("disabling the schedule {name}", name=name)
        if why := refusal(actor, Role.TECHNICIAN, enabling if on else disabling):
            raise NotAllowed(why)
        async with self._turn:
            return await self._switched(self._of(name), actor, on=on)

    async def _switched(self, followed: Followed, actor: Actor, *, on: bool) -> Followed:
        name, book = followed.schedule.name, self._book
        if book is None:
            raise NotNow(Message("nothing can be recorded: schedules stay as they are"))
        if on and not followed.schedule.enabled:
            place = followed.schedule.problem(
                "", Message("config has it switched off: change it there")
            )
            raise NotNow(str(place))
        if followed.enabled is on:
            return followed
        if on:
            followed.follower.begin_anew(self._clock.utc())
        await book.keep(
            replace(followed.kept(), enabled=on), *switched_entry(followed.schedule, actor, on=on)
        )
        followed.enabled = on
        word = "enabled" if on else "disabled"
        self._events.add(
            f"schedule.{word}",
            Message(
                "schedule {name} was {word} by {by} ({origin})",
                name=name,
                word=term(word),
                by=actor.name,
                origin=actor.origin,
            ),
            schedule=name,
            actor=actor.name,
            origin=actor.origin,
        )
        return followed

    async def _take_over(self, book: Book, wanted: Mapping[str, Schedule]) -> None:
        """Follow what config has now, each from where it has come to."""
        try:
            kept = await book.kept()
            for name in kept.keys() - wanted.keys():
                await self._forget(book, kept[name])
            self._followed = {
                name: await self._begun(book, schedule, kept.get(name))
                for name, schedule in wanted.items()
            }
        except AgentError as error:
            if not self._is_off:
                text = Message(
                    "schedules do not fire, and it is tried again: {error}", error=str(error)
                )
                self._events.add("schedule.off", text, severity=Severity.ERROR)
            self._is_off = True
            return
        self._adopted, self._is_off = wanted, False
        if wanted:
            await self._tell_what_is_wrong()

    async def _tell_what_is_wrong(self) -> None:
        """Say in the daytime what would be refused in the night."""
        try:
            for problem in await self._problems():
                self._events.add("schedule.wrong", str(problem), severity=Severity.ERROR)
        except Exception:  # recipes are read anew with each firing, which tells of it
            log.exception("checking what the schedules start")

    async def _begun(self, book: Book, schedule: Schedule, kept: KeptSchedule | None) -> Followed:
        """Follow a schedule from where it has come to; from now on, where it was another before."""
        kept = kept or KeptSchedule(name=schedule.name, timetable="")
        now, before = self._clock.utc(), self._followed.get(schedule.name)
        # What could not be kept is known here all the same.
        lived = before.follower.lived if before else Lived.parse(kept.lived)
        followed = Followed(
            Follower(schedule, lived, now),
            kept.enabled,
            fired=kept.fired,
            job=kept.job,
            trouble=before.trouble if before else kept.trouble,
        )
        if followed_by(schedule) != kept.timetable:
            followed.follower.begin_anew(now)
            await book.keep(followed.kept(), *changed_entry(schedule))
        return followed

    async def _forget(self, book: Book, kept: KeptSchedule) -> None:
        """Note that config has it no longer: what passes meanwhile will not have been missed."""
        if kept.timetable:
            await book.keep(
                replace(kept, timetable=""),
                AGENT,
                EventEntry(action="schedule.gone", target=kept.name),
            )

    async def _look(self, book: Book, followed: Followed) -> None:
        if not followed.is_on:
            return
        due = followed.follower.look(self._clock.utc())
        if due is None:
            return
        try:
            who, entry = await self._firing.made(followed, due)
            await book.keep(followed.kept(), who, entry)
        except AgentError as error:
            name = followed.schedule.name
            text = Message(
                "schedule {name}: what became of its firing is not on record: {error}",
                name=name,
                error=str(error),
            )
            self._events.add("schedule.unrecorded", text, severity=Severity.ERROR, schedule=name)
        except Exception:  # a defect of ours ends this firing, never the agent or other schedules
            log.exception("schedule %s", followed.schedule.name)

    def _until_next(self) -> float:
        """Seconds until the next look."""
        if self._jobs.untaken:
            return LOOK_EVERY_S
        now = self._clock.utc()
        waits = [it.next - now for it in self._followed.values() if it.next is not None]
        return min(LOOK_EVERY_S, max(SOONEST_S, min(waits, default=LOOK_EVERY_S)))

    def _of(self, name: str) -> Followed:
        if name not in self._followed:
            known = suggest(name, sorted(self._followed))
            raise NoSuchThing(
                Message("no schedule is called {name!r}; {known}", name=name, known=known)
            )
        return self._followed[name]

"""How a recipe becomes a job, or several: checked, written down, and only then acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from agent.errors import KeyConflict, NotAllowed, NotNow, Refused
from agent.jobs.asked import Asked
from agent.jobs.job import Job
from agent.jobs.keeping.book import Key
from agent.jobs.shop import Kept, Shop, kept_of, new_job
from agent.jobs.states import WAITING, JobState
from agent.jobs.turns import Turns, found
from agent.languages.message import Message
from agent.roles import Actor, refusal
from drivers import Role

if TYPE_CHECKING:
    from agent.jobs.checks.check import Checked
    from agent.jobs.language.expressions import Value
    from agent.jobs.recipes.library import Entry, Library

LONGEST_QUEUE: Final = 200
"""Jobs that may wait; a further one is refused."""


class Submission:
    """Takes submissions, one after the other."""

    def __init__(self, shop: Shop, turns: Turns) -> None:
        self._shop, self._turns = shop, turns
        self.number = 0
        """Of the last job that was submitted."""
        self._entering = asyncio.Lock()

    async def submit(self, asked: Asked, actor: Actor, key: str) -> Job:
        """See Jobs."""
        _may(actor, Role.TECHNICIAN, Message("starting {recipe}", recipe=asked.recipe))
        asked.must_make_sense(key)
        if key and (known := await self._known(asked, key)):
            return known
        library = await self._shop.recipes.library()
        entry = found(library, asked.recipe)
        values = entry.recipe.arguments(asked.arguments)
        checked = await self._shop.recipes.check(entry, library, asked.devices, values)
        _must_do(entry, checked, actor)
        async with self._entering:
            if key and (known := await self._known(asked, key)):
                return known  # the same request, twice at once
            self._room(asked.copies)
            made = list(self._made(asked, entry, library, values, checked, actor))
            if why := self._shop.uncovered(actor, asked.recipe, made[0].job.claimed):
                raise Refused(why)
            await self._enter(made, asked, key)
        for kept in made:
            self._turns.equip(kept, entry, library)
            self._turns.add(kept)
            kept.notes.tell()
        self._turns.next()
        return made[0].job

    async def _enter(self, made: list[Kept], asked: Asked, key: str) -> None:
        """Have it on the disk: all copies and the key, or nothing."""
        entries = [kept.notes.submitted() for kept in made]
        for entry in entries:
            await self._shop.journal.add(entry)
        its = Key(key=key, sha256=asked.sha256, job=made[0].job.id) if key else None
        await self._shop.book.enter(
            entries, key=its, marks={"number": self.number, "running": True}
        )

    async def _known(self, asked: Asked, key: str) -> Job | None:
        """The job that was submitted with this key. Raises KeyConflict where that was another."""
        known = await self._shop.book.known(key)
        if known is None:
            return None
        if known.sha256 != asked.sha256:
            raise KeyConflict(
                Message(
                    "the key {key} belongs to job {job}, which was asked for differently: use a "
                    "new key for a new job",
                    key=key,
                    job=known.job,
                )
            )
        if known.job not in self._turns.kept:
            raise KeyConflict(
                Message(
                    "the key {key} belongs to job {job}, which has ended and is listed no longer: "
                    "`labkeeper job log` has it; use a new key for a new job",
                    key=key,
                    job=known.job,
                )
            )
        return self._turns.kept[known.job].job

    def _made(
        self,
        asked: Asked,
        entry: Entry,
        library: Library,
        values: dict[str, Value],
        checked: Checked,
        actor: Actor,
    ) -> Iterator[Kept]:
        """As many jobs as there are copies: each is held, stopped and kept by itself."""
        batch = ""
        for number in range(1, asked.copies + 1):
            self.number += 1
            now = self._shop.clock.utc()
            job = new_job(self._id(now), entry, library, values, checked.devices, actor, now)
            batch = batch or (job.id if asked.copies > 1 else "")
            its = replace(
                job,
                priority=asked.priority,
                rank=self.number,
                not_before=asked.not_before,
                number=number,
                copies=asked.copies,
                batch=batch,
                state=JobState.HELD if asked.held else JobState.QUEUED,
            )
            yield kept_of(its, self._shop)

    def _room(self, copies: int) -> None:
        if self._turns.is_ending:
            raise NotNow(Message("the agent is stopping: no job begins any more"))
        if why := self._turns.closed_because():
            raise NotNow(why)
        waiting = sum(it.job.state in WAITING for it in self._turns.kept.values())
        if waiting + copies > LONGEST_QUEUE:
            raise NotNow(
                Message(
                    "{waiting} jobs wait already, of {longest_queue}: stop some, or wait",
                    waiting=waiting,
                    longest_queue=LONGEST_QUEUE,
                )
            )

    def _id(self, now: float) -> str:
        """A name in which a person sees when it was submitted: `20260102-030405-1`, in UTC."""
        return f"{datetime.fromtimestamp(now, UTC).strftime('%Y%m%d-%H%M%S')}-{self.number}"


def _must_do(entry: Entry, checked: Checked, actor: Actor) -> None:
    """Raise ConfigError, NotAllowed or Refused where it can't be run, or not by this actor."""
    name = entry.recipe.name
    checked.must_be_right()
    _may(
        actor,
        checked.role,
        Message("starting {name}{demanding}", name=name, demanding=_demanding(checked)),
    )
    if missing := entry.recipe.devices.keys() - checked.devices.keys():
        raise Refused(
            Message(
                "{name} needs a device for {missing}: name it",
                name=name,
                missing=", ".join(sorted(missing)),
            )
        )


def _demanding(checked: Checked) -> str:
    return f" ({checked.demanding})" if checked.demanding else ""


def _may(actor: Actor, needed: Role, what: str) -> None:
    if why := refusal(actor, needed, what):
        raise NotAllowed(why)

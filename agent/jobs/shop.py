"""What jobs are made of, and how one is made: everything that a run works with is handed in here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from agent.clock import Clock
from agent.fleet.events import EventLog
from agent.jobs.job import Job
from agent.jobs.keeping.book import Book
from agent.jobs.keeping.journal import Journal
from agent.jobs.keeping.notes import Notes
from agent.jobs.plates import Plates
from agent.jobs.questions import Questions
from agent.roles import Actor
from agent.safety.reservations import Reservations

if TYPE_CHECKING:
    from agent.jobs.checks.check import Checked
    from agent.jobs.language.expressions import Value
    from agent.jobs.recipes.library import Entry, Library
    from agent.jobs.running.hands import Hands
    from agent.jobs.running.pace import Pace
    from agent.jobs.running.run import Run


class Recipes(Protocol):
    """The recipes of the station, and whether one may run on it."""

    async def library(self) -> Library:
        """All recipes, as their files are now."""
        ...

    async def check(
        self,
        entry: Entry,
        library: Library,
        devices: Mapping[str, str],
        arguments: Mapping[str, Value],
    ) -> Checked:
        """Check a recipe for this station, with these devices by role and these parameters."""
        ...


@dataclass(kw_only=True)
class Shop:
    """What jobs are made of, handed in by whoever builds the station."""

    tasks: asyncio.TaskGroup
    hands: Callable[[Actor], Hands]
    reservations: Reservations
    recipes: Recipes
    journal: Journal
    book: Book
    plates: Plates
    clock: Clock
    events: EventLog
    forget: Callable[[str], None] = field(default=lambda _: None)
    """Told of a job that is listed no longer."""
    prepare: Callable[[Job, Entry, Library], None] = field(default=lambda *_: None)
    """Told of a job that may begin, with the recipes that it will run."""
    uncovered: Callable[[Actor, str, Iterable[str]], str] = field(default=lambda *_: "")
    """Why an actor may not start this with these devices, as nothing covers them; "" when they may."""


@dataclass(slots=True)
class Kept:
    """A job with what runs it, from the moment at which it has its turn."""

    job: Job
    notes: Notes
    over: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it has begun, or was found not to be able to."""
    began: float | None = None
    """When it did, by the monotonic clock; None before."""
    pace: Pace | None = None
    run: Run | None = None
    task: asyncio.Task[None] | None = None
    released: Actor | None = None
    """Who let it begin after it was held, and so stands for its start instead of who submitted it."""

    @property
    def starter(self) -> Actor:
        """Who stands for its start."""
        return self.released or self.job.by

    async def until_begun(self, seconds: float) -> None:
        """Where it has its turn, wait for its beginning, or for what keeps it from that; so long at most."""
        if self.task is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self.begun.wait()


def new_job(
    name: str,
    entry: Entry,
    library: Library,
    values: Mapping[str, Value],
    devices: Mapping[str, str],
    actor: Actor,
    now: float,
) -> Job:
    """A job of this id, as it was asked for at `now` (seconds UTC)."""
    from agent.jobs.recipes.claims import called_hashes, claimed

    return Job(
        id=name,
        recipe=entry.recipe.name,
        version=entry.recipe.version,
        titles=entry.recipe.title.model_dump(exclude_none=True),
        sha256=entry.sha256,
        called=called_hashes(entry, library),
        arguments=dict(values),
        devices=dict(devices),
        claimed=claimed(entry, devices, library),
        by=actor,
        submitted=now,
    )


def kept_of(job: Job, shop: Shop) -> Kept:
    """A job with its notes; nothing of it runs."""
    return Kept(job, Notes(job, shop.journal, shop.events, shop.clock))


def equip(
    kept: Kept,
    entry: Entry,
    library: Library,
    shop: Shop,
    questions: Questions,
    rests: Callable[[str], None],
) -> Run:
    """Give a job what runs it. `rests` is told when every branch of it rests."""
    # What runs a job is imported with the first recipes, and not by a start: see StationRecipes.
    from agent.jobs.running.frame import Means
    from agent.jobs.running.pace import Pace
    from agent.jobs.running.run import Run
    from agent.jobs.running.work import WORK

    job = kept.job
    pace = kept.pace = Pace(shop.clock, lambda: rests(job.id))
    actor = Actor(name=job.by.name, origin="job", role=job.by.role, job=job.id)
    means = Means(
        job=job,
        hands=shop.hands(actor),
        pace=pace,
        clock=shop.clock,
        notes=kept.notes,
        questions=questions,
        library=library,
        tasks=shop.tasks,
        plates=shop.plates,
        work=WORK,
    )
    shop.prepare(job, entry, library)
    kept.run = Run(means, entry.recipe, dict(job.arguments))
    return kept.run

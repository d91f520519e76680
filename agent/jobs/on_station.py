"""Jobs over the devices of a station, put together in one place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from agent.clock import Clock
from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.events import EventLog
from agent.jobs.jobs import Jobs
from agent.jobs.keeping.book import Book, MemoryBook
from agent.jobs.keeping.journal import Journal, MemoryJournal
from agent.jobs.keeping.journals import Journals
from agent.jobs.plates import Plates
from agent.jobs.runs.run_records import RunRecords
from agent.jobs.shop import Recipes, Shop
from agent.roles import Actor
from agent.safety.gate import Gate
from agent.safety.reservations import Reservations

if TYPE_CHECKING:
    from agent.jobs.running.hands import Hands, StationHands


def hands_on(
    gate: Gate, workers: Mapping[str, DeviceWorker], board: Board, tasks: asyncio.TaskGroup
) -> Callable[[Actor], StationHands]:
    """What gives each job its hands on the station's own devices."""

    def hands(actor: Actor) -> StationHands:
        from agent.jobs.running.hands import StationHands

        return StationHands(actor, gate, workers, board, tasks)

    return hands


def jobs_on(
    tasks: asyncio.TaskGroup,
    hands: Callable[[Actor], Hands],
    *,
    reservations: Reservations,
    recipes: Recipes,
    clock: Clock,
    events: EventLog,
    journal: Journal,
    book: Book | None = None,
    runs: RunRecords | None = None,
    uncovered: Callable[[Actor, str, Iterable[str]], str] = lambda *_: "",
) -> Jobs:
    """Jobs that run in `tasks`, and tell `journal` what happens, and `runs` where there are some.

    Without a book nothing of them is known to the next agent.
    """

    def forget(job: str) -> None:
        if isinstance(journal, MemoryJournal):
            journal.forget(job)
        if runs is not None:
            runs.forget(job)

    book = book or MemoryBook()
    shop = Shop(
        tasks=tasks,
        hands=hands,
        reservations=reservations,
        recipes=recipes,
        journal=journal if runs is None else Journals(journal, runs),
        clock=clock,
        events=events,
        book=book,
        plates=Plates(book, clock),
        forget=forget,
        uncovered=uncovered,
    )
    if runs is not None:
        shop.prepare = runs.prepare
    return Jobs(shop)

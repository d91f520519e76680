"""Jobs over the devices of a station, put together in one place."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from agent.clock import Clock
from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.events import EventLog
from agent.jobs.book import Book, MemoryBook
from agent.jobs.hands import StationHands
from agent.jobs.jobs import Jobs
from agent.jobs.journal import Journal, MemoryJournal
from agent.jobs.shop import Recipes, Shop
from agent.safety.gate import Gate
from agent.safety.reservations import Reservations


def jobs_on(
    tasks: asyncio.TaskGroup,
    gate: Gate,
    workers: Mapping[str, DeviceWorker],
    *,
    board: Board,
    reservations: Reservations,
    recipes: Recipes,
    clock: Clock,
    events: EventLog,
    journal: Journal,
    book: Book | None = None,
) -> Jobs:
    """Jobs that run in `tasks`, and tell `journal` what happens.

    Without a book nothing of them is known to the next agent.
    """
    shop = Shop(
        tasks=tasks,
        hands=lambda actor: StationHands(actor, gate, workers, board, tasks),
        reservations=reservations,
        recipes=recipes,
        journal=journal,
        clock=clock,
        events=events,
        book=book or MemoryBook(),
        forget=journal.forget if isinstance(journal, MemoryJournal) else lambda _: None,
    )
    return Jobs(shop)

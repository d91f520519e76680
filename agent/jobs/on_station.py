"""Jobs over the devices of a station, put together in one place."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from agent.clock import Clock
from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.events import EventLog
from agent.jobs.hands import StationHands
from agent.jobs.jobs import Jobs
from agent.jobs.journal import MemoryJournal
from agent.jobs.journals import Journals
from agent.jobs.run_records import RunRecords
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
    journal: MemoryJournal,
    runs: RunRecords | None = None,
) -> Jobs:
    """Jobs that run in `tasks`. What they leave is in memory, and in `runs` where there are some."""

    def forget(job: str) -> None:
        journal.forget(job)
        if runs is not None:
            runs.forget(job)

    shop = Shop(
        tasks=tasks,
        hands=lambda actor: StationHands(actor, gate, workers, board, tasks),
        reservations=reservations,
        recipes=recipes,
        journal=journal if runs is None else Journals(journal, runs),
        clock=clock,
        events=events,
        forget=forget,
    )
    if runs is not None:
        shop.prepare = runs.prepare
    return Jobs(shop)

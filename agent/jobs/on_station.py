"""Jobs over the devices of a station, put together in one place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from agent.clock import Clock
from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.events import EventLog
from agent.jobs.hands import StationHands
from agent.jobs.jobs import Jobs
from agent.jobs.journal import MemoryJournal
from agent.jobs.shop import Recipes, Shop
from agent.roles import Actor
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
    uncovered: Callable[[Actor, str, Iterable[str]], str] = lambda *_: "",
) -> Jobs:
    """Jobs that run in `tasks`. What they leave is in memory so far."""
    shop = Shop(
        tasks=tasks,
        hands=lambda actor: StationHands(actor, gate, workers, board, tasks),
        reservations=reservations,
        recipes=recipes,
        journal=journal,
        clock=clock,
        events=events,
        forget=journal.forget,
        uncovered=uncovered,
    )
    return Jobs(shop)

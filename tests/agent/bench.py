"""A station in memory: a real fleet with a small device over a loopback link, and no network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any

from agent.clock import Clock, SystemClock
from agent.fleet.board import Board
from agent.fleet.events import EventLog
from agent.fleet.fleet import Fleet
from agent.fleet.plan import OpenDriver, Plan
from agent.fleet.samples import Snapshot
from agent.fleet.states import DeviceState
from agent.jobs.checks.check import Checked
from agent.jobs.jobs import Jobs
from agent.jobs.keeping.journal import MemoryJournal
from agent.jobs.keeping.journals import Journals
from agent.jobs.keeping.ledger_book import LedgerBook
from agent.jobs.on_station import hands_on, jobs_on
from agent.jobs.plate_desk import PlateDesk
from agent.jobs.recipes.library import Library
from agent.jobs.running.hands import StationHands
from agent.jobs.shop import Recipes
from agent.roles import Actor
from agent.safety.alarm_desk import AlarmDesk
from agent.safety.alarms import Alarms
from agent.safety.gate import Gate
from agent.safety.interlock import Interlocks
from agent.safety.leases import Leases
from agent.safety.record import Record, Unrecorded
from agent.safety.reservations import Reservations
from agent.safety.waivers import Waivers
from agent.settings import Cover, Interlock
from agent.station import Station
from agent.store.files import FileStore
from agent.store.ledger import Ledger
from drivers import Address, Driver
from tests.agent.toy import ToyLink, ToySimulator, ToySupply

PLAN = Plan(
    name="psu1",
    driver_name="toy.supply",
    driver_class=ToySupply,
    address=Address.parse("tcp://127.0.0.1:1"),
    titles={"en": "Bench supply", "ko": "벤치 전원"},
    periods={name: reading.every for name, reading in ToySupply.readings.items()},
    first_retry=0.01,
    most_retry=0.05,
)
COVERED = replace(PLAN, safe_by={"output": Cover(by="hardware")})
"""The same, so that it may also be used where nobody is there."""


class NoRecipes:
    """A station without a single recipe."""

    async def library(self) -> Library:
        """See Recipes."""
        return Library(Path(), {})

    async def check(self, *_: object) -> Checked:
        """See Recipes."""
        raise AssertionError("there is no recipe to be checked")


@dataclass
class Bench:
    """The station, the toys behind it by device name, and what a test wants to reach."""

    station: Station
    fleet: Fleet
    board: Board
    events: EventLog
    simulators: dict[str, ToySimulator]
    reservations: Reservations
    jobs: Jobs
    journal: MemoryJournal
    record: Record

    async def until_state(self, device: str, state: DeviceState, seconds: float = 20.0) -> Snapshot:
        """Wait until the board shows the device in this state."""
        return await self.until(device, lambda snapshot: snapshot.state is state, seconds)

    async def until(self, device: str, holds: Any, seconds: float = 20.0) -> Snapshot:
        """Wait until a condition on the device's snapshot holds."""
        async with asyncio.timeout(seconds), self.board.watch() as changes:
            if device in self.board.latest and holds(self.board.latest[device]):
                return self.board.latest[device]
            async for name in changes:
                if name == device and holds(self.board.latest[device]):
                    return self.board.latest[device]
        raise AssertionError("unreachable")

    async def until_event(self, kind: str, seconds: float = 20.0) -> str:
        """Wait until an event of this kind has happened, and return its text."""
        async with asyncio.timeout(seconds), self.events.listen() as heard:
            for event in self.events.kept:
                if event.kind == kind:
                    return event.text
            async for event in heard:
                if event.kind == kind:
                    return event.text
        raise AssertionError("unreachable")


def _opening(simulators: Mapping[str, ToySimulator]) -> OpenDriver:
    """What opens the drivers of toys."""

    @asynccontextmanager
    async def open_driver(plan: Plan) -> AsyncIterator[Driver[Any]]:
        async with ToyLink(simulators[plan.name]) as link:
            yield plan.driver_class.over(link, limits=plan.limits, timeouts=plan.timeouts)

    return open_driver


@asynccontextmanager
async def station_in_memory(
    *plans: Plan,
    folder: Path = Path(),
    files: FileStore | None = None,
    clock: Clock | None = None,
    wait: bool = True,
    interlocks: Mapping[str, Interlock] = MappingProxyType({}),
    recipes: Recipes | None = None,
    prepare: Callable[[dict[str, ToySimulator]], None] = lambda _: None,
    record: Callable[[Board], Record] = lambda _: Unrecorded(),
    book: LedgerBook | None = None,
    ledger: Ledger | None = None,
) -> AsyncIterator[Bench]:
    """Run a fleet of toys, one by default, until the context ends."""
    clock = clock or SystemClock()
    board, events = Board(), EventLog(clock)
    plans = plans or (PLAN,)
    simulators = {plan.name: ToySimulator() for plan in plans}
    prepare(simulators)
    opening = _opening(simulators)
    async with asyncio.TaskGroup() as tasks:
        fleet = Fleet(tasks, opening, clock=clock, rng=Random(1), board=board, events=events)
        files, reservations = files or FileStore(folder), Reservations(clock)
        locks, kept = Interlocks(interlocks, board, clock), record(board)
        gate = Gate(fleet.workers, files, events, locks, reservations, kept, tasks, clock=clock)
        journal, waivers = MemoryJournal(), Waivers(kept, fleet.workers, clock, events)
        leases = Leases(reservations, fleet.workers, events, clock, ledger)
        hands, recipes = hands_on(gate, fleet.workers, board, tasks), recipes or NoRecipes()
        parts = (tasks, hands, reservations, recipes, clock, events)
        jobs = _jobs(*parts, journal, book, waivers.refusal)
        station = _station(gate, fleet, board, events, locks, files, clock, jobs, leases, waivers)
        station = replace(station, plates=_plates(station, jobs, tasks))
        for plan in plans:
            fleet.start(plan)
        if wait:
            await fleet.first_round()
        yield Bench(station, fleet, board, events, simulators, reservations, jobs, journal, kept)
        await jobs.end()
        await fleet.end()


def _plates(station: Station, jobs: Jobs, tasks: asyncio.TaskGroup) -> PlateDesk:
    station.gate.prints.plates = jobs.plates
    desk = PlateDesk(jobs.plates, station.workers, station.board, station.events, tasks)
    desk.follow()
    return desk


def _jobs(
    tasks: asyncio.TaskGroup,
    hands: Callable[[Actor], StationHands],
    reservations: Reservations,
    recipes: Recipes,
    clock: Clock,
    events: EventLog,
    journal: MemoryJournal,
    book: LedgerBook | None,
    uncovered: Callable[[Actor, str, Iterable[str]], str],
) -> Jobs:
    return jobs_on(
        tasks,
        hands,
        reservations=reservations,
        recipes=recipes,
        clock=clock,
        events=events,
        journal=Journals(book, journal) if book else journal,
        book=book,
        uncovered=uncovered,
    )


def _station(
    gate: Gate,
    fleet: Fleet,
    board: Board,
    events: EventLog,
    locks: Interlocks,
    files: FileStore,
    clock: Clock,
    jobs: Jobs,
    leases: Leases,
    waivers: Waivers,
) -> Station:
    alarms = Alarms(clock, events)
    return Station(
        name="bench-1",
        version="0.0.0",
        board=board,
        workers=fleet.workers,
        events=events,
        gate=gate,
        interlocks=locks,
        files=files,
        clock=clock,
        jobs=jobs,
        leases=leases,
        alarms=alarms,
        alarm_desk=AlarmDesk(alarms, clock),
        waivers=waivers,
    )


def named(name: str, **changes: Any) -> Plan:
    """The usual toy under another name."""
    return replace(PLAN, name=name, **changes)


__all__ = [
    "COVERED",
    "PLAN",
    "Bench",
    "ToySimulator",
    "ToySupply",
    "named",
    "station_in_memory",
]

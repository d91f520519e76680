"""Jobs on a station in memory: recipes are written into a folder, and run on toys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from textwrap import dedent, indent
from typing import Any, Final

import pytest

from agent.clock import Clock, SystemClock
from agent.fleet.plan import Plan
from agent.jobs.job import Job
from agent.jobs.jobs import Jobs
from agent.jobs.keeping.journal import MemoryJournal
from agent.jobs.keeping.ledger_book import LedgerBook
from agent.jobs.questions import Question
from agent.jobs.states import JobState
from agent.jobs.station_recipes import StationRecipes
from agent.roles import Actor
from agent.settings import Device, load
from agent.settings import Station as Settings
from agent.settings.section import Title
from agent.store.files import FileStore
from agent.store.ledger import Ledger
from drivers import Role, command
from drivers.catalogue import DRIVERS
from tests.agent.bench import COVERED, Bench, station_in_memory
from tests.agent.toy import ToySimulator
from tests.agent.toy_printer import KNOBS, State, ToyPrinter, toy_printer

KIM: Final = Actor(name="kim", origin="cli", role=Role.TECHNICIAN)
LEE: Final = Actor(name="lee", origin="cli", role=Role.ENGINEER)
VISITOR: Final = Actor(name="visitor", origin="api", role=Role.OBSERVER)
STATION: Final = """\
name: bench-1
state: state
devices: {}
"""
TOYS: Final = {
    "toy.supply": "tests.agent.toy:ToySupply",
    "toy.printer": "tests.agent.jobs_bench:PausablePrinter",
}


class PausablePrinter(ToyPrinter):
    """A toy printer that goes on after a pause, and ends its print when it is made safe."""

    @command(timeout=5, anytime=True)
    async def resume(self) -> None:
        """Go on."""
        await self._set("state", State.PRINTING)

    async def make_safe(self) -> None:
        """End the print."""
        await self._set("state", State.IDLE)


def pausable_printer() -> Plan:
    """The plan of a printer for jobs."""
    return replace(toy_printer(), driver_class=PausablePrinter)


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue has the toys' drivers as long as the test runs."""
    for name, place in TOYS.items():
        monkeypatch.setitem(DRIVERS, name, place)


@dataclass
class JobsBench:
    """Jobs, the station under them, and the folder of their recipes."""

    jobs: Jobs
    station: Bench
    journal: MemoryJournal
    recipes: Path

    def write(self, steps: str, *, name: str = "trial", head: str = "", tail: str = "") -> None:
        """Write a recipe; it has the roles that it speaks of, each a device of the bench."""
        body, ending = dedent(steps).strip("\n"), dedent(tail).strip("\n")
        spoken = f"{body}\n{ending}"
        roles = "".join(
            f"  {role}: {{driver: {driver}, device: {device}}}\n"
            for role, driver, device in ROLES
            if f"{role}." in spoken or f"on: {role}" in spoken
        )
        devices = f"devices:\n{roles}" if roles else ""
        text = f'name: {name}\nversion: "1"\n{dedent(head)}{devices}steps:\n'
        (self.recipes / f"{name}.yaml").write_text(f"{text}{indent(body, '  ')}\n{ending}\n")

    async def start(self, actor: Actor = LEE, name: str = "trial", **arguments: object) -> Job:
        """Submit a recipe."""
        return await self.jobs.submit(name, arguments, {}, actor)

    async def ran(self, steps: str, *, head: str = "", tail: str = "", **arguments: object) -> Job:
        """Write a recipe, start it, and wait for its end."""
        self.write(steps, head=head, tail=tail)
        job = await self.jobs.submit("trial", arguments, {}, LEE)
        async with asyncio.timeout(8):
            return await self.jobs.until_over(job.id)

    async def over(self, job: Job) -> Job:
        """Wait for a job's end."""
        async with asyncio.timeout(8):
            return await self.jobs.until_over(job.id)

    async def until(self, holds: Callable[[], Any], seconds: float = 20.0) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.005)

    async def until_state(self, job: Job, state: JobState) -> None:
        """Wait until a job is in this state."""
        await self.until(lambda: job.state is state)

    async def until_at(self, job: Job, key: str) -> None:
        """Wait until a job is at the step of this key."""
        await self.until(lambda: key in [it.key for it in job.progress.now])

    async def until_asked(self) -> Question:
        """Wait for a question."""
        await self.until(lambda: self.jobs.questions)
        return self.jobs.questions[0]

    def sent(self, device: str = "psu1") -> list[str]:
        """What a device was told, in order: settings and commands, no questions."""
        return [line for line in self.station.simulators[device].asked if " " in line]

    def logged(self, job: Job) -> list[str]:
        """The lines of a job's log."""
        return [line.en for line in job.log]


ROLES: Final = (
    ("supply", "toy.supply", "psu1"),
    ("other", "toy.supply", "psu2"),
    ("printer", "toy.printer", "printer1"),
)


@asynccontextmanager
async def jobs_in_memory(
    folder: Path,
    *plans: Plan,
    clock: Clock | None = None,
    ledger: Ledger | None = None,
    kept: int = 200,
) -> AsyncIterator[JobsBench]:
    """Jobs over two toy supplies, or over what these plans say."""
    plans = plans or (COVERED, replace(COVERED, name="psu2"))
    recipes = folder / "recipes"
    recipes.mkdir(exist_ok=True)
    (folder / "files").mkdir(exist_ok=True)
    settings = await asyncio.to_thread(_settings, folder, plans)
    files, clock = FileStore(folder / "files"), clock or SystemClock()
    async with station_in_memory(
        *plans,
        files=files,
        clock=clock,
        recipes=StationRecipes(lambda: settings, files),
        prepare=_as_printer,
        book=LedgerBook(ledger, ended_kept=kept) if ledger else None,
        ledger=ledger,
    ) as bench:
        yield JobsBench(bench.jobs, bench, bench.journal, recipes)


def _as_printer(simulators: dict[str, ToySimulator]) -> None:
    """The toy behind printer1 knows a printer's words."""
    if "printer1" in simulators:
        simulators["printer1"].values |= KNOBS


def _settings(folder: Path, plans: tuple[Plan, ...]) -> Settings:
    file = folder / "station.yaml"
    file.write_text(STATION, "utf-8")
    devices: Mapping[str, Device] = {plan.name: _device(plan) for plan in plans}
    return replace(load(file), devices=devices, recipes=folder / "recipes")


def _device(plan: Plan) -> Device:
    made = partial(Device, title=Title(), limits=plan.limits, profile=plan.profile)
    return made(
        name=plan.name,
        driver=plan.driver_name,
        address=plan.address,
        simulated=False,
        serial_number="",
        poll={},
        timeouts={},
        registers={},
        access=None,
        on_shutdown="leave",
        safe_by={},
        enabled=True,
        place="station.yaml:3",
    )

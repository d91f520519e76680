"""A real fleet on real sockets and pseudo-terminals, whose instruments fall ill on request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, Final

from agent.clock import SystemClock
from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.events import EventLog
from agent.fleet.fleet import Fleet
from agent.fleet.plan import Plan
from agent.fleet.samples import Sample, Snapshot
from agent.fleet.states import DeviceState
from drivers import Driver, word
from drivers.driver import Driver as BaseDriver
from drivers.motion.grbl import GrblStage
from drivers.printers.marlin import MarlinPrinter
from drivers.transport.address import Address
from drivers.transport.lines import Lines
from simulators.instrument import Instrument
from simulators.serve import PtyServer, TcpServer
from tests.drivers.bench import ABSENT, Bench, Recorder
from tests.drivers.every_driver import BENCHES, driver

CLOCK: Final = SystemClock()
TICK_S: Final = 0.005
TERMINALS: Final = {"serial", "modbus+rtu"}


class HastyPrinter(MarlinPrinter):
    """A printer whose board starts at once."""

    traits = MappingProxyType({**MarlinPrinter.traits, "boot": 0.1})


class HastyStage(GrblStage):
    """A stage whose controller starts at once."""

    traits = MappingProxyType({**GrblStage.traits, "boot": 0.1})


HASTY: Final[Mapping[str, type[BaseDriver[Any]]]] = {
    "printers.marlin": HastyPrinter,
    "motion.grbl": HastyStage,
}


class Logged(Recorder):
    """An instrument that keeps what it hears, where each connection began, and can be switched off."""

    def __init__(self, instrument: Instrument, bench: Bench) -> None:
        super().__init__(instrument)
        self._bench = bench
        self.connections: list[int] = []
        self.began: Callable[[], None] = lambda: None
        """Called when a connection has begun."""
        self.acted: Callable[[], None] = lambda: None
        """Called when it has acted on what it heard, and before what it says is on the wire."""

    def opened(self) -> bytes:
        self.connections.append(len(self.heard))
        said = super().opened()  # boards of a printer or a stage start anew
        self.began()
        return said

    def handle(self, data: bytes) -> bytes:
        said = super().handle(data)
        self.acted()
        return said

    def power_cycle(self) -> None:
        for name in ("supply", "meter", "printer", "stage"):
            if hasattr(self._bench, name):
                getattr(self._bench, name).power_cycle()

    def since(self, connection: int = -1) -> list[bytes]:
        """What it heard from the beginning of a connection on."""
        return self.heard[self.connections[connection] :]


class Patient:
    """One instrument on its connector, and the plan of the device at the other end."""

    def __init__(self, name: str, scheme: str, folder: Path) -> None:
        self.name = f"{name.replace('.', '-')}-{scheme.replace('+', '-')}"
        self.bench = BENCHES[name]()
        self.log = Logged(self.bench.instrument(scheme), self.bench)
        self.server: PtyServer | TcpServer
        if scheme in TERMINALS:
            self.server = PtyServer(self.log, folder / self.name, tick=TICK_S)
        else:
            self.server = TcpServer(self.log, tick=TICK_S)
        self._driver_name, self._scheme = name, scheme

    def plan(self, **changes: Any) -> Plan:
        """What the fleet is to do with it; what it need not think about is polled five times a second."""
        driver_class = HASTY.get(self._driver_name, driver(self._driver_name))
        readings = driver_class.readings.items()
        prompt = [name for name, it in readings if not getattr(it.ref, "patience", 0.0)]
        periods = dict.fromkeys(prompt, 0.2)
        usual: dict[str, Any] = {
            "driver_class": driver_class,
            "periods": periods,
            "timeouts": self.bench.quick,
            "first_retry": 0.03,
            "most_retry": 0.2,
        }
        return Plan(
            name=self.name,
            driver_name=self._driver_name,
            address=self.address(),
            **{**usual, **changes},
        )

    def address(self) -> Address:
        (where,) = self.server.address().values()
        place = where if isinstance(where, str) else f"{where[0]}:{where[1]}"
        return Address.parse(f"{self._scheme}://{place}")


@dataclass
class Ward:
    """The fleet that looks after them, and what it has shown."""

    fleet: Fleet
    board: Board
    events: EventLog
    seen: list[tuple[float, Snapshot]] = field(default_factory=list)
    links: dict[str, Any] = field(default_factory=dict)
    """The links of the devices, as they were opened last."""
    drivers: dict[str, Driver[Any]] = field(default_factory=dict)
    """The drivers on these links."""

    def worker(self, patient: Patient) -> DeviceWorker:
        return self.fleet.workers[patient.name]

    def snapshot(self, patient: Patient) -> Snapshot:
        return self.board.latest[patient.name]

    async def until(
        self, patient: Patient, holds: Callable[[Snapshot], bool], seconds: float = 25.0
    ) -> Snapshot:
        """Wait until something holds of a device's snapshot."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not holds(self.snapshot(patient)):
            now = self.snapshot(patient)
            assert asyncio.get_running_loop().time() < deadline, f"still {now.state}: {now.reason}"
            await asyncio.sleep(0.005)
        return self.snapshot(patient)

    async def until_said(self, patient: Patient, words: bytes) -> None:
        """Wait until what an instrument says by itself has come, and lies unread."""
        async with asyncio.timeout(5.0):
            while words not in self.links[patient.name].inbox._bytes:
                await asyncio.sleep(0.002)

    async def until_state(self, patient: Patient, *states: DeviceState) -> Snapshot:
        return await self.until(patient, lambda snapshot: snapshot.state in states)

    def said(self, kind: str, patient: Patient) -> list[str]:
        """The texts of all events of a kind about a device."""
        return [e.text for e in self.events.kept if e.kind == kind and e.device == patient.name]


@asynccontextmanager
async def ward(*plans: Plan) -> AsyncIterator[Ward]:
    """Run a fleet with these plans until the context ends."""
    clock = CLOCK
    board, events, lines = Board(), EventLog(clock), Lines()
    links: dict[str, Any] = {}
    drivers: dict[str, Driver[Any]] = {}

    @asynccontextmanager
    async def open_driver(plan: Plan) -> AsyncIterator[Driver[Any]]:
        async with lines.link(plan.address) as link:
            links[plan.name] = link
            drivers[plan.name] = plan.driver_class.over(
                link, limits=plan.limits, timeouts=plan.timeouts
            )
            yield drivers[plan.name]

    async with asyncio.TaskGroup() as tasks:
        fleet = Fleet(tasks, open_driver, clock=clock, rng=Random(1), board=board, events=events)
        made = Ward(fleet, board, events, links=links, drivers=drivers)
        watching = tasks.create_task(_watch(made), name="ward")
        for plan in plans:
            fleet.start(plan)
        await fleet.first_round()
        yield made
        await fleet.end()
        watching.cancel()


async def _watch(made: Ward) -> None:
    async with made.board.watch() as changes:
        async for name in changes:
            made.seen.append((CLOCK.utc(), made.board.latest[name]))


class History:
    """What was true of an instrument, and since when: every good value has to be in it."""

    def __init__(self, patient: Patient) -> None:
        self._bench = patient.bench
        self._name = patient.name
        self._steps: list[tuple[float, dict[str, Any]]] = []
        self.judged = 0
        patient.log.began = self.note
        self.stir(0)

    def stir(self, step: int) -> None:
        """Change every value."""
        self._bench.stir(step)
        self.note()

    def note(self) -> None:
        """Take down what is true from now on."""
        self._steps.append((CLOCK.utc(), dict(self._bench.truth())))

    def wrong(self, made: Ward) -> list[str]:
        """The good values that were true at no moment between the question and its answer."""
        found: list[str] = []
        known: set[tuple[str, Sample]] = set()
        for posted, snapshot in made.seen:
            if snapshot.device != self._name:
                continue
            for reading, sample in snapshot.samples.items():
                fresh = sample.quality == "good" and (reading, sample) not in known
                if fresh and reading not in self._bench.local:
                    known.add((reading, sample))
                    self.judged += 1
                    if not self._was_true(reading, sample, posted):
                        found.append(f"{reading}: {sample}")
        return found

    def _was_true(self, reading: str, sample: Sample, posted: float) -> bool:
        ends = [since for since, _ in self._steps[1:]] + [float("inf")]
        return any(
            self._matches(truth[reading], sample.value)
            for (since, truth), end in zip(self._steps, ends, strict=True)
            if since <= posted and end >= sample.time
        )

    def _matches(self, wanted: object, got: object) -> bool:
        if wanted == ABSENT:
            return False
        plain = word(wanted)
        if isinstance(plain, float) and isinstance(got, float):
            return abs(got - plain) <= abs(plain) * self._bench.tolerance + 1e-9
        return bool(plain == got)

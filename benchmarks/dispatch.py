"""Dispatch: from asking for a setting to the first byte on the wire, its intent on the disk in between.

Beside it stands a bare fsync of a page of the same file system, which is the least that it can take.
Both are measured in turns, so that a disk that is slow for a while is slow for both. Goal: no more
than 1.5 times as long. How near that comes is the disk's affair as well: where it takes 0.2 ms for an
fsync, the agent's own half millisecond weighs more than where it takes 4.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

from agent.clock import SystemClock
from agent.fleet.board import Board
from agent.fleet.events import EventLog
from agent.fleet.fleet import Fleet
from agent.fleet.plan import Plan
from agent.fleet.samples import Status
from agent.roles import Actor
from agent.safety.gate import Gate
from agent.safety.interlock import Interlocks
from agent.safety.ledger_record import LedgerRecord
from agent.safety.reservations import Reservations
from agent.store.boot import boot_id
from agent.store.clock_sync import clock_synced
from agent.store.database import NAME, Database
from agent.store.entries import Provenance
from agent.store.files import FileStore
from agent.store.ledger import Ledger
from benchmarks.result import Result
from drivers import Address, Driver, Role
from drivers.protocol import scpi
from drivers.transport.memory import Loopback

GOAL: Final = 1.5
PAGE: Final = bytes(4096)
SET: Final = b"VOLT"
WHO: Final = Actor(name="technician", origin="cli", role=Role.TECHNICIAN)


class Supply(scpi.ScpiDriver):
    """A supply with one setting, which is never polled."""

    identity = r"bench,.*"

    voltage = scpi.setting("VOLT", unit="V", low=0, high=16, every=0.0, doc="Target.")


class Wire:
    """The other end: it answers at once, and notes when the first byte of a setting has come."""

    def __init__(self) -> None:
        self.came = 0.0
        self._volts = b"0"

    def handle(self, data: bytes) -> bytes:
        """Answer a line of SCPI; of several in one line, those that are questions."""
        if data.startswith(SET) and b"?" not in data.partition(b";")[0]:
            self.came = time.perf_counter()
            self._volts = data.split()[1].partition(b";")[0]
        answers = [self._answer(part) for part in data.strip().split(b";") if part.endswith(b"?")]
        return b";".join(answers) + b"\n" if answers else b""

    def _answer(self, question: bytes) -> bytes:
        if question.endswith(b"*IDN?"):
            return b"bench,supply,1,1"
        return self._volts if SET in question else b'0,"No error"'


async def measure(quick: bool) -> list[Result]:
    """Five rounds of 200 settings, each after an fsync; quick: two of 50."""
    rounds, times = (2, 50) if quick else (5, 200)
    with tempfile.TemporaryDirectory(prefix="lk-bench-") as made:
        found = await _rounds(Path(made), rounds, times)
    ours = [median(dispatches) for dispatches, _ in found]
    bare = [median(syncs) for _, syncs in found]
    ratios = [a / b for a, b in zip(ours, bare, strict=True)]
    return [
        Result(
            name="dispatch",
            figure=(
                f"{median(ours) * 1e3:.2f} ms from the gate's door to the first byte, intent on the disk, "
                f"a bare fsync {median(bare) * 1e3:.2f} ms: ×{median(ratios):.2f} "
                f"(worst round ×{max(ratios):.2f})"
            ),
            goal=f"×{GOAL:g}",
            reached=GOAL / median(ratios),
            more={"dispatch_s": ours, "fsync_s": bare},
        )
    ]


async def _rounds(folder: Path, rounds: int, times: int) -> list[tuple[list[float], list[float]]]:
    found = []
    async with _station(folder) as (gate, wire):
        with _synced(folder) as sync:
            for _ in range(rounds):
                pairs = [(await _dispatch(gate, wire, n), sync()) for n in range(times)]
                found.append(([it for it, _ in pairs], [it for _, it in pairs]))
    return found


async def _dispatch(gate: Gate, wire: Wire, number: int) -> float:
    """Seconds from asking to the first byte."""
    began = time.perf_counter()
    outcome = await gate.set(WHO, "psu1", "voltage", 1.0 + number % 10)
    if outcome.status is not Status.DONE:
        raise RuntimeError(outcome.message)
    return wire.came - began


@contextmanager
def _synced(folder: Path) -> Iterator[Callable[[], float]]:
    """Give what appends a page and waits until it is on the disk; it returns the seconds of that."""
    descriptor = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def sync() -> float:
        began = time.perf_counter()
        os.write(descriptor, PAGE)
        os.fsync(descriptor)
        return time.perf_counter() - began

    try:
        yield sync
    finally:
        os.close(descriptor)


@asynccontextmanager
async def _station(folder: Path) -> AsyncIterator[tuple[Gate, Wire]]:
    """A gate with a ledger on the disk and one device in memory."""
    clock, wire, board = SystemClock(), Wire(), Board()
    events = EventLog(clock)

    @asynccontextmanager
    async def open_driver(_: Plan) -> AsyncIterator[Driver[Any]]:
        async with Loopback(wire.handle) as link:
            yield Supply.over(link)

    async with Database(folder / NAME, clock) as database:
        record = await _record(database, board, clock)
        async with asyncio.TaskGroup() as tasks:
            fleet = Fleet(
                tasks, open_driver, clock=clock, rng=Random(1), board=board, events=events
            )
            gate = Gate(
                *(fleet.workers, FileStore(folder), events, Interlocks({}, board, clock)),
                *(Reservations(), record, tasks),
                clock=clock,
            )
            fleet.start(_plan())
            await fleet.first_round()
            yield gate, wire
            await fleet.end()


async def _record(database: Database, board: Board, clock: SystemClock) -> LedgerRecord:
    ledger = Ledger(
        database,
        clock=clock,
        rng=Random(),
        provenance=Provenance(boot_id=boot_id(), software_version="0", config_hash="0" * 64),
        is_clock_synced=clock_synced,
    )
    record = LedgerRecord(ledger, board, clock)
    await record.open("bench", ())
    return record


def _plan() -> Plan:
    return Plan(
        name="psu1",
        driver_name="bench.supply",
        driver_class=Supply,
        address=Address.parse("tcp://127.0.0.1:1"),
        titles={},
        periods={"voltage": 0.0},
    )

"""A station whose gate records in a ledger of the test, on a disk that can be made to hang or be full."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random
from typing import Any

from agent.clock import SystemClock
from agent.fleet.samples import Outcome, Sample, Status
from agent.fleet.states import DeviceState
from agent.roles import Actor
from agent.safety.intended import Intended
from agent.safety.ledger_record import LedgerRecord
from agent.store.database import NAME, Connection, Database
from agent.store.entries import Provenance
from agent.store.ledger import Ledger
from drivers import Role
from tests.agent.bench import Bench, station_in_memory
from tests.agent.store.test_database import Failing

KIM = Actor(name="kim", origin="cli", role=Role.TECHNICIAN)
UNKNOWN = Outcome(status=Status.UNKNOWN, message="cut off")
VISITOR = Actor(name="visitor", origin="api", role=Role.OBSERVER)


class Held(LedgerRecord):
    """A record whose disk takes nothing until it is let go."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.let_go = asyncio.Event()
        self.let_go.set()
        self.defect: Exception | None = None
        self.has_ended = False
        """Whether the end of something that was switched off was asked to be recorded."""

    async def intend(self, *asked: Any, **how: Any) -> Any:
        if self.defect is not None:
            raise self.defect
        intent = await super().intend(*asked, **how)
        await self.let_go.wait()
        return intent

    async def ended(self, intent: Intended, outcome: Outcome) -> None:
        self.has_ended = intent.recorded is not None
        await super().ended(intent, outcome)


class Hanging:
    """A connection whose disk does not come back from a commit until it wakes."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self.wakes = connection, threading.Event()

    def execute(self, sql: str, *rest: Any) -> Any:
        if sql == "COMMIT":
            self.wakes.wait(20)
        return self._connection.execute(sql, *rest)


class Recorded:
    """A station whose gate has a ledger in a folder of the test."""

    def __init__(self, bench: Bench, ledger: Ledger, record: Held, database: Database) -> None:
        self.bench, self.ledger, self.record, self.database = bench, ledger, record, database
        self.gate, self.toy = bench.station.gate, bench.simulators["psu1"]

    async def stages(self) -> list[tuple[str, str]]:
        """Target and stage of each command's entries, in order."""
        rows = [row.entry for row in await self.ledger.rows()]
        return [(it["object"], it["stage"]) for it in rows if it["kind"] == "command"]

    async def until_stage(self, stage: str) -> None:
        async with asyncio.timeout(3):
            while stage not in [found for _, found in await self.stages()]:
                await asyncio.sleep(0.01)

    async def entries(self, action: str) -> list[dict[str, Any]]:
        """The entries of this action, in order."""
        rows = [dict(row.entry) for row in await self.ledger.rows()]
        return [it for it in rows if it["action"] == action]

    async def until_entry(self, action: str) -> dict[str, Any]:
        """The first entry of this action, as soon as it is there."""
        async with asyncio.timeout(5):
            while not (found := await self.entries(action)):
                await asyncio.sleep(0.01)
        return found[0]

    async def until_entries(self, action: str, number: int) -> list[dict[str, Any]]:
        """The entries of this action, as soon as there are that many; they come in groups."""
        async with asyncio.timeout(5):
            while len(found := await self.entries(action)) < number:
                await asyncio.sleep(0.01)
        return found

    async def until_settled(self) -> dict[str, Any]:
        """The first entry that settles a command, as soon as it is there."""
        await self.until_stage("settled")
        rows = [dict(row.entry) for row in await self.ledger.rows()]
        return next(it for it in rows if it.get("stage") == "settled")

    @contextmanager
    def hung_disk(self) -> Iterator[None]:
        """Let the disk take nothing and say nothing until the context ends."""
        real, hanging = self.database._writing, Hanging(self.database._writing)
        self.database._writing = hanging  # type: ignore[assignment]
        try:
            yield
        finally:
            hanging.wakes.set()
            self.database._writing = real

    @contextmanager
    def disk_that_hangs_and_fails(self) -> Iterator[None]:
        """Let the disk take nothing and say nothing until the context ends, and then have no room once."""
        real = self.database._writing
        hanging = Hanging(Failing(real, "COMMIT", "SQLITE_FULL"))  # type: ignore[arg-type]
        self.database._writing = hanging  # type: ignore[assignment]
        try:
            yield
        finally:
            self.database._writing = real
            hanging.wakes.set()

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Let the disk refuse everything until the context ends."""
        real = self.database._writing
        self.database._writing = Failing(real, "COMMIT", "SQLITE_FULL")  # type: ignore[assignment]
        try:
            yield
        finally:
            self.database._writing = real

    async def unknown(self, verb: str = "set", target: str = "psu1.voltage") -> None:
        """Put on record that nobody knows how something ended, which was never sent in truth."""
        await self.record.ended(await self.intended(verb, target), UNKNOWN)

    async def intended(self, verb: str = "set", target: str = "psu1.voltage") -> Any:
        """Put on record that something is about to be sent."""
        return await self.record.intend(KIM, verb, target, 3.0, within=5.0, is_off=False)

    async def read_anew(self, name: str = "voltage") -> None:
        """Wait until a value was put up twice more: the second was asked for after now."""
        for _ in range(2):
            await self._read_again(name, self.bench.board.latest["psu1"].samples[name])

    async def _read_again(self, name: str, last: Sample) -> None:
        await self.bench.until("psu1", lambda at: at.samples[name] is not last)

    def orders(self) -> list[str]:
        """What the device was told, in order; questions are left out."""
        return [line for line in self.toy.asked if not line.endswith("?")]

    async def ramp_into_the_unknown(self) -> Outcome:
        """A command that the link's end cuts off."""
        async with asyncio.TaskGroup() as tasks:
            ramp = tasks.create_task(self.gate.do(KIM, "psu1", "ramp", {"to": 5.0, "seconds": 0.3}))
            await self.bench.until_state("psu1", DeviceState.BUSY)
            self.toy.unplugged = True
        self.toy.unplugged = False
        await self.bench.until_state("psu1", DeviceState.READY)
        return ramp.result()


@asynccontextmanager
async def recorded(folder: Path, *devices: str) -> AsyncIterator[Recorded]:
    """A station whose config has these devices, as far as the ledger is concerned."""
    clock = SystemClock()
    async with Database(folder / NAME, clock) as database:
        ledger = Ledger(
            database,
            clock=clock,
            rng=Random(),
            provenance=Provenance(boot_id="b", software_version="0", config_hash="c"),
            is_clock_synced=lambda: None,
        )
        async with station_in_memory(record=lambda board: Held(ledger, board, clock)) as bench:
            record = bench.record
            assert isinstance(record, Held)
            await record.open("bench-1", devices)
            async with asyncio.TaskGroup() as tasks:
                following = tasks.create_task(record.run(), name="record")
                yield Recorded(bench, ledger, record, database)
                following.cancel()

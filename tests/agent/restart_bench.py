"""A station with jobs whose database is a real file, ended in order or cut off, and begun anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random

from agent.clock import Clock, SystemClock
from agent.fleet.plan import Plan
from agent.store.database import NAME, Database
from agent.store.ledger import Ledger
from tests.agent.jobs_bench import JobsBench, jobs_in_memory
from tests.agent.ledger_bench import PROVENANCE


@asynccontextmanager
async def life(
    folder: Path,
    *plans: Plan,
    cut_off: bool = False,
    begun: bool = True,
    clock: Clock | None = None,
    kept: int = 200,
) -> AsyncIterator[JobsBench]:
    """One life of an agent over the state in `folder`.

    With `cut_off` nothing more reaches the disk from the end of the context on, as after a kill.
    Where it has not `begun`, it has not taken over what the one before has left.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as disk:
        database = await disk.enter_async_context(Database(folder / NAME, clock))
        ledger = Ledger(
            database,
            clock=clock,
            rng=Random(),
            provenance=PROVENANCE,
            is_clock_synced=lambda: True,
        )
        await ledger.begin("bench-1")
        async with jobs_in_memory(folder, *plans, clock=clock, ledger=ledger, kept=kept) as bench:
            assert bench.station.station.leases is not None
            await bench.station.station.leases.recall()
            if begun:
                await bench.jobs.begin()
                bench.jobs.open()
            yield bench
            if cut_off:
                await disk.aclose()

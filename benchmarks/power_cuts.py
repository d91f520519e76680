"""The power fails under an agent with jobs: nothing acknowledged is lost, nothing is sent twice.

As `crash`, but the state folder is on a disk of its own (benchmarks/lossy_disk.py) whose power is
cut with that of the agent. What was written and not synced is lost then, or a part of it
survives, sector by sector and in no order; so do changes of names. After each cut the ledger is
verified from what is left, and the agent has to start upon it without a hand's turn. Goal: nothing wrong
in 200 cuts.

POWER_SEED and POWER_CUTS in the environment choose another seed, and another number of cuts.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Final

from benchmarks.crash import Lane, endure, told
from benchmarks.crash_station import Station, station
from benchmarks.power import Power
from benchmarks.result import Result

CUTS: Final = 200
QUICK: Final = 6
STATIONS: Final = 2


async def measure(quick: bool) -> list[Result]:
    """Cut the power of two agents 100 times each, or 3 times each when quick."""
    seed = os.environ.get("POWER_SEED", "1")
    cuts = int(os.environ.get("POWER_CUTS", QUICK if quick else CUTS))
    lanes = [Lane(f"{seed}.{number}") for number in range(1, STATIONS + 1)]
    async with asyncio.TaskGroup() as tasks:
        for number, lane in enumerate(lanes):
            share = (cuts + number) // STATIONS
            tasks.create_task(endure(lane, share, powered), name=f"station {lane.seed}")
    return [told("power_cuts", "power cuts", lanes)]


@asynccontextmanager
async def powered(seed: str) -> AsyncIterator[Station]:
    """A station on a disk whose power is cut with its own. Raises NoSuchDisk."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="lk-power-"))
    platter, state = folder / "platter", folder / "state"
    platter.mkdir()
    state.mkdir()
    numbers = count(1)
    async with Power(platter, state) as power:

        async def cut(process: asyncio.subprocess.Process) -> None:
            await power.cut(process, f"{seed}.{next(numbers)}")

        async with station(seed, folder, cut) as it:
            yield it
    await asyncio.to_thread(shutil.rmtree, folder)  # where something is wrong, all of it stays

"""An agent with jobs is killed at random moments: nothing acknowledged is lost, nothing is sent twice.

Real agents drive simulated supplies that outlive them and count what they are told. Clients start
jobs and change settings over HTTP all the time. `kill -9` comes at any moment, one time in five
while the agent is starting. After each kill the ledger is verified, and held against what the
supplies were told and what the clients were answered. Goal: nothing wrong in 1,000 kills.

CRASH_SEED and CRASH_KILLS in the environment choose another seed, and another number of kills.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from benchmarks.crash_station import Station, station
from benchmarks.result import Result

KILLS: Final = 1000
QUICK: Final = 12
STATIONS: Final = 2
"""Side by side. Each has its own folder, ledger and supplies."""
EACH_S: Final = 120.0
"""A round that takes longer hangs."""

Begun = Callable[[str], AbstractAsyncContextManager[Station]]
"""Begins a station with this seed."""


@dataclass
class Lane:
    """What became of one station."""

    seed: str
    kills: int = 0
    jobs: int = 0
    commands: int = 0
    settings: int = 0
    rows: int = 0
    starts: list[float] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


async def measure(quick: bool) -> list[Result]:
    """Kill two agents 500 times each, or 6 times each when quick."""
    seed = os.environ.get("CRASH_SEED", "1")
    kills = int(os.environ.get("CRASH_KILLS", QUICK if quick else KILLS))
    lanes = [Lane(f"{seed}.{number}") for number in range(1, STATIONS + 1)]
    async with asyncio.TaskGroup() as tasks:
        for number, lane in enumerate(lanes):
            share = (kills + number) // STATIONS
            tasks.create_task(endure(lane, share), name=f"station {lane.seed}")
    return [told("crash", "kills", lanes)]


async def endure(lane: Lane, kills: int, begun: Begun = station) -> None:
    """Kill a station so often, or until something is wrong; its folder is kept then."""
    try:
        async with begun(lane.seed) as it:
            for number in range(1, kills + 1):
                async with asyncio.timeout(EACH_S):
                    _note(lane, await it.round(), f"kill {number}", str(it.folder))
                lane.kills, lane.starts = it.kills, it.starts
            async with asyncio.timeout(EACH_S):
                _note(lane, await it.end(), "the end", str(it.folder))
            lane.jobs, lane.rows = len(it.books.states), it.books.read
            lane.commands = len(it.books.stages)
            lane.settings = it.acknowledged.settings.total()
    except Wrong:
        sys.stderr.write(f"seed {lane.seed}: {'; '.join(lane.findings)}\n")


class Wrong(Exception):
    """Something does not hold: there is no point in going on."""


def _note(lane: Lane, findings: list[str], when: str, where: str) -> None:
    if findings:
        lane.findings += [f"{when}, in {where}: {it}" for it in findings]
        raise Wrong


def told(name: str, what: str, lanes: list[Lane]) -> Result:
    """What became of all the stations, after so many kills or cuts."""

    def total(name: str) -> int:
        return sum(getattr(lane, name) for lane in lanes)

    findings = [it for lane in lanes for it in lane.findings]
    starts = [it for lane in lanes for it in lane.starts]
    return Result(
        name=name,
        figure=(
            f"{len(findings)} findings after {total('kills'):,} {what} of {len(lanes)} stations: "
            f"{total('jobs'):,} jobs with one final state each, {total('commands'):,} commands, "
            f"{total('settings'):,} acknowledged settings, {total('rows'):,} rows of the ledger; "
            f"{median(starts or [0.0]):.2f} s from a start to the first answer"
        ),
        goal="nothing wrong",
        reached=0.0 if findings else 1.0,
        more={"findings": findings, "lanes": [vars(lane) for lane in lanes]},
    )

"""What a stop settles and what it does not, and that it is made to its end whoever asked for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from agent.clock import SystemClock
from agent.ending import Patience, cancelled
from agent.fleet.samples import Outcome, Status
from agent.roles import Actor
from agent.safety.gate import Gate
from agent.safety.record import Record, Unrecorded
from drivers import Driver
from tests.agent.bench import PLAN, Bench, ToySupply, station_in_memory
from tests.agent.record_bench import KIM, recorded


class Meter(ToySupply):
    """A toy that only measures."""

    hazards: ClassVar = {}
    make_safe = Driver.make_safe


async def test_a_stop_of_what_cannot_be_made_safe_says_so_and_settles_nothing() -> None:
    async with station_in_memory(replace(PLAN, driver_class=Meter)) as bench:
        outcome = await bench.station.gate.stop(KIM, "psu1")
        assert (outcome.status, outcome.is_settling) == (Status.DONE, False)
        assert "has nothing to be made safe" in outcome.message


async def test_only_a_stop_that_made_something_safe_settles_what_was_unknown(
    tmp_path: Path,
) -> None:
    async with recorded(tmp_path) as it:
        await it.ramp_into_the_unknown()
        now = SystemClock().monotonic()
        nothing = Outcome(status=Status.DONE, message="nothing to be made safe", is_settling=False)
        await it.record.stopped(KIM, "psu1", nothing, now)
        assert "psu1 is blocked" in it.record.doubted("psu1")
        await it.record.stopped(KIM, "psu1", Outcome(status=Status.DONE), now)
        assert it.record.doubted("psu1") == ""


class Stops(Unrecorded):
    """A record that keeps the stops."""

    def __init__(self) -> None:
        self.stops: list[Outcome] = []

    async def stopped(self, actor: Actor, device: str, outcome: Outcome, asked: float) -> None:
        self.stops.append(outcome)


def lasting(bench: Bench, record: Record, tasks: asyncio.TaskGroup) -> Gate:
    station = bench.station
    return Gate(
        *(bench.fleet.workers, station.files, bench.events, station.interlocks),
        *(bench.reservations, record, tasks),
        clock=SystemClock(),
    )


async def test_a_stop_whose_caller_goes_away_is_made_and_put_on_record() -> None:
    record = Stops()
    async with station_in_memory() as bench, asyncio.TaskGroup() as tasks:
        bench.simulators["psu1"].values["outp"] = 1.0
        gate = lasting(bench, record, tasks)
        caller = tasks.create_task(gate.stop(KIM, "psu1"))
        await asyncio.sleep(0)
        caller.cancel()
        async with asyncio.timeout(3):
            while not gate.stops_under_way:
                await asyncio.sleep(0)
            await asyncio.wait(gate.stops_under_way)
        assert bench.simulators["psu1"].values["outp"] == 0.0
    assert [outcome.status for outcome in record.stops] == [Status.DONE]


async def test_patience_ends_with_its_limit_and_at_once_when_it_is_hurried() -> None:
    patience, never = Patience(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        hanging = tasks.create_task(never.wait())
        await patience.wait([hanging], 0.01)
        assert not hanging.done()
        waiting = tasks.create_task(patience.wait([hanging], 1000))
        await asyncio.sleep(0)
        patience.hurry()
        async with asyncio.timeout(3):
            await waiting
            await patience.wait([hanging], 1000)
        assert not hanging.done()
        cancelled([hanging])

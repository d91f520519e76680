"""Interlocks at work: what they refuse, whom they make safe, and that they hinder no stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agent.fleet.samples import Cause, Status
from agent.fleet.states import DeviceState
from agent.metrics.interlocks import interlock_families
from agent.roles import Actor
from agent.safety.trips import Trips
from agent.settings import Condition, Interlock, Title
from drivers import Role
from tests.agent.bench import Bench, named, station_in_memory

ENGINEER = Actor(name="lee", origin="cli", role=Role.ENGINEER)
FAST = {"voltage": 0.05, "output": 0.05, "temperature": 0.05}


def interlock(**changes: Any) -> Mapping[str, Interlock]:
    """Guards psu1: the voltage of psu2 must be below 5 V."""
    given: dict[str, Any] = {
        "name": "low-voltage",
        "title": Title(),
        "requires": (Condition(device="psu2", reading="voltage", unit="V", below=5.0),),
        "guards": frozenset({"psu1.output", "psu1.ramp"}),
        "trip": (),
        "delay": 0.0,
        "max_age": 5.0,
    }
    return {"low-voltage": Interlock(**{**given, **changes})}


@asynccontextmanager
async def bench_with(
    locks: Mapping[str, Interlock], *, trips: bool = False, psu2: Mapping[str, float] = FAST
) -> AsyncIterator[Bench]:
    plans = [named("psu1", periods=FAST), named("psu2", periods=psu2)]
    async with station_in_memory(*plans, interlocks=locks) as bench:
        station = bench.station
        watching = Trips(
            station.interlocks, bench.board, station.clock, bench.events, station.gate.stop
        )
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(watching.run() if trips else asyncio.sleep(0), name="trips")
            yield bench
            task.cancel()


async def put(bench: Bench, device: str, name: str, value: object) -> None:
    """Set a value that no interlock guards."""
    outcome = await bench.station.gate.set(ENGINEER, device, name, value)
    assert outcome.status is Status.DONE, outcome.message


async def until(bench: Bench, device: str, name: str, holds: Callable[[Any], bool]) -> None:
    await bench.until(device, lambda it: name in it.samples and holds(it.samples[name].value))


def sent_to(bench: Bench, device: str) -> list[str]:
    """What was set or done, in order; questions are left out."""
    return [line for line in bench.simulators[device].asked if not line.endswith("?")]


async def test_a_guarded_switch_and_a_guarded_command_are_refused_and_nothing_is_sent() -> None:
    async with bench_with(interlock()) as bench:
        await put(bench, "psu2", "voltage", 6.0)
        on = await bench.station.gate.set(ENGINEER, "psu1", "output", True)
        ramp = await bench.station.gate.do(ENGINEER, "psu1", "ramp", {"to": 1.0})
        for outcome, target in ((on, "psu1.output"), (ramp, "psu1.ramp")):
            assert (outcome.status, outcome.cause) == (Status.REFUSED, Cause.INTERLOCKED)
            assert outcome.message == (
                f"{target} is refused by the interlock low-voltage: "
                "psu2.voltage is 6 V and must be below 5 V"
            )
        assert not sent_to(bench, "psu1")


async def test_what_holds_lets_it_pass_and_what_is_not_guarded_always_passes() -> None:
    async with bench_with(interlock()) as bench:
        await put(bench, "psu2", "voltage", 4.0)
        await put(bench, "psu1", "output", True)
        await put(bench, "psu2", "voltage", 6.0)
        await put(bench, "psu1", "voltage", 3.0)


async def test_no_interlock_keeps_a_person_from_switching_off_or_stopping() -> None:
    async with bench_with(interlock()) as bench:
        await put(bench, "psu1", "output", True)
        await put(bench, "psu2", "voltage", 6.0)
        await put(bench, "psu1", "output", False)
        stopped = await bench.station.gate.stop(ENGINEER, "psu1")
        assert stopped.status is Status.DONE


async def test_a_device_that_is_silent_counts_as_wrong() -> None:
    async with bench_with(interlock()) as bench:
        bench.simulators["psu2"].silent = True
        await bench.until_state("psu2", DeviceState.OFFLINE)
        outcome = await bench.station.gate.set(ENGINEER, "psu1", "output", True)
        assert outcome.cause is Cause.INTERLOCKED
        assert "psu2.voltage is stale" in outcome.message


async def test_a_trip_makes_safe_and_says_why_and_switches_nothing_on_again() -> None:
    locks = interlock(trip=("psu1",))
    async with bench_with(locks, trips=True) as bench:
        await put(bench, "psu1", "output", True)
        await put(bench, "psu2", "voltage", 6.0)
        told = await bench.until_event("interlock.tripped")
        assert told == (
            "the interlock low-voltage trips: psu2.voltage is 6 V and must be below 5 V; "
            "making psu1 safe"
        )
        await bench.until_event("stop.done")
        await until(bench, "psu1", "output", lambda on: on is False)
        await put(bench, "psu2", "voltage", 4.0)
        await bench.until_event("interlock.restored")
        assert bench.board.latest["psu1"].samples["output"].value is False
        told_of = {
            sample.name: sample.value
            for family in interlock_families(bench.station.interlocks)
            for sample in family.samples
        }
        assert told_of == {
            "labkeeper_interlock_holds": 1.0,
            "labkeeper_interlock_latched": 0.0,
            "labkeeper_interlock_trips_total": 1.0,
        }


async def test_a_trip_waits_for_its_delay_and_not_for_a_short_excursion() -> None:
    locks = interlock(trip=("psu1",), delay=0.4)
    async with bench_with(locks, trips=True) as bench:
        await put(bench, "psu2", "voltage", 6.0)
        await put(bench, "psu2", "voltage", 4.0)
        await until(bench, "psu2", "voltage", lambda volts: volts == 4.0)
        began = asyncio.get_running_loop().time()
        await put(bench, "psu2", "voltage", 6.0)
        assert not [it for it in bench.events.kept if it.kind == "interlock.tripped"]
        await bench.until_event("interlock.tripped")
        assert asyncio.get_running_loop().time() - began >= 0.4


async def test_a_device_that_was_away_is_made_safe_when_it_comes_back() -> None:
    locks = interlock(trip=("psu1",))
    async with bench_with(locks, trips=True) as bench:
        await put(bench, "psu1", "output", True)
        bench.simulators["psu1"].silent = True
        await bench.until_state("psu1", DeviceState.OFFLINE)
        await put(bench, "psu2", "voltage", 6.0)
        await bench.until_event("interlock.tripped")
        bench.simulators["psu1"].silent = False
        await bench.until_event("stop.done")
        await until(bench, "psu1", "output", lambda on: on is False)


async def test_a_value_that_becomes_too_old_trips_without_any_change_at_all() -> None:
    locks = interlock(trip=("psu1",), max_age=0.3)
    once = {"voltage": 60.0, "output": 60.0}
    async with bench_with(locks, trips=True, psu2=once) as bench:
        told = await bench.until_event("interlock.tripped")
    assert "psu2.voltage is 0.3" in told
    assert "s old, and believed for 0.3 s" in told


async def test_a_device_that_refuses_to_be_read_is_made_safe_all_the_same() -> None:
    locks = interlock(trip=("psu1",))
    async with bench_with(locks, trips=True) as bench:
        await put(bench, "psu1", "output", True)
        bench.simulators["psu1"].refuses_all = True
        await bench.until_state("psu1", DeviceState.FAULT)
        await put(bench, "psu2", "voltage", 6.0)
        async with asyncio.timeout(3):
            while bench.simulators["psu1"].values["outp"]:
                await asyncio.sleep(0.01)


async def test_what_has_tripped_can_not_be_switched_on_while_it_is_wrong() -> None:
    locks = interlock(trip=("psu1",), guards=frozenset())
    async with bench_with(locks, trips=True) as bench:
        await put(bench, "psu2", "voltage", 6.0)
        await bench.until_event("stop.done")
        outcome = await bench.station.gate.set(ENGINEER, "psu1", "output", True)
        assert outcome.cause is Cause.INTERLOCKED


async def test_a_device_is_made_safe_also_when_all_is_right_again_before_it_is_back() -> None:
    locks = interlock(trip=("psu1",))
    async with bench_with(locks, trips=True) as bench:
        await put(bench, "psu1", "output", True)
        bench.simulators["psu1"].silent = True
        await bench.until_state("psu1", DeviceState.OFFLINE)
        await put(bench, "psu2", "voltage", 6.0)
        await bench.until_event("interlock.tripped")
        await put(bench, "psu2", "voltage", 4.0)
        told = await bench.until_event("interlock.restored")
        assert told.endswith("not confirmed safe yet: psu1")
        bench.simulators["psu1"].silent = False
        await bench.until_event("stop.done")
        await until(bench, "psu1", "output", lambda on: on is False)


@pytest.mark.parametrize("holds", [True, False])
async def test_every_interlock_is_told_of_as_it_stands(*, holds: bool) -> None:
    async with bench_with(interlock()) as bench:
        await put(bench, "psu2", "voltage", 4.0 if holds else 6.0)
        (standing,) = bench.station.interlocks.standing()
        assert standing.holds is holds
        assert bool(standing.reason) is not holds

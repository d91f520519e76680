"""What an interlock may not be fooled by: simulators, clocks, who looks when, starts and reloads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agent import reload as reloading
from agent.clock import SystemClock
from agent.fleet.samples import Cause, Status
from agent.fleet.states import DeviceState
from agent.reload import reload
from agent.safety.trips import Trips
from agent.settings import Condition, Interlock, load
from tests.agent.bench import Bench, named, station_in_memory
from tests.agent.safety.test_interlock import ENGINEER, FAST, bench_with, interlock, put, until


class SteppedClock(SystemClock):
    """A station's clock that somebody sets."""

    step = 0.0

    def utc(self) -> float:
        """See Clock."""
        return SystemClock.utc() + self.step


@asynccontextmanager
async def tripping(bench: Bench) -> AsyncIterator[None]:
    """What trips, at work."""
    station = bench.station
    trips = Trips(station.interlocks, bench.board, station.clock, bench.events, station.gate.stop)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(trips.run(), name="trips")
        yield
        task.cancel()


def tripped(bench: Bench) -> bool:
    return any(event.kind == "interlock.tripped" for event in bench.events.kept)


async def switched_on(bench: Bench) -> Cause | None:
    return (await bench.station.gate.set(ENGINEER, "psu1", "output", True)).cause


@pytest.mark.parametrize("all_simulated", [False, True])
async def test_a_simulated_value_frees_nothing_real(*, all_simulated: bool) -> None:
    plans = [
        named("psu1", periods=FAST, simulated=all_simulated),
        named("psu2", periods=FAST, simulated=True),
    ]
    locks = interlock(simulated=all_simulated)
    async with station_in_memory(*plans, interlocks=locks) as bench:
        await put(bench, "psu2", "voltage", 4.0)
        outcome = await bench.station.gate.set(ENGINEER, "psu1", "output", True)
        if all_simulated:
            assert outcome.status is Status.DONE
        else:
            assert outcome.cause is Cause.INTERLOCKED
            assert "psu2.voltage is simulated, and what depends on it is real" in outcome.message


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
async def test_a_clock_that_is_set_makes_no_value_older_and_none_younger(step: float) -> None:
    clock = SteppedClock()
    once = {"voltage": 60.0, "output": 60.0}
    plans = [named("psu1", periods=FAST), named("psu2", periods=once)]
    locks = interlock(max_age=0.5)
    async with station_in_memory(*plans, interlocks=locks, clock=clock) as bench:
        await put(bench, "psu2", "voltage", 4.0)
        clock.step = step
        assert await switched_on(bench) is None
        (read,) = (await bench.fleet.workers["psu2"].read(("voltage",))).values()
        while clock.monotonic() - read.mono <= 0.5:
            await asyncio.sleep(0.05)
        assert await switched_on(bench) is Cause.INTERLOCKED


async def test_hysteresis_counts_what_was_read_also_when_nobody_asked_meanwhile() -> None:
    band = (Condition(device="psu2", reading="voltage", unit="V", below=5.0, hysteresis=0.5),)
    async with bench_with(interlock(requires=band)) as bench:
        await put(bench, "psu2", "voltage", 4.0)
        await put(bench, "psu2", "voltage", 6.0)
        await put(bench, "psu2", "voltage", 4.8)
        assert await switched_on(bench) is Cause.INTERLOCKED
        await put(bench, "psu2", "voltage", 4.4)
        assert await switched_on(bench) is None


async def test_what_has_not_been_read_yet_is_waited_for_and_guards_all_the_same() -> None:
    plans = [named("psu1", periods=FAST), named("psu2", periods=FAST)]
    locks = interlock(trip=("psu1",), max_age=0.6)

    async with (
        station_in_memory(
            *plans,
            interlocks=locks,
            wait=False,
            prepare=lambda toys: setattr(toys["psu2"], "silent", True),
        ) as bench,
        tripping(bench),
    ):
        began = asyncio.get_running_loop().time()
        await bench.until_state("psu1", DeviceState.READY)
        assert await switched_on(bench) is Cause.INTERLOCKED
        assert not tripped(bench)
        assert "psu2.voltage has not been read" in await bench.until_event("interlock.tripped")
        assert asyncio.get_running_loop().time() - began >= 0.6


async def test_what_is_read_wrong_trips_at_once_however_early() -> None:
    plans = [named("psu1", periods=FAST), named("psu2", periods=FAST)]
    locks = interlock(trip=("psu1",), max_age=60.0)

    async with (
        station_in_memory(
            *plans,
            interlocks=locks,
            wait=False,
            prepare=lambda toys: toys["psu2"].values.update(volt=6.0),
        ) as bench,
        tripping(bench),
    ):
        await bench.until_event("interlock.tripped", 2.0)


CONFIG = """
name: bench-1
devices:
  psu1: {driver: siglent.spd1000x, address: "tcp://192.0.2.1:1"}
  psu2: {driver: siglent.spd1000x, address: "tcp://192.0.2.2:1"}
interlocks:
  low-voltage:
    requires: {psu2.voltage: {below: 5}}
    guards: [psu1.output]
    trip: [psu1]
"""


def _replacing(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    monkeypatch.setattr(reloading, "plan_for", lambda it, _: named(it.name, periods=FAST))
    path = folder / "station.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


async def _reload(bench: Bench, path: Path, locks: Mapping[str, Interlock], changed: str) -> None:
    new = await asyncio.to_thread(load, path)
    other = {name: replace(it, simulated=name == changed) for name, it in new.devices.items()}
    old = replace(new, devices=other, interlocks=locks)
    await reload(path, old, bench.fleet, bench.events, bench.station.interlocks)


async def test_a_device_that_a_reload_replaces_trips_nothing_when_it_comes_in_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = _replacing(monkeypatch, tmp_path)
    plans = [named("psu1", periods=FAST), named("psu2", periods=FAST)]
    locks = (await asyncio.to_thread(load, path)).interlocks
    async with station_in_memory(*plans, interlocks=locks) as bench, tripping(bench):
        await put(bench, "psu2", "voltage", 4.0)
        replaced = bench.fleet.workers["psu2"]
        await _reload(bench, path, locks, "psu2")
        assert bench.fleet.workers["psu2"] is not replaced
        assert await switched_on(bench) is Cause.INTERLOCKED  # nothing is known of it yet
        await until(bench, "psu2", "voltage", lambda volts: volts == 4.0)
        async with asyncio.timeout(2):
            while await switched_on(bench) is not None:
                await asyncio.sleep(0.02)
        assert not tripped(bench)


async def test_a_device_that_a_reload_replaces_and_that_stays_away_trips(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = _replacing(monkeypatch, tmp_path)
    path.write_text(f"{CONFIG}    max_age: 0.3\n", encoding="utf-8")
    monkeypatch.setattr("agent.settings.interlocks._kept_fresh", lambda *_: ())
    plans = [named("psu1", periods=FAST), named("psu2", periods=FAST)]
    locks = (await asyncio.to_thread(load, path)).interlocks
    async with station_in_memory(*plans, interlocks=locks) as bench, tripping(bench):
        await put(bench, "psu2", "voltage", 4.0)
        bench.simulators["psu2"].silent = True
        await _reload(bench, path, locks, "psu2")
        await bench.until_event("interlock.tripped")


async def test_an_interlock_of_a_new_config_is_in_force_before_its_devices_are_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = _replacing(monkeypatch, tmp_path)
    plan = named("psu2", periods=FAST, make_safe_on_shutdown=True)
    async with (
        station_in_memory(named("psu1", periods=FAST), plan) as bench,
        asyncio.TaskGroup() as tasks,
    ):
        await put(bench, "psu2", "voltage", 6.0)
        bench.simulators["psu2"].unplugged = True
        await bench.until_state("psu2", DeviceState.OFFLINE)
        reload_ = tasks.create_task(_reload(bench, path, {}, "psu2"))
        async with asyncio.timeout(2):
            while await switched_on(bench) is None:
                await asyncio.sleep(0.01)
        assert not reload_.done()  # psu2 is not back yet
        bench.simulators["psu2"].unplugged = False

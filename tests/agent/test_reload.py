"""Reading the config again: what changes, what stays, and an end that comes in the middle of it."""

import asyncio
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from types import MappingProxyType

import pytest

from agent import reload as reloading
from agent.fleet.states import DeviceState
from agent.reload import reload
from agent.safety.alarm_notices import trip_name
from agent.safety.alarm_watch import AlarmWatch
from agent.safety.alarms import Alarms
from agent.safety.reservations import Holder, Reservations
from agent.safety.trips import Trips
from agent.settings import Station, load
from tests.agent.bench import PLAN, Bench, named, station_in_memory

TWO = """
name: bench-1
devices:
  psu1: {driver: siglent.spd1000x, address: "tcp://192.0.2.1:1"}
  psu2: {driver: siglent.spd1000x, address: "tcp://192.0.2.2:1"}
"""


def _config(folder: Path, text: str = TWO) -> Path:
    path = folder / "station.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return path


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Devices of any config become toys of their names."""
    monkeypatch.setattr(reloading, "plan_for", lambda device, _: named(device.name))


def _other(station: Station, *names: str) -> Station:
    """The station as if these devices had been different before."""
    devices = {n: replace(d, simulated=n in names) for n, d in station.devices.items()}
    return replace(station, devices=MappingProxyType(devices))


async def _reloaded(bench: Bench, path: Path, *changed: str) -> None:
    old = _other(await asyncio.to_thread(load, path), *changed)
    await reload(path, old, bench.fleet, bench.events, bench.station.interlocks)


@pytest.mark.usefixtures("toys")
async def test_a_changed_device_does_not_wait_for_a_changed_neighbour_that_is_gone(
    tmp_path: Path,
) -> None:
    path = _config(tmp_path)
    plans = [named(name, make_safe_on_shutdown=True) for name in ("psu1", "psu2")]
    async with station_in_memory(*plans) as bench, asyncio.TaskGroup() as tasks:
        before = bench.fleet.workers["psu2"]
        bench.simulators["psu1"].unplugged = True
        await bench.until_state("psu1", DeviceState.OFFLINE)
        reloaded = tasks.create_task(_reloaded(bench, path, "psu1", "psu2"))
        async with asyncio.timeout(1):
            while bench.fleet.workers.get("psu2") in {None, before}:
                await asyncio.sleep(0.01)
        assert not reloaded.done()
        assert "psu1" in bench.fleet.workers  # until it has ended, it can be stopped
        bench.simulators["psu1"].unplugged = False


@pytest.mark.usefixtures("toys")
async def test_an_end_in_the_middle_of_a_reload_still_makes_safe_and_ends(tmp_path: Path) -> None:
    path = _config(tmp_path)
    async with asyncio.timeout(5):
        async with station_in_memory(replace(PLAN, make_safe_on_shutdown=True)) as bench:
            toy = bench.simulators["psu1"]
            toy.values["outp"], toy.unplugged = 1.0, True
            await bench.until_state("psu1", DeviceState.OFFLINE)
            async with asyncio.TaskGroup() as tasks:
                reloaded = tasks.create_task(_reloaded(bench, path, "psu1"))
                await asyncio.sleep(0.1)
                reloaded.cancel()
            toy.unplugged = False
        assert toy.values["outp"] == 0.0


async def test_a_defect_while_reading_keeps_the_old_config_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await asyncio.to_thread(load, _config(tmp_path))

    def broken(_: Path) -> Station:
        raise RuntimeError("a plugin of somebody else")

    monkeypatch.setattr(reloading, "load", broken)
    async with station_in_memory() as bench:
        kept = await reload(
            *(tmp_path / "station.yaml", old, bench.fleet, bench.events, bench.station.interlocks)
        )
        assert kept is old
        assert "a plugin of somebody else" in await bench.until_event("config.refused")


async def test_a_device_that_can_not_be_ended_holds_up_the_end_for_some_seconds_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agent.fleet.fleet.END_WITHIN_S", 0.1)
    plan = named("psu2", timeouts={"first_byte": 1.5, "whole": 1.5})
    async with station_in_memory(PLAN, plan) as bench:
        await bench.until_state("psu2", DeviceState.READY)
        toy = bench.simulators["psu2"]
        toy.silent = True
        asked = len(toy.asked)
        async with asyncio.timeout(1):
            while len(toy.asked) == asked:
                await asyncio.sleep(0.01)
        async with asyncio.timeout(1.2):
            await bench.fleet.end()


@pytest.mark.usefixtures("toys")
async def test_interlocks_that_were_changed_are_in_force_at_once_and_that_is_told(
    tmp_path: Path,
) -> None:
    old = await asyncio.to_thread(load, _config(tmp_path))
    more = "interlocks: {low: {requires: {psu2.voltage: {below: 5}}, guards: [psu1.output]}}\n"
    path = _config(tmp_path, TWO + more)
    async with station_in_memory(named("psu1"), named("psu2")) as bench:
        new = await reload(path, old, bench.fleet, bench.events, bench.station.interlocks)
        told = await bench.until_event("config.reloaded")
        assert told.endswith("changed keys, in force now: interlocks")
        assert list(new.interlocks) == ["low"]


@pytest.mark.usefixtures("toys")
async def test_a_device_of_a_running_job_is_not_replaced_and_nothing_else_is_taken_over(
    tmp_path: Path,
) -> None:
    path = _config(tmp_path)
    async with station_in_memory(named("psu1"), named("psu2")) as bench:
        old = _other(await asyncio.to_thread(load, path), "psu1", "psu2")
        before = dict(bench.fleet.workers)
        holders = {"psu1": Holder(job="j1", what="trial", by="kim")}
        given = (path, old, bench.fleet, bench.events, bench.station.interlocks)
        assert await reload(*given, lambda: holders) is old
        assert dict(bench.fleet.workers) == before
        said = await bench.until_event("config.refused")
        assert "psu1 belongs to the job j1: read the config again when it has ended" in said
        assert await reload(*given) is not old
        assert bench.fleet.workers["psu1"] is not before["psu1"]


@pytest.mark.usefixtures("toys")
async def test_a_job_that_begins_while_the_config_is_read_keeps_its_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, reservations = _config(tmp_path), Reservations()
    before, begins = (Holder(job=job, what="trial", by="kim") for job in ("j1", "j2"))
    reservations.take(["psu1"], before)

    def slow(config: Path) -> Station:
        reservations.release("j1")
        reservations.take(["psu2"], begins)
        return load(config)

    async with station_in_memory(named("psu1"), named("psu2")) as bench:
        old = _other(await asyncio.to_thread(load, path), "psu1", "psu2")
        monkeypatch.setattr(reloading, "load", slow)
        given = (path, old, bench.fleet, bench.events, bench.station.interlocks)
        assert await reload(*given, lambda: reservations.holders) is old
        said = await bench.until_event("config.refused")
        assert "psu2 belongs to the job j2" in said
        assert "j1" not in said  # it has ended meanwhile


@pytest.mark.usefixtures("toys")
async def test_a_new_interlock_that_trips_while_a_device_is_still_being_replaced_has_its_alarm(
    tmp_path: Path,
) -> None:
    old = _other(await asyncio.to_thread(load, _config(tmp_path)), "psu1")
    more = "interlocks: {low: {requires: {psu2.voltage: {below: 5}}, trip: [psu2]}}\n"
    path = _config(tmp_path, TWO + more)
    plans = named("psu1", make_safe_on_shutdown=True), named("psu2")
    async with station_in_memory(*plans) as bench, asyncio.TaskGroup() as tasks:
        station, gone = bench.station, bench.simulators["psu1"]
        alarms = Alarms(station.clock, bench.events)
        watch = AlarmWatch(alarms, bench.board, old)
        about = (station.interlocks, bench.board, station.clock, bench.events)
        trips = tasks.create_task(Trips(*about, station.gate.stop, watch.tripped).run())
        bench.simulators["psu2"].values["volt"] = 7.0
        await bench.until("psu2", lambda it: it.samples["voltage"].value == 7.0)
        gone.unplugged = True
        await bench.until_state("psu1", DeviceState.OFFLINE)
        given = (path, old, bench.fleet, bench.events, station.interlocks)
        reloaded = tasks.create_task(reload(*given, adopted=watch.adopt))
        await bench.until_event("interlock.tripped")
        assert not reloaded.done()
        assert alarms.all[trip_name("low")].active
        assert "it has tripped, and nobody has acknowledged" in watch.latched("low")
        gone.unplugged = False
        await reloaded
        trips.cancel()

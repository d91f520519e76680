"""No old value is shown as new: when a link is lost, when reads are late, and when clocks are set."""

import asyncio
from dataclasses import replace

import pytest

from agent.clock import SystemClock
from agent.fleet import polling
from agent.fleet.samples import Quality, Status
from agent.fleet.states import DeviceState
from drivers import command
from tests.agent.bench import PLAN, ToySupply, named, station_in_memory


class Slow(ToySupply):
    """A toy supply with a command that ends late, as one does whose exchange can't be cut."""

    @command(timeout=60)
    async def home(self) -> None:
        """Take a while to end, whatever happens."""
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            await asyncio.sleep(2.0)
            raise


async def test_nothing_is_good_while_the_rest_of_a_lost_connection_ends() -> None:
    async with (
        station_in_memory(replace(PLAN, driver_class=Slow)) as bench,
        asyncio.TaskGroup() as tasks,
    ):
        homing = tasks.create_task(bench.fleet.workers["psu1"].do("home", {}))
        await bench.until_state("psu1", DeviceState.BUSY)
        bench.simulators["psu1"].unplugged = True
        snapshot = await bench.until_state("psu1", DeviceState.OFFLINE, seconds=1.0)
        assert not homing.done()
        assert {sample.quality for sample in snapshot.samples.values()} == {Quality.STALE}
        bench.simulators["psu1"].unplugged = False
        await homing
        await bench.until_state("psu1", DeviceState.READY)
        kinds = [event.kind for event in bench.events.kept]
        assert kinds.count("device.offline") == 1


async def test_nothing_is_good_after_the_agent_ended_in_order() -> None:
    async with station_in_memory() as bench:
        await bench.until_state("psu1", DeviceState.READY)
    snapshot = bench.board.latest["psu1"]
    assert snapshot.state is DeviceState.OFFLINE
    assert {sample.quality for sample in snapshot.samples.values()} == {Quality.STALE}


async def test_a_worker_that_is_retired_before_its_first_try_holds_up_nobody() -> None:
    async with station_in_memory(named("psu1"), wait=False) as bench:
        waiting = bench.fleet.workers["psu1"]
        await bench.fleet.retire("psu1")
        assert waiting.tried.done()


class SteppingClock(SystemClock):
    """A clock whose wall time a person can set."""

    def __init__(self) -> None:
        self.step = 0.0

    def utc(self) -> float:
        return super().utc() + self.step


async def test_an_overdue_value_goes_stale_also_when_the_clock_was_set_back() -> None:
    clock = SteppingClock()
    plan = replace(PLAN, timeouts={"first_byte": 2.6, "whole": 2.6})
    async with station_in_memory(plan, clock=clock) as bench:
        await bench.until_state("psu1", DeviceState.READY)
        bench.simulators["psu1"].silent = True
        clock.step = -3600.0
        snapshot = await bench.until(
            "psu1", lambda s: s.samples["temperature"].quality is Quality.STALE, 5.0
        )
        assert "overdue" in snapshot.samples["temperature"].reason


async def test_a_value_read_only_when_asked_is_not_called_good_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(polling, "ASKED_GOOD_S", 0.2)
    async with station_in_memory(replace(PLAN, periods={"temperature": 0.05})) as bench:
        outcome = await bench.fleet.workers["psu1"].set("voltage", 3.0)
        assert outcome.status is Status.DONE
        assert bench.board.latest["psu1"].samples["voltage"].quality is Quality.GOOD
        await bench.until("psu1", lambda s: s.samples["voltage"].quality is Quality.STALE)


async def test_a_read_that_began_earlier_does_not_replace_a_newer_value() -> None:
    async with station_in_memory(replace(PLAN, periods={"mode": 60.0})) as bench:
        worker, toy = bench.fleet.workers["psu1"], bench.simulators["psu1"]
        await bench.until_state("psu1", DeviceState.READY)
        toy.delay = 0.02
        async with asyncio.TaskGroup() as tasks:  # asked first, and long: it ends last
            tasks.create_task(worker.read(("voltage", "temperature", "mode", "output")))
            await asyncio.sleep(0.03)
            assert (await worker.set("voltage", 4.0)).status is Status.DONE
        assert bench.board.latest["psu1"].samples["voltage"].value == 4.0

"""Settings, commands and stop on one device: once each, to their end, with an outcome."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from agent.fleet.samples import Status
from agent.fleet.states import DeviceState
from drivers.errors import DriverError, LinkClosed, TurnTimeout
from tests.agent.bench import PLAN, ToySupply, named, station_in_memory


async def test_a_setting_is_written_once_and_read_back() -> None:
    async with station_in_memory() as bench:
        outcome = await bench.fleet.workers["psu1"].set("voltage", 5.5)
        assert (outcome.status, outcome.value) == (Status.DONE, 5.5)
        assert bench.simulators["psu1"].asked.count("volt 5.5") == 1
        assert bench.board.latest["psu1"].samples["voltage"].value == 5.5


async def test_a_write_without_an_answer_is_unknown_and_is_not_repeated() -> None:
    async with station_in_memory() as bench:
        toy = bench.simulators["psu1"]
        toy.silent = True
        outcome = await bench.fleet.workers["psu1"].set("voltage", 7.0)
        assert outcome.status is Status.UNKNOWN
        assert "unknown" in outcome.message
        assert toy.asked.count("volt 7") <= 1


async def test_a_request_to_an_offline_device_says_why_and_sends_nothing() -> None:
    async with station_in_memory() as bench:
        bench.simulators["psu1"].unplugged = True
        await bench.until_state("psu1", DeviceState.OFFLINE)
        outcome = await bench.fleet.workers["psu1"].set("voltage", 1.0)
        assert outcome.status is Status.FAILED
        assert "offline" in outcome.message
        assert "unplugged" in outcome.message
        with pytest.raises(LinkClosed, match="offline"):
            await bench.fleet.workers["psu1"].read(("voltage",))


async def test_a_command_makes_the_device_busy_while_values_go_on_being_read() -> None:
    async with station_in_memory() as bench:
        async with asyncio.TaskGroup() as tasks:
            ramp = tasks.create_task(bench.fleet.workers["psu1"].do("ramp", {"to": 3.0}))
            snapshot = await bench.until_state("psu1", DeviceState.BUSY)
            assert snapshot.activity == "ramp"
            bench.simulators["psu1"].values["temp"] = 40.0
            await bench.until("psu1", lambda s: s.samples["temperature"].value == 40.0)
        assert ramp.result().status is Status.DONE
        await bench.until_state("psu1", DeviceState.READY)


async def test_while_a_command_runs_only_anytime_settings_are_accepted() -> None:
    async with station_in_memory() as bench:
        worker = bench.fleet.workers["psu1"]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(worker.do("ramp", {"to": 3.0, "seconds": 0.3}))
            await bench.until_state("psu1", DeviceState.BUSY)
            refused = await worker.set("voltage", 1.0)
            also_refused = await worker.do("ramp", {"to": 1.0})
            accepted = await worker.set("output", True)
        assert refused.status is also_refused.status is Status.REFUSED
        assert "ramp runs" in refused.message
        assert accepted.status is Status.DONE


async def test_a_caller_who_goes_away_does_not_end_the_command() -> None:
    async with station_in_memory() as bench:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await bench.fleet.workers["psu1"].do("ramp", {"to": 4.0, "seconds": 0.15})
        await bench.until("psu1", lambda s: s.samples["voltage"].value == 4.0)


async def test_stop_ends_the_command_and_makes_the_device_safe() -> None:
    async with station_in_memory() as bench:
        worker, toy = bench.fleet.workers["psu1"], bench.simulators["psu1"]
        toy.values["outp"] = 1.0
        async with asyncio.TaskGroup() as tasks:
            ramp = tasks.create_task(worker.do("ramp", {"to": 9.0, "seconds": 4.0}))
            await bench.until_state("psu1", DeviceState.BUSY)
            outcome = await worker.stop()
        assert outcome.status is Status.DONE
        assert "made safe" in outcome.message
        assert ramp.result().status is Status.UNKNOWN
        assert "a part of it may have been done" in ramp.result().message
        assert toy.values["outp"] == 0.0
        assert toy.values["volt"] == 0.0


async def test_stop_of_a_silent_device_says_that_nothing_was_confirmed() -> None:
    async with station_in_memory() as bench:
        bench.simulators["psu1"].silent = True
        outcome = await bench.fleet.workers["psu1"].stop()
        assert outcome.status in {Status.UNKNOWN, Status.FAILED}
        assert "safe" in outcome.message or "offline" in outcome.message


async def test_a_link_lost_in_mid_command_makes_its_outcome_unknown() -> None:
    async with station_in_memory() as bench:
        async with asyncio.TaskGroup() as tasks:
            ramp = tasks.create_task(
                bench.fleet.workers["psu1"].do("ramp", {"to": 9.0, "seconds": 3.0})
            )
            await bench.until_state("psu1", DeviceState.BUSY)
            bench.simulators["psu1"].unplugged = True
        assert ramp.result().status is Status.UNKNOWN


async def test_a_device_configured_so_is_made_safe_when_the_agent_ends() -> None:
    async with station_in_memory(replace(PLAN, make_safe_on_shutdown=True), named("psu2")) as bench:
        for toy in bench.simulators.values():
            toy.values["outp"] = 1.0
    assert bench.simulators["psu1"].values["outp"] == 0.0
    assert bench.simulators["psu2"].values["outp"] == 1.0


async def test_at_the_end_a_device_is_made_safe_over_a_new_link_when_the_old_one_is_gone() -> None:
    async with station_in_memory(replace(PLAN, make_safe_on_shutdown=True)) as bench:
        toy = bench.simulators["psu1"]
        toy.values["outp"] = 1.0
        toy.unplugged = True
        await bench.until_state("psu1", DeviceState.OFFLINE)
        async with asyncio.TaskGroup() as tasks:
            ending = tasks.create_task(bench.fleet.retire("psu1"))
            await asyncio.sleep(0.05)
            assert not ending.done()
            toy.unplugged = False
        assert toy.values["outp"] == 0.0


async def test_a_device_that_takes_another_value_than_was_asked_is_found_out() -> None:
    async with station_in_memory() as bench:
        bench.simulators["psu1"].cuts_at = 10.0
        outcome = await bench.fleet.workers["psu1"].set("voltage", 12.0)
        assert outcome.status is Status.FAILED
        assert "holds 10.0, not 12.0" in outcome.message
        assert (await bench.fleet.workers["psu1"].set("voltage", 9.0)).status is Status.DONE


class LostAfterWriting(ToySupply):
    """A toy supply whose link is busy, or gone, as soon as a value was written."""

    trouble: DriverError | None = None

    async def read(self, names: Iterable[str]) -> dict[str, Any]:
        wanted = tuple(names)
        if wanted == ("current_limit",) and self.trouble is not None:
            raise self.trouble
        return await super().read(wanted)


@pytest.mark.parametrize("trouble", [TurnTimeout("busy"), LinkClosed("gone")])
async def test_a_value_that_was_sent_and_can_not_be_read_back_is_unknown_and_not_unsent(
    trouble: DriverError,
) -> None:
    driver = type("Toy", (LostAfterWriting,), {"trouble": trouble, "__doc__": "A toy supply."})
    periods = {**PLAN.periods, "current_limit": 0.0}
    async with station_in_memory(replace(PLAN, driver_class=driver, periods=periods)) as bench:
        outcome = await bench.fleet.workers["psu1"].set("current_limit", 2.0)
        assert bench.simulators["psu1"].values["curr"] == 2.0
        assert outcome.status is Status.UNKNOWN
        assert "was sent" in outcome.message

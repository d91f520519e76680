"""Stop, when the device is busy, queued for, failing, or going away at that moment."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from agent.fleet.samples import Cause, Outcome, Status
from agent.fleet.states import DeviceState
from drivers import command
from drivers.errors import BadReply, LinkClosed, TurnTimeout
from tests.agent.bench import PLAN, Bench, ToySupply, station_in_memory


class Stubborn(ToySupply):
    """A toy supply with everything that can go wrong in a stop."""

    async def interrupt(self) -> None:
        raise ValueError("a bug of the driver")

    @command(timeout=60)
    async def cling(self) -> None:
        """Go on for a while, whoever asks for its end."""
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            await asyncio.sleep(2.3)


async def _at_work(
    bench: Bench, tasks: asyncio.TaskGroup, name: str, **arguments: object
) -> asyncio.Task[Outcome]:
    running = tasks.create_task(bench.fleet.workers["psu1"].do(name, arguments))
    await bench.until_state("psu1", DeviceState.BUSY)
    return running


async def test_a_bug_in_the_interruption_does_not_keep_the_device_from_being_made_safe() -> None:
    async with station_in_memory(replace(PLAN, driver_class=Stubborn)) as bench:
        bench.simulators["psu1"].values["outp"] = 1.0
        outcome = await bench.fleet.workers["psu1"].stop()
        assert bench.simulators["psu1"].values["outp"] == 0.0
        assert outcome.status is Status.UNKNOWN
        assert "a bug of the driver" in outcome.message


async def test_a_device_is_not_called_safe_while_its_command_goes_on() -> None:
    plan = replace(PLAN, driver_class=Stubborn)
    async with station_in_memory(plan) as bench, asyncio.TaskGroup() as tasks:
        clinging = await _at_work(bench, tasks, "cling")
        outcome = await bench.fleet.workers["psu1"].stop()
        assert outcome.status is Status.UNKNOWN
        assert "psu1.cling had not ended" in outcome.message
        assert not clinging.done()


async def test_a_stop_that_meets_the_loss_of_the_link_is_of_unknown_outcome() -> None:
    async with station_in_memory() as bench, asyncio.TaskGroup() as tasks:
        worker = bench.fleet.workers["psu1"]
        bench.simulators["psu1"].silent = True
        stopping = tasks.create_task(worker.stop())
        await asyncio.sleep(0.01)
        worker.reconnect()
        assert (await stopping).status is Status.UNKNOWN


@pytest.mark.parametrize("turns", range(12))
async def test_a_stop_at_any_moment_of_a_reconnect_reaches_the_device(turns: int) -> None:
    async with station_in_memory() as bench:
        await bench.until_state("psu1", DeviceState.READY)
        worker = bench.fleet.workers["psu1"]
        bench.simulators["psu1"].values["outp"] = 1.0
        worker.reconnect()
        for _ in range(turns):
            await asyncio.sleep(0)
        outcome = await worker.stop()
        assert (outcome.status, outcome.message) == (Status.DONE, "psu1 was made safe")
        assert bench.simulators["psu1"].values["outp"] == 0.0


async def test_a_stop_of_a_device_that_can_not_be_reached_says_that_nothing_was_sent() -> None:
    async with station_in_memory() as bench:
        await bench.until_state("psu1", DeviceState.READY)
        bench.simulators["psu1"].unplugged = True
        await bench.until_state("psu1", DeviceState.OFFLINE)
        worker = bench.fleet.workers["psu1"]
        worker.reconnect()
        outcome = await worker.stop()
        assert outcome.cause is Cause.NOT_SENT
        assert "psu1 is offline" in outcome.message


async def test_stop_waits_for_none_of_those_who_queue_for_the_device() -> None:
    async with station_in_memory() as bench:
        worker, toy = bench.fleet.workers["psu1"], bench.simulators["psu1"]
        toy.values["outp"] = 1.0
        toy.delay = 0.04
        names = tuple(ToySupply.readings)
        async with asyncio.TaskGroup() as tasks:
            reads = [
                tasks.create_task(_refused(worker.read(names))) for _ in range(50)
            ]  # 12 s of asking
            setting = tasks.create_task(worker.set("voltage", 12.0))
            await asyncio.sleep(0.02)
            asked_at = bench.station.clock.monotonic()
            outcome = await worker.stop()
            took = bench.station.clock.monotonic() - asked_at
        assert outcome.status is Status.DONE
        assert took < 2.0
        assert toy.values["outp"] == 0.0
        assert setting.result().status is Status.UNKNOWN
        assert "stopped" in setting.result().message
        assert all(isinstance(read.result(), TurnTimeout) for read in reads)
        assert (await worker.read(("voltage",)))["voltage"].value == toy.values["volt"]


async def _refused(reading: object) -> Exception | None:
    try:
        await reading  # type: ignore[misc]
    except TurnTimeout as error:
        return error
    return None


async def test_nothing_begins_while_the_device_is_made_safe() -> None:
    async with station_in_memory() as bench:
        worker, toy = bench.fleet.workers["psu1"], bench.simulators["psu1"]
        toy.delay = 0.05
        async with asyncio.TaskGroup() as tasks:
            stopping = tasks.create_task(worker.stop())
            await asyncio.sleep(0.01)
            refused = [await worker.set("output", True), await worker.do("ramp", {"to": 1.0})]
        assert stopping.result().status is Status.DONE
        assert {(it.status, it.cause) for it in refused} == {(Status.REFUSED, Cause.BUSY)}
        assert "being stopped" in refused[0].message
        assert toy.values["outp"] == 0.0
        toy.delay = 0.0
        assert (await worker.set("output", True)).status is Status.DONE


async def test_two_stops_at_once_are_both_carried_out() -> None:
    async with station_in_memory() as bench, asyncio.TaskGroup() as tasks:
        worker, toy = bench.fleet.workers["psu1"], bench.simulators["psu1"]
        ramp = await _at_work(bench, tasks, "ramp", to=9.0, seconds=4.0)
        outcomes = await asyncio.gather(worker.stop(), worker.stop())
        assert [outcome.status for outcome in outcomes] == [Status.DONE, Status.DONE]
        assert toy.asked.count("outp 0") == 2
        assert (await ramp).status is Status.UNKNOWN


async def test_a_request_in_the_very_turn_in_which_the_link_ends_is_answered() -> None:
    async with station_in_memory() as bench, asyncio.TaskGroup() as tasks:
        worker = bench.fleet.workers["psu1"]
        await worker.read(("voltage",))
        requests = worker._requests
        assert requests is not None
        asking = [
            tasks.create_task(requests.stop()),
            tasks.create_task(requests.set("voltage", 1.0)),
        ]
        await asyncio.sleep(0)
        requests._tasks._abort()  # type: ignore[attr-defined]
        outcomes = await asyncio.gather(*asking)
        assert {outcome.cause for outcome in outcomes} == {Cause.NOT_SENT}


class Misread(ToySupply):
    """A toy supply that can't be read when somebody asks."""

    async def read(self, names: Iterable[str]) -> dict[str, Any]:
        wanted = tuple(names)
        if wanted == ("current_limit",):
            raise ValueError("a bug of the driver")
        return await super().read(wanted)


async def test_a_bug_in_a_reading_that_is_asked_for_costs_no_connection() -> None:
    periods = {**PLAN.periods, "current_limit": 0.0}
    plan = replace(PLAN, driver_class=Misread, periods=periods)
    async with station_in_memory(plan) as bench:
        worker = bench.fleet.workers["psu1"]
        with pytest.raises(BadReply, match="an error of the driver, ValueError"):
            await worker.read(("current_limit",))
        assert bench.board.latest["psu1"].state is DeviceState.READY
        assert (await worker.stop()).status is Status.DONE
        assert worker.tally.connects == 1


@pytest.mark.parametrize("turns", range(6))
async def test_a_stop_at_any_moment_of_the_end_of_a_connection_is_tried_over_the_next_one(
    turns: int,
) -> None:
    async def failing() -> None:
        raise LinkClosed("the end of a connection")

    async with station_in_memory() as bench:
        worker, toy = bench.fleet.workers["psu1"], bench.simulators["psu1"]
        toy.values["outp"] = 1.0
        assert worker._requests is not None
        worker._requests._tasks.create_task(failing(), name="a part that fails")
        for _ in range(turns):
            await asyncio.sleep(0)
        was_online = bench.board.latest["psu1"].state.online
        outcome = await worker.stop()
        assert not (was_online and outcome.cause is Cause.NOT_SENT), outcome.message
        if outcome.status is Status.DONE:
            assert toy.values["outp"] == 0.0

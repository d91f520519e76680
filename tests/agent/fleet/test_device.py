"""One worker and its device: connecting, polling, losing it, and getting it back."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from agent.fleet.samples import Quality, Status
from agent.fleet.states import DeviceState
from drivers import Address
from tests.agent.bench import PLAN, Bench, named, station_in_memory
from tests.agent.toy import ToyLink


async def test_a_device_is_identified_and_all_its_values_are_good() -> None:
    async with station_in_memory() as bench:
        snapshot = await bench.until_state("psu1", DeviceState.READY)
        assert snapshot.identity is not None
        assert snapshot.identity.serial_number == "S1"
        assert snapshot.samples["temperature"].value == 25.0
        assert snapshot.samples["mode"].value == "cv"
        assert snapshot.samples["output"].value is False
        assert {sample.quality for sample in snapshot.samples.values()} == {Quality.GOOD}


async def test_values_of_a_simulated_device_say_so() -> None:
    async with station_in_memory(replace(PLAN, simulated=True)) as bench:
        snapshot = await bench.until_state("psu1", DeviceState.READY)
        assert {sample.quality for sample in snapshot.samples.values()} == {Quality.SIMULATED}


async def test_a_changed_value_is_seen_by_the_next_poll() -> None:
    async with station_in_memory() as bench:
        bench.simulators["psu1"].values["temp"] = 31.5
        await bench.until("psu1", lambda s: s.samples["temperature"].value == 31.5)


async def test_losing_the_link_marks_every_value_stale_at_once_and_is_said_once() -> None:
    async with station_in_memory() as bench:
        await bench.until_state("psu1", DeviceState.READY)
        bench.simulators["psu1"].unplugged = True
        snapshot = await bench.until_state("psu1", DeviceState.OFFLINE)
        assert {sample.quality for sample in snapshot.samples.values()} == {Quality.STALE}
        assert "unplugged" in snapshot.reason
        failures = bench.fleet.workers["psu1"].tally.failures["ConnectFailed"]
        await _until_failures(bench, failures + 3)
        assert [event.kind for event in bench.events.kept].count("device.offline") == 1


async def test_another_instrument_after_an_outage_is_said_as_well_as_the_outage() -> None:
    async with station_in_memory() as bench:
        toy = bench.simulators["psu1"]
        await bench.until_state("psu1", DeviceState.READY)
        toy.unplugged = True
        await bench.until_state("psu1", DeviceState.OFFLINE)
        usual, toy.identity = toy.identity, "Other,Model,S9,1.0"
        toy.unplugged = False
        await bench.until_state("psu1", DeviceState.WRONG_DEVICE)
        toy.identity = usual
        bench.fleet.workers["psu1"].reconnect()
        await bench.until_state("psu1", DeviceState.READY)
        kinds = [event.kind for event in bench.events.kept]
        assert kinds == [
            "device.connected", "device.offline", "device.wrong_device", "device.connected",
        ]  # fmt: skip


async def _until_failures(bench: Bench, count: int, device: str = "psu1") -> None:
    async with asyncio.timeout(3):
        while bench.fleet.workers[device].tally.failures["ConnectFailed"] < count:
            await asyncio.sleep(0.005)


async def test_a_device_that_returns_is_good_again_with_new_values() -> None:
    async with station_in_memory() as bench:
        toy = bench.simulators["psu1"]
        await bench.until_state("psu1", DeviceState.READY)
        toy.unplugged = True
        await bench.until_state("psu1", DeviceState.OFFLINE)
        toy.values["temp"], toy.unplugged = 99.0, False
        snapshot = await bench.until_state("psu1", DeviceState.READY)
        assert snapshot.samples["temperature"].value == 99.0
        assert snapshot.samples["temperature"].quality is Quality.GOOD
        assert bench.fleet.workers["psu1"].tally.connects == 2


async def test_a_silent_device_goes_offline_after_one_repeated_read() -> None:
    async with station_in_memory() as bench:
        await bench.until_state("psu1", DeviceState.READY)
        bench.simulators["psu1"].silent = True
        snapshot = await bench.until_state("psu1", DeviceState.OFFLINE)
        assert "no reply" in snapshot.reason


async def test_another_instrument_is_refused_and_asked_again_only_on_request() -> None:
    async with station_in_memory(wait=False) as bench:
        toy = bench.simulators["psu1"]
        toy.identity = "Other,X,S9,1"
        snapshot = await bench.until_state("psu1", DeviceState.WRONG_DEVICE)
        assert "Other,X,S9,1" in snapshot.reason
        assert "for: Toy supply" in snapshot.reason
        asked = len(toy.asked)
        assert (await bench.fleet.workers["psu1"].set("voltage", 1.0)).status is Status.FAILED
        toy.identity = "Toy,T1,S1,1.0"
        assert len(toy.asked) == asked
        bench.fleet.workers["psu1"].reconnect()
        await bench.until_state("psu1", DeviceState.READY)


async def test_a_device_that_refuses_our_key_is_at_fault_and_asked_again_only_on_request() -> None:
    async with station_in_memory(PLAN, named("psu2"), wait=False) as bench:
        bench.simulators["psu2"].unplugged = True
        toy, worker = bench.simulators["psu1"], bench.fleet.workers["psu1"]
        toy.locked = True
        snapshot = await bench.until_state("psu1", DeviceState.FAULT)
        assert snapshot.reason == "toy: it does not accept the key"
        await _until_failures(bench, 5, "psu2")  # this one is tried again and again meanwhile
        assert worker.tally.failures == {"AccessRefused": 1}
        assert (await worker.set("voltage", 1.0)).status is Status.FAILED
        toy.locked = False
        worker.reconnect()
        await bench.until_state("psu1", DeviceState.READY)


async def test_a_key_that_is_refused_later_makes_every_value_stale_and_is_said_once() -> None:
    async with station_in_memory() as bench:
        await bench.until_state("psu1", DeviceState.READY)
        bench.simulators["psu1"].locked = True
        snapshot = await bench.until_state("psu1", DeviceState.FAULT)
        assert {sample.quality for sample in snapshot.samples.values()} == {Quality.STALE}
        kinds = [event.kind for event in bench.events.kept]
        assert kinds == ["device.connected", "device.fault"]


async def test_another_unit_of_the_same_model_is_refused_when_config_pins_the_serial_number() -> (
    None
):
    async with station_in_memory(replace(PLAN, serial_number="S2"), wait=False) as bench:
        snapshot = await bench.until_state("psu1", DeviceState.WRONG_DEVICE)
        assert "S1" in snapshot.reason
        assert "S2" in snapshot.reason


async def test_garbage_makes_values_bad_and_then_blames_the_link() -> None:
    async with station_in_memory() as bench:
        await bench.until_state("psu1", DeviceState.READY)
        bench.simulators["psu1"].answer_with = b"\xff\xfe#\n"
        await bench.until("psu1", lambda s: s.samples["temperature"].quality is Quality.BAD)
        snapshot = await bench.until_state("psu1", DeviceState.OFFLINE)
        assert "baud rate" in snapshot.reason or "is not text" in snapshot.reason


async def test_one_value_that_fails_alone_is_bad_alone() -> None:
    async with station_in_memory() as bench:
        del bench.simulators["psu1"].values["temp"]
        snapshot = await bench.until(
            "psu1", lambda s: s.samples["temperature"].quality is Quality.BAD
        )
        assert snapshot.samples["temperature"].value is None
        assert snapshot.samples["temperature"].reason == "undefined header"
        assert snapshot.samples["measured_voltage"].quality is Quality.GOOD
        assert snapshot.state is DeviceState.READY


async def test_one_device_in_trouble_does_not_delay_another() -> None:
    async with station_in_memory(PLAN, named("psu2")) as bench:
        await bench.until_state("psu2", DeviceState.READY)
        bench.simulators["psu1"].silent = True
        await bench.until_state("psu1", DeviceState.OFFLINE)
        tally, skipped = bench.fleet.workers["psu2"].tally, -1
        async with asyncio.timeout(30):  # a machine that is busy itself skips some, but not always
            while skipped != tally.skipped:
                polls, skipped = tally.polls, tally.skipped
                while tally.polls < polls + 10:
                    await asyncio.sleep(0.01)


async def test_a_driver_that_fails_in_its_own_way_faults_its_device_alone() -> None:
    async with station_in_memory(PLAN, named("psu2"), wait=False) as bench:
        bench.simulators["psu1"].identity = "no commas"  # the toy's identify raises ValueError
        snapshot = await bench.until_state("psu1", DeviceState.FAULT)
        assert "driver error" in snapshot.reason
        await bench.until_state("psu2", DeviceState.READY)


async def test_an_end_in_the_middle_of_a_failing_connect_is_not_forgotten() -> None:
    async with station_in_memory() as bench:
        await bench.until_state("psu1", DeviceState.READY)
        bench.simulators["psu1"].silent = True
        await bench.until_state("psu1", DeviceState.OFFLINE)
        async with asyncio.timeout(2):
            await bench.fleet.retire("psu1")
        assert "psu1" not in bench.board.latest


async def test_a_value_that_does_not_exist_now_is_taken_off_the_board_and_is_no_failure() -> None:
    async with station_in_memory() as bench:
        await bench.until_state("psu1", DeviceState.READY)
        bench.simulators["psu1"].not_measured = "temp"
        snapshot = await bench.until("psu1", lambda s: "temperature" not in s.samples)
        assert snapshot.samples["measured_voltage"].quality is Quality.GOOD
        assert not bench.fleet.workers["psu1"].tally.failures
        asked = await bench.fleet.workers["psu1"].read(("temperature",))
        assert asked["temperature"].quality is Quality.BAD
        bench.simulators["psu1"].not_measured = ""
        await bench.until("psu1", lambda s: "temperature" in s.samples)


@pytest.mark.parametrize("word", [b"nan", b"inf", b"-inf"])
async def test_what_is_no_finite_number_is_never_a_value(word: bytes) -> None:
    async with station_in_memory() as bench:
        bench.simulators["psu1"].values["temp"] = float(word)
        snapshot = await bench.until(
            "psu1", lambda s: s.samples["temperature"].quality is Quality.BAD
        )
        assert snapshot.samples["temperature"].value is None
        assert word.decode() in snapshot.samples["temperature"].reason


async def test_a_device_that_refuses_as_a_whole_is_at_fault_until_it_answers_again() -> None:
    async with station_in_memory() as bench:
        await bench.until_state("psu1", DeviceState.READY)
        bench.simulators["psu1"].refuses_all = True
        snapshot = await bench.until(
            "psu1",
            lambda s: (
                s.state is DeviceState.FAULT
                and {sample.quality for sample in s.samples.values()} == {Quality.BAD}
            ),
        )
        assert snapshot.reason == "the toy has stopped"
        bench.simulators["psu1"].refuses_all = False
        await bench.until_state("psu1", DeviceState.READY)
        kinds = [event.kind for event in bench.events.kept]
        assert kinds.count("device.fault") == kinds.count("device.recovered") == 1
        assert bench.fleet.workers["psu1"].tally.connects == 1


async def test_asked_for_a_reconnect_a_working_link_is_begun_anew() -> None:
    async with station_in_memory() as bench:
        await bench.until_state("psu1", DeviceState.READY)
        bench.fleet.workers["psu1"].reconnect()
        async with asyncio.timeout(3):
            while bench.fleet.workers["psu1"].tally.connects < 2:
                await asyncio.sleep(0.005)
        await bench.until_state("psu1", DeviceState.READY)


async def test_a_serial_port_stays_closed_for_a_moment_so_that_a_board_notices_the_reconnect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = asyncio.get_running_loop().time
    times: list[float] = []
    for name in ("_open", "_close"):
        usual = getattr(ToyLink, name)

        async def noted(link: ToyLink, usual: Any = usual) -> None:
            times.append(clock())
            await usual(link)

        monkeypatch.setattr(ToyLink, name, noted)
    plan = replace(PLAN, address=Address.parse("serial:///dev/ttyS0"))
    async with station_in_memory(plan) as bench:
        await bench.until_state("psu1", DeviceState.READY)
        bench.fleet.workers["psu1"].reconnect()
        await bench.until_state("psu1", DeviceState.OFFLINE)
        await bench.until_state("psu1", DeviceState.READY)
    _, closed, opened, _ = times
    assert opened - closed > 0.08


async def test_a_value_is_never_older_than_its_time_says() -> None:
    async with station_in_memory() as bench:
        await bench.until_state("psu1", DeviceState.READY)
        began = bench.station.clock.utc()
        samples = await bench.fleet.workers["psu1"].read(("temperature",))
        assert began <= samples["temperature"].time <= bench.station.clock.utc()

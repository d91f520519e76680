"""What nobody knows: how it arises, where it shows, and what settles it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.fleet.board import Board
from agent.fleet.samples import Cause, Outcome, Quality, Sample, Snapshot, Status
from agent.fleet.states import DeviceState
from agent.safety.doubts import Doubt, Doubts
from agent.store.database import NAME
from tests.agent.record_bench import KIM, VISITOR, recorded

OLD = Sample(3.0, Quality.GOOD, 100.0)


def board_with(sample: Sample, state: DeviceState = DeviceState.READY) -> Board:
    board = Board()
    show(board, sample, state)
    return board


def show(board: Board, sample: Sample, state: DeviceState = DeviceState.READY) -> None:
    board.post(Snapshot("psu1", state, 0.0, samples={"voltage": sample}))


def doubts_on(board: Board) -> Doubts:
    doubts = Doubts(board)
    doubt = Doubt(
        device="psu1", utc="", command="c1", action="set", target="psu1.voltage", actor="kim"
    )
    doubts.note(doubt)
    return doubts


def test_the_second_new_value_was_asked_for_after_the_doubt_arose_and_settles_it() -> None:
    board = board_with(OLD)
    doubts = doubts_on(board)
    assert doubts.read_back("psu1") == []
    show(board, OLD)  # the device was shown anew, and its value is the old one
    assert doubts.read_back("psu1") == []
    show(board, OLD._replace(time=101.0))  # it may have been asked for before the command went out
    assert doubts.read_back("psu1") == []
    show(board, Sample(5.0, Quality.GOOD, 102.0))
    assert [value for _, value in doubts.read_back("psu1")] == [5.0]


def test_a_clock_that_was_set_back_keeps_no_device_blocked() -> None:
    board = board_with(OLD)
    doubts = doubts_on(board)
    show(board, Sample(5.0, Quality.GOOD, 1.0))
    assert doubts.read_back("psu1") == []
    show(board, Sample(5.0, Quality.GOOD, 2.0))
    assert [value for _, value in doubts.read_back("psu1")] == [5.0]


def test_of_a_device_that_was_away_the_first_value_will_do() -> None:
    board = board_with(OLD)
    doubts = doubts_on(board)
    show(board, OLD.gone_stale("lost"), DeviceState.OFFLINE)
    assert doubts.read_back("psu1") == []
    show(board, Sample(5.0, Quality.GOOD, 101.0))
    assert [value for _, value in doubts.read_back("psu1")] == [5.0]


@pytest.mark.parametrize("quality", [Quality.STALE, Quality.BAD])
def test_what_can_not_be_believed_settles_nothing(quality: Quality) -> None:
    board = board_with(OLD)
    doubts = doubts_on(board)
    for time in (101.0, 102.0, 103.0):
        show(board, Sample(5.0, quality, time, "why"))
        assert doubts.read_back("psu1") == []


async def test_a_poll_settles_a_setting_before_anybody_asks(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        await it.unknown()
        assert it.record.doubted("psu1")
        settled = await it.until_settled()
        assert (settled["actor"]["name"], settled["after"]) == ("labkeeper", 0.0)
        assert settled["reason"] == "the device was read back"
        assert it.gate.doubts == {}


async def test_a_stop_settles_what_was_asked_before_it_and_nothing_else(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        await it.unknown("do", "psu1.ramp")
        between = it.bench.station.clock.monotonic()
        await it.unknown("do", "psu1.calibrate")
        done = Outcome(status=Status.DONE, message="made safe")
        await it.record.stopped(KIM, "psu1", done, between)
        (left,) = it.gate.doubts["psu1"]
        assert left.target == "psu1.calibrate"


async def test_what_is_not_known_of_a_device_that_has_left_the_config_is_shown_and_settled(
    tmp_path: Path,
) -> None:
    async with recorded(tmp_path) as it:
        await it.unknown("do", "oven7.heat")
        assert list(it.gate.doubts) == ["oven7"]
        denied = await it.gate.settle(VISITOR, "oven7", "never mind")
        assert denied.cause is Cause.NOT_ALLOWED
        settled = await it.gate.settle(KIM, "oven7", "it was sold")
        assert settled.message == "oven7: 1 settled"
        assert (await it.gate.settle(KIM, "oven7", "again")).cause is Cause.NO_SUCH


async def test_a_ledger_that_was_damaged_blocks_every_device_until_a_person_has_looked(
    tmp_path: Path,
) -> None:
    async with recorded(tmp_path):
        pass
    (tmp_path / NAME).write_bytes(b"no database" * 1000)
    async with recorded(tmp_path, "psu1", "oven7") as it:
        assert sorted(it.gate.doubts) == ["oven7", "psu1"]
    async with recorded(tmp_path, "psu1", "oven7") as it:  # over a restart
        refused = await it.gate.set(KIM, "psu1", "voltage", 5)
        assert (refused.status, refused.cause) == (Status.REFUSED, Cause.BLOCKED)
        assert refused.message == (
            "psu1 is blocked: nobody knows what was under way: the ledger before was damaged. "
            'Look at the device, then `labkeeper settle psu1 --reason "…"`'
        )
        assert (await it.gate.stop(KIM, "psu1")).status is Status.DONE
        await it.until_entry("stop")
        assert it.record.doubted("psu1")  # a stop says nothing of what nobody has looked at
        settled = await it.gate.settle(KIM, "psu1", "all is off")
        assert settled.message == "psu1: 1 settled"
        assert (await it.gate.set(KIM, "psu1", "voltage", 5)).status is Status.DONE
    async with recorded(tmp_path) as it:
        assert list(it.gate.doubts) == ["oven7"]
        (entry,) = await it.entries("settle")
        assert (entry["object"], entry["reason"], entry["kind"]) == ("psu1", "all is off", "ledger")


async def test_a_ledger_that_was_deleted_or_cut_blocks_every_device(tmp_path: Path) -> None:
    async with recorded(tmp_path):
        pass
    (tmp_path / NAME).unlink()
    async with recorded(tmp_path, "psu1") as it:
        assert "missing at the end" in it.record.doubted("psu1")


async def test_a_new_station_blocks_nothing(tmp_path: Path) -> None:
    async with recorded(tmp_path, "psu1") as it:
        assert it.gate.doubts == {}


async def test_several_doubts_of_one_setting_are_settled_by_one_reading(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        await asyncio.gather(*(it.unknown() for _ in range(3)))
        await it.read_anew()
        async with asyncio.timeout(3):
            while it.gate.doubts:
                await asyncio.sleep(0.01)
        assert [stage for _, stage in await it.stages()].count("settled") == 3

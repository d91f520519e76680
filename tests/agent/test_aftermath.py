"""What the agent takes over of `labkeeper make-safe`: on record, and no more than it says."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from agent import aftermath
from agent.aftermath import what_was_left
from agent.safety.dirty_start import look_back
from agent.safety.record import Unrecorded
from agent.store.database import NAME
from agent.store.safe_state import (
    MADE_SAFE,
    Made,
    MadeSafe,
    SafeDevice,
    SafeState,
    Seen,
    write_made_safe,
    write_state,
)
from drivers import Address
from tests.agent.bench import station_in_memory
from tests.agent.record_bench import recorded

LEFT, LATER = 100.0, 300.0
PSU = SafeDevice(
    name="psu1",
    driver="toy.supply",
    address=Address.parse("tcp://127.0.0.1:1"),
    seen=Seen.ON,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The state folder of an agent that was killed, and of `labkeeper make-safe` after it."""
    write_state(tmp_path, SafeState(written=LEFT, devices={"psu1": PSU}))
    made = {"psu1": Made(confirmed=True, text="output off")}
    write_made_safe(tmp_path, MadeSafe(at=200.0, acted_on=LEFT, devices=made))
    return tmp_path


@pytest.fixture
def folder_of_two(folder: Path) -> Path:
    """The same, and another agent was killed since."""
    write_state(folder, SafeState(written=LATER, devices={"psu1": PSU}))
    return folder


async def test_what_make_safe_has_confirmed_settles_the_commands_that_were_under_way(
    folder: Path,
) -> None:
    async with recorded(folder) as it:
        await it.unknown("do", "psu1.ramp")
        before = await what_was_left(folder, it.record, it.bench.events)
        assert not it.record.doubts
        assert not before.seen
        assert (await it.entries("make-safe"))[0]["object"] == "psu1"
        assert not (folder / MADE_SAFE).exists()


async def test_what_a_lost_ledger_told_of_is_settled_by_a_person_and_not_by_make_safe(
    folder: Path,
) -> None:
    async with recorded(folder):
        pass
    (folder / NAME).write_bytes(b"no database" * 1000)
    async with recorded(folder, "psu1") as it:
        await what_was_left(folder, it.record, it.bench.events)
        assert "nobody knows what was under way" in it.record.doubted("psu1")


async def test_a_note_from_before_another_agent_ran_is_recorded_and_not_believed(
    folder_of_two: Path,
) -> None:
    async with recorded(folder_of_two) as it:
        await it.unknown("do", "psu1.ramp")
        before = await what_was_left(folder_of_two, it.record, it.bench.events)
        assert before.seen == {"psu1": Seen.ON}
        assert "psu1.ramp" in it.record.doubted("psu1")
        assert (await it.entries("make-safe"))[0]["object"] == "psu1"
        assert not (folder_of_two / MADE_SAFE).exists()


def test_a_note_beside_a_state_that_cannot_be_read_is_not_believed(folder: Path) -> None:
    (folder / "safe-state.json").write_text("{}")
    before = look_back(folder)
    assert before.is_lost
    assert not before.is_made_since


async def test_a_disk_that_hangs_keeps_nobody_from_watching_devices(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aftermath, "DISK_WITHIN_S", 0.2)
    async with recorded(folder) as it:
        with it.hung_disk():
            async with asyncio.timeout(2):
                before = await what_was_left(folder, it.record, it.bench.events)
        assert before.doubts
        text = await it.bench.until_event("safe.unrecorded")
        assert text.endswith("is not on record yet: the disk had not taken it within 0.2 s")
        assert (folder / MADE_SAFE).exists()


async def test_a_state_folder_that_hangs_leaves_every_device_in_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()
    monkeypatch.setattr(aftermath, "DISK_WITHIN_S", 0.2)
    monkeypatch.setattr(aftermath, "look_back", lambda _: goes_on.wait(20))
    try:
        async with station_in_memory() as bench, asyncio.timeout(2):
            before = await what_was_left(tmp_path, Unrecorded(), bench.events)
    finally:
        goes_on.set()
    assert before.is_lost
    assert before.why.endswith("the disk had not told of it within 0.2 s")

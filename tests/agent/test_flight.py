"""Recordings of faults on disk: written once and whole, bounded, and never the agent's undoing."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.fleet.events import EventLog
from agent.fleet.samples import Snapshot
from agent.fleet.states import DeviceState
from agent.flight import MOST_AN_HOUR, MOST_WAITING, FlightRecords
from agent.store import recordings
from agent.store.recordings import MOST_OF_A_DEVICE, RecordingFolder
from drivers import Recorder
from drivers.errors import UnknownName
from drivers.transport.recording import recording_from
from tests.agent.bench import PLAN

LOST = Snapshot(device="psu1", state=DeviceState.OFFLINE, since=0.0, reason="no reply")


class SteppedClock(SystemClock):
    """A monotonic clock that a test moves."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Records:
    """The flight records of a station with one line, and its events."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.recorder = SteppedClock(), Recorder()
        self.events = EventLog(self.clock)
        self.flight = FlightRecords(
            *("bench-1", "0.1.0", lambda _: self.recorder),
            RecordingFolder(folder),
            clock=self.clock,
            events=self.events,
        )

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events.kept]

    async def until(self, kind: str, count: int = 1) -> None:
        async with asyncio.timeout(5.0):
            while self.kinds().count(kind) < count:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def recording(folder: Path, said: bytes = b"start\n") -> AsyncIterator[Records]:
    records = Records(folder)
    if said:
        records.recorder.received(said)
    task = asyncio.get_running_loop().create_task(records.flight.run())
    try:
        yield records
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_fault_is_written_down_with_what_was_on_the_line(tmp_path: Path) -> None:
    async with recording(tmp_path / "wire") as records:
        records.flight.asked(PLAN)("read measured_voltage")
        records.recorder.sent(b"MEAS:VOLT?\n")
        records.flight.fault(PLAN, LOST)
        await records.until("recording.written")
        [kept] = await records.flight.faults("psu1")
        text = await records.flight.fault_text("psu1", "last")
    found = recording_from(json.loads(text))
    assert (found.device, found.driver, found.reason) == ("psu1", "toy.supply", "no reply")
    assert [entry[1:3] for entry in found.entries] == [
        ("received", b"start\n"),
        ("asked", b"psu1 read measured_voltage"),
        ("sent", b"MEAS:VOLT?\n"),
    ]
    assert kept.time == found.time
    assert kept.name in records.events.kept[-1].text
    assert os.listdir(tmp_path / "wire") == [f"{kept.name}.json"]


async def test_a_device_that_flaps_does_not_wear_out_the_disk(tmp_path: Path) -> None:
    async with recording(tmp_path) as records:
        for _ in range(50):
            records.flight.fault(PLAN, LOST)
            records.clock.now += 1.0
        await records.until("recording.written", MOST_AN_HOUR)
        assert records.kinds().count("recording.skipped") == 1
        records.flight.fault(replace(PLAN, name="oven1"), LOST)  # another may still
        await records.until("recording.written", MOST_AN_HOUR + 1)
        records.clock.now += 3600.0
        records.flight.fault(PLAN, LOST)
        await records.until("recording.written", MOST_AN_HOUR + 2)


async def test_a_folder_that_takes_nothing_is_said_once_and_ends_nothing(tmp_path: Path) -> None:
    blocked = tmp_path / "wire"
    blocked.write_text("a file where the folder should be")
    async with recording(blocked) as records:
        records.flight.fault(PLAN, LOST)
        records.flight.fault(PLAN, LOST)
        await records.until("recording.failed")
        blocked.unlink()
        records.flight.fault(PLAN, LOST)
        await records.until("recording.written")
    assert records.kinds().count("recording.failed") == 1
    [said] = [event for event in records.events.kept if event.kind == "recording.failed"]
    assert str(blocked) in said.text
    assert "right to write" in said.text


async def test_what_was_not_written_takes_no_place_of_what_could_be(tmp_path: Path) -> None:
    blocked = tmp_path / "wire"
    blocked.touch()
    async with recording(blocked) as records:
        records.flight.fault(PLAN, LOST)
        await records.until("recording.failed")
        blocked.unlink()
        for _ in range(MOST_AN_HOUR):
            records.clock.now += 1.0
            records.flight.fault(PLAN, LOST)
        await records.until("recording.written", MOST_AN_HOUR)
    assert "recording.skipped" not in records.kinds()


async def test_a_full_disk_leaves_no_half_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("agent.store.recordings.os.fsync", full)
    async with recording(tmp_path) as records:
        records.flight.fault(PLAN, LOST)
        await records.until("recording.failed")
    assert os.listdir(tmp_path) == []
    assert "No space left" in records.events.kept[-1].text


async def test_a_line_on_which_nothing_was_said_is_not_written_down(tmp_path: Path) -> None:
    async with recording(tmp_path, said=b"") as records:
        records.recorder.asked("psu1 meet")
        for _ in range(MOST_AN_HOUR + 1):
            records.flight.fault(PLAN, LOST)
        records.recorder.sent(b"*IDN?\n")
        records.flight.fault(PLAN, LOST)
        await records.until("recording.written")
    assert records.kinds() == ["recording.written"]


@pytest.mark.parametrize("device_says", ["got '\udcff' 온도", "\ud800", "\x00\u2028"])
async def test_characters_without_utf_8_do_not_end_the_agent(
    device_says: str, tmp_path: Path
) -> None:
    async with recording(tmp_path) as records:
        records.recorder.noted(device_says)
        records.flight.fault(PLAN, LOST._replace(reason=device_says))
        await records.until("recording.written")
        text = await records.flight.fault_text("psu1", "last")
    assert recording_from(json.loads(text)).reason == device_says


async def test_faults_that_the_disk_is_too_slow_for_are_said_once(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.recorder.sent(b"*IDN?\n")
    for number in range(MOST_WAITING + 10):
        records.flight.fault(replace(PLAN, name=f"psu{number}"), LOST)
    assert records.kinds() == ["recording.skipped"]
    assert f"{MOST_WAITING} others still wait" in records.events.kept[-1].text
    task = asyncio.get_running_loop().create_task(records.flight.run())
    await records.until("recording.written", MOST_WAITING)
    records.flight.fault(replace(PLAN, name=f"psu{MOST_WAITING}"), LOST)
    await records.until("recording.written", MOST_WAITING + 1)
    task.cancel()
    await asyncio.wait([task])


def test_what_a_killed_agent_had_begun_to_write_is_tidied_away(tmp_path: Path) -> None:
    (tmp_path / "psu1-20261123T010002.000Z.part").write_text('{"schema')
    kept = RecordingFolder(tmp_path).write("psu1", moment(1), "{}")
    assert os.listdir(tmp_path) == [kept.path.name]


def moment(second: int) -> str:
    return f"2026-11-23T01:{second // 60:02}:{second % 60:02}.000Z"


def test_a_device_keeps_its_youngest_recordings(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path)
    folder.write("oven1", moment(0), "{}")
    for second in range(MOST_OF_A_DEVICE + 5):
        folder.write("psu1", moment(second), "{}")
    kept = [it.time for it in folder.of("psu1")]
    assert kept == [moment(second) for second in range(5, MOST_OF_A_DEVICE + 5)]
    assert len(folder.of("oven1")) == 1


def test_all_recordings_together_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings, "MOST_BYTES", 1000)
    folder = RecordingFolder(tmp_path)
    for second in range(5):
        folder.write(f"device{second}", moment(second), "x" * 400)
    assert sorted(os.listdir(tmp_path)) == [
        "device3-20261123T010003.000Z.json",
        "device4-20261123T010004.000Z.json",
    ]


def test_a_name_leads_to_no_other_file(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path / "wire")
    (tmp_path / "secret.json").write_text("{}")
    folder.write("psu1", moment(1), '{"of": "psu1"}')
    other = folder.write("oven1", moment(1), "{}")
    (folder.folder / "psu1-20261123T010002.000Z.json").symlink_to(tmp_path / "secret.json")
    for name in ("../secret", other.name, "psu1-20261123T010002.000Z", ""):
        with pytest.raises(UnknownName, match="psu1 has no recording"):
            folder.text("psu1", name)
    assert folder.text("psu1", "last") == '{"of": "psu1"}'

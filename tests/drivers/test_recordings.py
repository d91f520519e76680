"""Faults that happened once are replayed: no wrong value comes out of the bytes of that day.

A file of `recordings/` is what `labkeeper wire DEVICE --fault last --json` prints. `expected` is
added by hand: what each reading may give, and [] for a command that must not seem to be done.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import DeviceError, LinkClosed, LinkTimeout, NotMeasured
from drivers.transport.recording import Recording, recording_from
from tests.drivers.replay import FOLDER, Replay, loaded
from tests.drivers.virtual_time import run

RECORDINGS = sorted(FOLDER.glob("*.json"))


def replayed(recording: Recording) -> Replay:
    replay = Replay(recording)
    run(replay.run())
    return replay


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_no_wrong_value_comes_out_of_a_recording(path: Path) -> None:
    replay = replayed(loaded(path))
    assert replay.asked, f"{path.name} has no request of {replay.recording.device}"
    assert not replay.wrong()
    if replay.recording.expected:
        judged = {name for name, _ in replay.seen} & replay.recording.expected.keys()
        assert judged, f"{path.name}: nothing of what is expected came out: is it still replayed?"


def test_there_are_recordings_of_three_protocols() -> None:
    assert {loaded(path).scheme for path in RECORDINGS} >= {"modbus+rtu", "tcp", "serial"}


def recorded(name: str) -> Recording:
    return loaded(FOLDER / f"{name}.json")


def test_the_late_reply_is_heard_again_and_costs_one_time_out() -> None:
    replay = replayed(recorded("late_reply_rtu"))
    assert [type(error) for error in replay.errors] == [LinkTimeout]


def test_a_move_that_a_reset_ends_fails_again() -> None:
    replay = replayed(recorded("grbl_reset_in_move"))
    assert [type(error) for error in replay.errors] == [LinkClosed]
    assert "reset" in str(replay.errors[0])


def test_the_late_reply_of_a_serial_instrument_is_heard_again_and_costs_one_time_out() -> None:
    replay = replayed(recorded("late_reply_scpi_serial"))
    assert [type(error) for error in replay.errors] == [LinkTimeout]
    assert ("voltage", 3.3) in replay.seen


def test_a_printer_that_has_switched_itself_off_is_read_no_more() -> None:
    replay = replayed(recorded("marlin_heating_failed"))
    errors = [error for error in replay.errors if not isinstance(error, NotMeasured)]
    assert {type(error) for error in errors} == {DeviceError}
    assert "Heating failed, system stopped" in str(errors[0])
    assert ("nozzle", 21.0) in replay.seen


def test_a_replay_takes_as_long_as_the_recording_says() -> None:
    """Replies come with the spacing of then, in virtual time."""
    recording = recorded("garbled_scpi")
    first, last = recording.entries[0][0], recording.entries[-1][0]

    async def seconds() -> float:
        began = asyncio.get_running_loop().time()
        await Replay(recording).run()
        return asyncio.get_running_loop().time() - began

    assert run(seconds()) == pytest.approx(last - first, abs=1.0)


def test_a_value_that_the_device_never_had_is_found() -> None:
    recording = recorded("garbled_scpi")
    entries = tuple(
        (time, kind, b"8.800\n", size) if data == b"3.300\n" else (time, kind, data, size)
        for time, kind, data, size in recording.entries
    )
    wrong = replayed(replace(recording, entries=entries)).wrong()
    assert ("measured_voltage", 8.8) in wrong


def test_a_command_that_must_not_seem_done_is_found_when_it_does() -> None:
    recording = recorded("grbl_reset_in_move")
    replay = Replay(recording)
    replay.seen.append(("move", None))
    assert replay.wrong() == [("move", None)]


def test_what_the_command_line_prints_is_enough_to_be_replayed() -> None:
    form: dict[str, Any] = json.loads(recorded("late_reply_rtu").as_json())
    del form["expected"]
    replay = replayed(recording_from(form))
    assert replay.seen
    assert not replay.wrong()

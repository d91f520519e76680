"""What Klipper's objects and Moonraker's history are read as: tables, times, and nonsense."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadReply, DeviceError
from drivers.protocol.host_api import Look
from drivers.protocol.moonraker_look import About, look_at
from drivers.protocol.moonraker_objects import Job
from drivers.protocol.printing import Heaters, PrintResult, PrintState

NOBODY_KNOWS = About()


def objects(**print_stats: Any) -> dict[str, dict[str, Any]]:
    """As a Klipper tells them that prints a file of ours; see Klipper, Status Reference."""
    stats = {
        "state": "printing",
        "filename": "labkeeper/part.gcode",
        "message": "",
        "total_duration": 120.0,
        "print_duration": 100.0,
        "info": {"total_layer": 20, "current_layer": 4},
    }
    return {
        "print_stats": stats | print_stats,
        "virtual_sdcard": {"progress": 0.25},
        "display_status": {"progress": 0.25, "message": None},
        "gcode_move": {"gcode_position": [10.0, 20.0, 0.6, 5.0]},
        "toolhead": {"homed_axes": "xyz"},
        "idle_timeout": {"state": "Printing"},
        "extruder": {"temperature": 200.5, "target": 200.0},
        "heater_bed": {"temperature": 60.25, "target": 60.0},
    }


def job(status: str = "in_progress", **changes: Any) -> Job:
    given: dict[str, Any] = {"id": "00002A", "file": "labkeeper/part.gcode", "duration": 0.0}
    return Job(**given | {"status": status} | changes)


def at(
    told: dict[str, dict[str, Any]], newest: Job | None = None, about: About = NOBODY_KNOWS
) -> Look:
    return look_at(told, newest, about)


def test_a_print_under_way_is_told_in_full() -> None:
    look = at(objects(), job(), About(firmware="Klipper v0.12", estimate=400.0))
    report = look.status.print
    assert (look.job, look.ended) == ("00002A", None)
    assert (report.state, report.file) == (PrintState.PRINTING, "part.gcode")
    assert (report.sent, report.elapsed, report.left) == (25.0, 120.0, 300.0)
    assert (report.time_progress, report.layer, report.layers) == (25.0, 4, 20)
    assert report.height is None  # Klipper does not tell it
    assert (look.status.nozzle, look.status.bed_target) == (200.5, 60.0)
    assert (look.status.x, look.status.y, look.status.z) == (10.0, 20.0, 0.6)
    assert look.status.firmware == "Klipper v0.12"
    assert look.status.heaters is Heaters.ON


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("standby", PrintState.IDLE),
        ("printing", PrintState.PRINTING),
        ("paused", PrintState.PAUSED),
        ("complete", PrintState.IDLE),
        ("cancelled", PrintState.IDLE),
        ("error", PrintState.IDLE),
    ],
)
def test_the_state_is_that_of_print_stats_whatever_moves(told: str, state: PrintState) -> None:
    assert at(objects(state=told)).status.print.state is state


@pytest.mark.parametrize("told", ["", "Printing", "resuming", "x" * 1000, "\x1b[2J"])
def test_a_state_that_no_table_knows_is_named_and_not_guessed(told: str) -> None:
    with pytest.raises(DeviceError) as caught:
        at(objects(state=told))
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()
    assert told[:7].strip("\x1b") in str(caught.value)


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("in_progress", None),
        ("completed", PrintResult.DONE),
        ("cancelled", PrintResult.CANCELLED),
        ("error", PrintResult.FAILED),
        ("klippy_shutdown", PrintResult.FAILED),
        ("klippy_disconnect", PrintResult.INTERRUPTED),
        ("interrupted", PrintResult.INTERRUPTED),
        ("server_exit", PrintResult.INTERRUPTED),
    ],
)
def test_how_the_last_print_ended_is_what_the_history_says(
    status: str, ended: PrintResult | None
) -> None:
    look = at(objects(state="standby", filename=""), job(status))
    assert (look.job, look.ended) == ("00002A", ended)
    assert bool(look.reason) is (ended in {PrintResult.FAILED, PrintResult.INTERRUPTED})


def test_an_end_that_no_table_knows_is_named_and_not_guessed() -> None:
    with pytest.raises(DeviceError, match=r"job 00002A .*'vanished'"):
        at(objects(), job("vanished"))


def test_a_print_that_the_history_does_not_know_yet_has_not_the_id_of_the_one_before() -> None:
    for status in ("completed", "cancelled", "error"):
        assert at(objects(), job(status)).job == ""
    assert at(objects(), job(file="labkeeper/other.gcode")).job == ""
    assert at(objects(), None).job == ""


def test_a_print_that_has_ended_and_is_in_the_history_still_has_no_end_yet() -> None:
    look = at(objects(state="complete"), job())
    assert (look.job, look.ended, look.status.print.state) == ("00002A", None, PrintState.IDLE)


@pytest.mark.parametrize("status", ["interrupted", "server_exit"])
@pytest.mark.parametrize(
    ("state", "ended"),
    [
        ("printing", None),
        ("paused", None),
        ("complete", PrintResult.DONE),
        ("cancelled", PrintResult.CANCELLED),
        ("error", PrintResult.FAILED),
    ],
)
def test_what_moonraker_gave_up_and_klipper_went_on_with_is_the_same_print(
    status: str, state: str, ended: PrintResult | None
) -> None:
    look = at(objects(state=state), job(status, duration=119.0))
    assert (look.job, look.ended) == ("00002A", ended)


def test_a_print_that_is_younger_than_what_moonraker_gave_up_is_another_one() -> None:
    assert at(objects(total_duration=5.0), job("server_exit", duration=119.0)).job == ""
    assert at(objects(filename="x.gcode"), job("interrupted")).job == ""


def test_the_reason_of_a_failure_is_klippers_own_where_it_gives_one() -> None:
    told = objects(state="error", message="Move out of range:\n 999.000")
    assert at(told, job("error")).reason == "Move out of range: 999.000"
    assert at(objects(state="error"), job("error")).reason == "the printer gave it up"
    other = objects(state="error", message="of another", filename="x.gcode")
    assert at(other, job("klippy_shutdown")).reason == "Klipper has shut down"


def test_progress_is_told_only_while_a_print_is_under_way() -> None:
    report = at(objects(state="complete"), job("completed")).status.print
    values = (report.sent, report.time_progress, report.elapsed, report.left, report.layer)
    assert values == (None,) * 5
    assert report.file == "part.gcode"


def test_time_left_is_reckoned_from_the_file_when_the_slicer_says_nothing_or_was_wrong() -> None:
    for about in (NOBODY_KNOWS, About(estimate=90.0)):
        report = at(objects(), job(), about).status.print
        assert (report.left, report.time_progress) == (300.0, None)
    told = objects(print_duration=0.0)
    assert at(told, job()).status.print.left is None


def test_the_slicers_own_progress_is_shown_where_the_file_has_it() -> None:
    told = objects()
    told["display_status"] = {"progress": 0.4, "message": "M73 is in the file"}
    report = at(told, job(), About(estimate=400.0)).status.print
    assert (report.time_progress, report.message) == (40.0, "M73 is in the file")


def test_a_place_is_told_along_axes_that_are_homed_and_no_others() -> None:
    told = objects()
    told["toolhead"] = {"homed_axes": "xz"}
    status = at(told).status
    assert (status.x, status.y, status.z) == (10.0, None, 0.6)
    del told["gcode_move"]
    assert at(told).status.x is None


def test_a_heater_that_is_neither_nozzle_nor_bed_counts() -> None:
    told = objects()
    told["extruder"]["target"] = told["heater_bed"]["target"] = 0.0
    assert at(told).status.heaters is Heaters.OFF
    told["heater_generic chamber"] = {"temperature": 40.0, "target": 45.0}
    assert at(told).status.heaters is Heaters.ON
    del told["extruder"], told["heater_bed"], told["heater_generic chamber"]
    assert at(told).status.heaters is Heaters.UNKNOWN


def test_a_klipper_that_prints_no_files_is_told_what_it_lacks() -> None:
    told = objects()
    del told["print_stats"]
    with pytest.raises(DeviceError, match=r"add \[virtual_sdcard\]"):
        at(told)


JUNK = st.one_of(
    st.none(), st.booleans(), st.text(max_size=5), st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.floats(), st.integers(),
)  # fmt: skip


@given(data=st.data(), value=JUNK)
def test_nonsense_in_any_field_is_an_error_or_absent_and_never_crashes(
    data: st.DataObject, value: Any
) -> None:
    told = objects()
    name = data.draw(st.sampled_from(sorted(told)))
    field = data.draw(st.sampled_from(sorted(told[name])))
    told[name][field] = value
    try:
        look = at(told, job(), About(estimate=400.0))
    except (BadReply, DeviceError) as error:
        assert len(str(error)) < 400  # noqa: PT017 - either way is right
        return
    for shown in (look.status.nozzle, look.status.bed, look.status.x, look.status.print.sent):
        assert shown is None or shown == shown  # no value is NaN  # noqa: PLR0124

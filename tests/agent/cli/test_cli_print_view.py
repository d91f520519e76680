"""A print as it is shown: one line in a pipe, two rows on a terminal, numbers for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from agent.cli import words
from agent.cli.output import rendered
from agent.cli.print_view import Milestones, Moment
from agent.cli.upload import LocalFile
from agent.errors import Refused
from tests.agent.cli.test_cli_values import device, sample

PRINTING = {
    "print_state": "printing",
    "print_owner": "agent",
    "print_file": "시험편.gcode",
    "print_progress": 30.0,
    "print_time_progress": 42.4,
    "print_left": 754.0,
    "print_layer": 21,
    "print_layers": 50,
    "print_height": 4.2,
    "print_message": "",
    "nozzle": 199.7,
    "nozzle_target": 200.0,
    "bed": 59.6,
    "bed_target": 60.0,
}


def moment(state: str = "busy", **values: Any) -> Moment:
    samples = {name: sample(value) for name, value in {**PRINTING, **values}.items()}
    return Moment(device("printer1", state, values=samples))


def test_a_print_is_told_on_one_line() -> None:
    assert moment().line() == (
        "printer1: printing, 42 %, layer 21 of 50, 4.2 mm high, 12 min 34 s left, "
        "nozzle 200 of 200 °C, bed 60 of 60 °C"
    )


def test_what_the_printer_asks_the_person_before_it_is_at_the_end_of_the_line() -> None:
    asked = moment(print_state="paused", print_message="filament is out")
    assert asked.line().endswith(", bed 60 of 60 °C — filament is out")


def test_progress_is_that_of_the_time_and_of_the_bytes_where_no_time_is_known() -> None:
    assert moment().percent == 42.4
    assert moment(print_time_progress=None).percent == 30.0
    assert "30 %" in moment(print_time_progress=None).line()


def test_what_is_not_told_or_not_to_be_believed_is_left_out() -> None:
    told = moment(print_layers=None, print_height=None, print_left=None, bed=None)
    assert told.line() == "printer1: printing, 42 %, layer 21, nozzle 200 of 200 °C"
    samples = {name: sample(value, quality="stale") for name, value in PRINTING.items()}
    lost = Moment(device("printer1", "offline", values=samples))
    assert lost.line() == "printer1: offline"
    assert not lost.is_under_way
    assert lost.as_json()["print_progress"] is None


def test_at_rest_there_is_no_progress_and_a_heater_that_is_off_has_no_target() -> None:
    resting = moment(print_state="error", print_left=None, nozzle_target=0.0, bed=None)
    assert resting.percent is None
    assert resting.line() == "printer1: error, nozzle 200 °C"


def test_simulated_values_are_believed() -> None:
    samples = {name: sample(value, quality="simulated") for name, value in PRINTING.items()}
    assert Moment(device("printer1", values=samples)).is_under_way


def test_programs_get_the_values_as_they_are() -> None:
    told = moment().as_json()
    assert (told["device"], told["state"], told["print_state"]) == ("printer1", "busy", "printing")
    assert (told["print_time_progress"], told["nozzle"]) == (42.4, 199.7)
    assert told["heaters"] is None


def test_a_line_is_due_at_a_change_of_state_a_message_and_a_tenth() -> None:
    told = Milestones()
    steps = [
        moment(print_state="idle", print_time_progress=None, print_progress=None),
        moment(print_state="starting", print_time_progress=0.0),
        moment(print_time_progress=0.0),
        moment(print_time_progress=9.9),
        moment(print_time_progress=10.0, nozzle=201.0),
        moment(print_time_progress=10.0, nozzle=202.0),
        moment(print_time_progress=10.0, print_message="change the filament"),
        moment(print_state="paused", print_time_progress=10.0),
    ]
    assert [told.is_one(step) for step in steps] == [
        *(False, True, True, False, True, False, True, True)
    ]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_rows_of_a_terminal_have_bar_share_and_state_and_fit(width: int) -> None:
    text = rendered(moment().rows(), width)
    top = text.splitlines()[0]
    assert top.startswith("printer1")
    assert "━" in top
    for word in ("42.4 %", "printing", "layer 21 of 50", "12 min 34 s left"):
        assert word in text
    assert all(cell_len(line) <= width for line in text.splitlines())


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.44, "0.4 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (754, "12 min 34 s"),
        (3_600, "1 h 00 min"),
        (3_599.9, "1 h 00 min"),
        (11_220, "3 h 07 min"),
        (277_200, "3 d 05 h"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (3_440, "3.4 kB"),
        (99_940, "99.9 kB"),
        (210_400_000, "210 MB"),
        (999_600, "1.0 MB"),
        (4_096_000_000, "4.1 GB"),
    ],
)
def test_sizes_are_said_as_people_say_them(count: int, said: str) -> None:
    assert words.size(count) == said


def test_a_local_file_is_read_in_pieces_and_must_stay_what_it_was(tmp_path: Path) -> None:
    path = tmp_path / "시험편.gcode"
    path.write_bytes(b"G28\n" * 200_000)
    file = LocalFile.at(path)
    assert (file.name, file.size) == ("시험편.gcode", 800_000)
    assert max(map(len, file.pieces())) < 300_000
    assert b"".join(file.pieces()) == path.read_bytes()
    with path.open("ab") as more:
        more.write(b"M84\n")
    with pytest.raises(Refused, match="was changed while it was read"):
        file.sha256()
    path.write_bytes(b"G28\n")
    with pytest.raises(Refused, match="was changed while it was read"):
        list(file.pieces())
    path.unlink()
    with pytest.raises(Refused, match="can't be read: no such file"):
        file.sha256()
    with pytest.raises(Refused, match="no such file"):
        LocalFile.at(path)
    with pytest.raises(Refused, match="is no plain file"):
        LocalFile.at(tmp_path)

"""Why a printer must not get a file."""

from __future__ import annotations

import gzip

import pytest

from drivers.survey import Bound, Buffers, Profile, refusals
from tests.drivers.slicer import SLICERS, sliced
from tests.drivers.survey_bench import examined, program
from tests.drivers.tower import Tower

HERE = "config/station.yaml:40"
OPEN = Profile()
PRINTER = Profile(
    volume={"X": (0, 210), "Y": (0, 220), "Z": (0, 250)},
    source=HERE,
    feed=Bound(12000, HERE),
    nozzle=Bound(275, HERE),
    bed=Bound(110, HERE),
    chamber=Bound(60, HERE),
)


def reasons(*lines: str, profile: Profile = OPEN) -> list[str]:
    return refusals("part.gcode", program(*lines), profile)


@pytest.mark.parametrize("slicer", SLICERS)
def test_a_slicers_file_that_fits_is_admitted(slicer: str) -> None:
    assert refusals("part.gcode", examined(sliced(slicer, Tower(layers=2))), PRINTER) == []


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("M104 S300", "M104 heats the nozzle to 300 °C, above 275 °C"),
        ("M109 R280.5 T1", "M109 heats the nozzle to 280.5 °C, above 275 °C"),
        ("M190 S120", "M190 heats the bed to 120 °C, above 110 °C"),
        ("M191 S61", "M191 heats the chamber to 61 °C, above 60 °C"),
        ("G1 X5 F15000", "G1 moves at 15000 mm/min, above 12000 mm/min"),
        ("G1 X210.5", "G1 moves X to 210.5 mm, above 210 mm"),
        ("G0 Y-0.2", "G0 moves Y to -0.2 mm, below 0 mm"),
        ("G1 Z251", "G1 moves Z to 251 mm, above 250 mm"),
    ],
)
def test_what_goes_beyond_a_limit_is_named_with_file_line_code_and_who_set_it(
    line: str, sentence: str
) -> None:
    wanted = f"part.gcode, line 3: {sentence}, the limit set by {HERE}"
    assert reasons("G28", "G1 X1 Y1 Z1", line, profile=PRINTER) == [wanted]
    assert reasons("G28", "G1 X1 Y1 Z1", line) == []


def test_what_is_just_on_the_limit_is_admitted() -> None:
    lines = ("M104 S275", "M140 S110", "M141 S60", "G1 X210 Y220 Z250 F12000", "G1 X0 Y0 Z0")
    assert reasons(*lines, profile=PRINTER) == []


def test_adding_up_decimal_fractions_is_no_reason() -> None:
    assert reasons("G1 X209.7", "G91", *["G1 X0.1"] * 3, profile=PRINTER) == []


def test_an_arc_that_bulges_out_is_refused() -> None:
    (reason,) = reasons("G1 X200 Y10", "G3 X200 Y50 I0 J20", profile=PRINTER)
    assert reason.startswith("part.gcode, line 2: G3 moves X to 220 mm, above 210 mm")


def test_every_reason_is_told_and_not_the_first_alone() -> None:
    found = reasons(
        "M104 S300", "M140 S200", "G1 X500 Y-9 F90000", "M500", "hello", profile=PRINTER
    )
    assert len(found) == 7


def test_an_axis_that_the_profile_does_not_bound_is_not_checked() -> None:
    assert reasons("G1 X900 Y900 Z900", profile=Profile(volume={"z": (0, 1000)})) == []


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("M500", "M500", "changes or loads the stored settings"),
        ("M501", "M501", "stored settings"),
        ("M502", "M502", "stored settings"),
        ("M504", "M504", "stored settings"),
        ("M0500", "M500", "stored settings"),
        ("M500.1", "M500.1", "stored settings"),
        ("M997", "M997", "updates or restarts the firmware"),
        ("M999", "M999", "updates or restarts the firmware"),
        ("M110 N0", "M110", "changes the line numbers"),
        ("M112", "M112", "is an emergency stop"),
        *((f"M{number}", f"M{number}", "uses the memory card") for number in range(20, 31)),
        ("M32 !a.g#", "M32", "uses the memory card"),
        ("M928 log.txt", "M928", "uses the memory card"),
        ("M118 //action:pause", "M118 //action", "gives orders to the host"),
        ("M118 A1 action:pause", "M118 //action", "gives orders to the host"),
        ("@pause", "@pause", "gives orders to the host"),
        ("M575 B250000", "M575", "changes the baud rate"),
        ("FIRMWARE_RESTART", "FIRMWARE_RESTART", "restarts the firmware"),
        ("SAVE_CONFIG", "SAVE_CONFIG", "stored settings"),
        ("D3 Ax0 C4", "D3", "debugs the firmware"),
    ],
)
def test_codes_that_no_print_needs_are_refused_unless_the_profile_allows_them(
    line: str, code: str, words: str
) -> None:
    (reason,) = reasons("G28", line)
    assert reason.startswith(f"part.gcode, line 2: {code} ")
    assert words in reason
    assert reasons("G28", line, profile=Profile(allow=frozenset({code}))) == []


def test_allowing_a_code_allows_its_subcodes_and_the_orders_in_it() -> None:
    allowed = Profile(allow=frozenset({"M500", "M118"}))
    assert reasons("M500.1", "M118 //action:x", profile=allowed) == []


@pytest.mark.parametrize(
    "line",
    ["M0", "M1 wait", "M600", "M851 Z-1", "M92 X80", "M201 X500", "M203 X200", "M118 hello", "M73 P1",
     "M117 M500", "M211 S0", "M17", "M84 X Y", "M5", "M106 S255", "G29", "T1", "START_PRINT A=1"],
)  # fmt: skip
def test_codes_that_a_print_may_need_are_admitted(line: str) -> None:
    assert reasons("G28", line) == []


def test_a_profile_forbids_codes_of_its_own() -> None:
    profile = Profile(forbid=frozenset({"G29", "M600"}), source=HERE)
    found = reasons("G28", "G29.1", "M600", profile=profile)
    assert found == [
        f"part.gcode, line 2: G29.1 is forbidden by {HERE}",
        f"part.gcode, line 3: M600 is forbidden by {HERE}",
    ]


def test_an_origin_at_an_unknown_place_is_refused_where_the_volume_is_checked() -> None:
    lines = ("G28", "G92 X0", "G1 X50")
    (reason,) = reasons(*lines, profile=PRINTER)
    assert reason.startswith(
        "part.gcode, line 2: G92 sets X anew at a place that the file does not"
    )
    assert reasons(*lines) == []
    volume = Profile(volume={"X": (0, 210)}, allow=frozenset({"G92"}))
    assert reasons(*lines, profile=volume) == []
    assert "moves X to 250" in reasons("G28", "G92 X0", "G1 X250", profile=volume)[0]


def test_trouble_is_a_reason_with_the_files_name() -> None:
    found = refusals("부품.gcode", examined(gzip.compress(b"G28\n", mtime=0)), OPEN)
    assert found == ["부품.gcode, line 1: it is compressed (gzip): unpack it first"]
    assert refusals("a.gcode", examined(b""), OPEN) == ["a.gcode: it is empty"]
    assert reasons("G28", "hello") == ["part.gcode, line 2: 'hello' is not G-code"]
    assert reasons("G28", "G1 X1*5")[0].startswith("part.gcode, line 2: G1: it has a checksum")


def test_what_only_a_serial_line_can_not_carry_does_not_keep_a_file_from_other_printers() -> None:
    survey = program(
        "EXCLUDE_OBJECT_DEFINE NAME=part POLYGON=" + "[1,2]," * 20, "M117 출력 중", "hello"
    )
    assert len(refusals("part.gcode", survey, OPEN)) == 3
    assert refusals("part.gcode", survey, OPEN, by_lines=False) == [
        "part.gcode, line 3: 'hello' is not G-code"
    ]


def test_trouble_beyond_what_is_listed_is_counted() -> None:
    assert reasons(*["hello"] * 100)[-1] == "part.gcode: 85 more lines can't be sent"


def test_a_profile_carries_what_pausing_needs() -> None:
    profile = Profile(pause=("G91", "G1 Z5"), resume=(), buffers=Buffers(4, 128))
    assert (profile.pause, profile.resume, profile.cancel) == (("G91", "G1 Z5"), (), None)
    assert profile.buffers == Buffers(lines=4, bytes=128)
    assert Bound(5.0, HERE).source == HERE

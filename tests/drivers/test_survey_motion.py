"""How far a program moves, prints, heats and hurries, against a plain and slow reading of it."""

from __future__ import annotations

from math import hypot

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.drivers.plotter import Plotter
from tests.drivers.survey_bench import program, reach


def test_the_box_holds_what_is_moved_to_with_the_first_lines() -> None:
    survey = program("G28", "G1 X10 Y20 Z.3", "G1 X-5 Y30", "G0 X10 Y20", "G1 X-5")
    assert reach(survey) == {"X": (-5, 10), "Y": (20, 30), "Z": (0.3, 0.3)}
    extent = survey.box["X"]
    assert (extent.low_line, extent.low_code) == (3, "G1")
    assert (extent.high_line, extent.high_code) == (2, "G1")


def test_what_is_printed_begins_where_its_first_move_begins() -> None:
    survey = program(
        "M83", "G1 X90 Y90 Z1", "G1 X10 Y10", "G1 X20 Y10 E1", "G1 X20 Y15 E1", "G1 X0 E-1"
    )
    assert reach(survey, printed=True) == {"X": (10, 20), "Y": (10, 15), "Z": (1, 1)}


def test_pushing_filament_at_a_standstill_or_drawing_it_back_prints_nothing() -> None:
    assert program("M83", "G1 X1 Y1", "G1 E5", "G1 X2 E-1", "G1 X3 E0").printed == {}


def test_absolute_extrusion_prints_where_the_extruder_goes_forward() -> None:
    survey = program(
        "G1 X0 Y0", "G1 X1 Y0 E5", "G1 X2 Y0 E4", "G92 E0", "G1 X3 Y0 E0.5", "G1 X9 Y0 E.5"
    )
    assert reach(survey, printed=True)["X"] == (0, 3)


def test_g90_and_g91_hold_for_the_extruder_until_m82_or_m83() -> None:
    survey = program("G1 X0 E5", "G91", "G1 X1 E1", "G90", "G1 X50 E5.5", "M83", "G90", "G1 X60 E6")
    assert reach(survey, printed=True)["X"] == (0, 60)
    survey = program("G1 X0 E5", "M83", "G1 X1 E1", "M82", "G1 X2 E4")
    assert reach(survey, printed=True)["X"] == (0, 1)


def test_relative_moves_add_up() -> None:
    survey = program("G1 X10 Y10", "G91", "G1 X5", "G1 X5 Y-20", "G90", "G1 X1")
    assert reach(survey) == {"X": (1, 20), "Y": (-10, 10)}


def test_relative_moves_from_a_place_that_is_not_known_are_not_guessed() -> None:
    survey = program("G28", "G91", "G1 Z5", "G1 X500", "G90", "G1 X3")
    assert reach(survey) == {"X": (3, 3)}


def test_homing_makes_the_named_axes_unknown_or_all() -> None:
    survey = program(
        "G1 X10 Y10 Z10", "G28 X", "G91", "G1 X90 Y5 Z5", "G90", "G28", "G91", "G1 Y90"
    )
    assert reach(survey) == {"X": (10, 10), "Y": (10, 15), "Z": (10, 15)}


def test_after_probing_the_head_is_at_no_known_place() -> None:
    assert reach(program("G1 X10", "G29", "G91", "G1 X90")) == {"X": (10, 10)}


def test_g92_at_a_known_place_shifts_what_follows_back_to_the_printers_own_coordinates() -> None:
    survey = program("G1 X100", "G92 X0", "G1 X50", "G1 X-20", "G28 X", "G1 X7")
    assert reach(survey) == {"X": (7, 150)}
    assert survey.unplaced == {}


def test_g92_at_an_unknown_place_is_told() -> None:
    survey = program("G28", "G92 X0 E0", "G1 X50")
    assert {axis: (it.line, it.code) for axis, it in survey.unplaced.items()} == {"X": (2, "G92")}


def test_g92_of_the_extruder_alone_moves_no_origin() -> None:
    assert program("G28", "G92 E0", "G1 X50").unplaced == {}


def test_an_origin_kept_in_the_printer_makes_all_places_unknown() -> None:
    assert set(program("G55", "G1 X50").unplaced) == {"X", "Y", "Z"}


def test_inches_become_millimetres() -> None:
    survey = program("G20", "G1 X1 F10", "G91", "G1 X1", "G21", "G90", "G1 Y1")
    assert reach(survey) == {"X": (25.4, 50.8), "Y": (1, 1)}
    assert survey.feed is not None
    assert survey.feed.value == 254


def test_the_fastest_feed_is_told_with_its_line_and_code() -> None:
    survey = program("G1 X1 F600", "G0 X2 F9000", "G1 X3 F0", "G1 F9000")
    assert survey.feed is not None
    assert (survey.feed.value, survey.feed.line, survey.feed.code) == (9000, 2, "G0")


def test_a_speed_factor_counts() -> None:
    survey = program("G1 X1 F6000", "M220 S200", "G1 X2")
    assert survey.feed is not None
    assert (survey.feed.value, survey.feed.line, survey.feed.code) == (12000, 2, "M220")


@pytest.mark.parametrize(
    ("line", "place", "value"),
    [
        ("M104 S210", "nozzle", 210),
        ("M109 R230", "nozzle", 230),
        ("M109 S200 T1", "nozzle", 200),
        ("M104 T1 S205.5", "nozzle", 205.5),
        ("M109 S190 B260 F1", "nozzle", 260),
        ("M104 S200 S300", "nozzle", 300),
        ("M104.1 S180", "nozzle", 180),
        ("G10 P0 S240 R150", "nozzle", 240),
        ("M568 P1 S240", "nozzle", 240),
        ("M303 E0 S245 C8", "nozzle", 245),
        ("M303 E-1 S90", "bed", 90),
        ("M140 S60", "bed", 60),
        ("M190 R110", "bed", 110),
        ("M141 S45", "chamber", 45),
        ("M191 S50", "chamber", 50),
        ("SET_HEATER_TEMPERATURE HEATER=extruder TARGET=240", "nozzle", 240),
        ('SET_HEATER_TEMPERATURE heater="heater_bed" target=70.5', "bed", 70.5),
        ("SET_HEATER_TEMPERATURE TARGET = 45 HEATER=chamber_heater", "chamber", 45),
        ("PID_CALIBRATE HEATER=extruder1 TARGET=250", "nozzle", 250),
    ],
)
def test_the_hottest_is_found(line: str, place: str, value: float) -> None:
    survey = program("M104 S0", "M140 S0", "M141 S0", line, line)
    peak = getattr(survey, place)
    assert (peak.value, peak.line) == (value, 4)


def test_a_file_that_heats_nothing_has_no_hottest() -> None:
    survey = program(
        "G10", "G10 S1", "M104", "M104 S", "M106 S255", "SET_HEATER_TEMPERATURE TARGET=nan"
    )
    assert (survey.nozzle, survey.bed, survey.chamber) == (None, None, None)


@pytest.mark.parametrize(
    ("lines", "box"),
    [
        (["G1 X10 Y0", "G3 X-10 Y0 I-10"], {"X": (-10, 10), "Y": (0, 10)}),
        (["G1 X10 Y0", "G2 X-10 Y0 I-10"], {"X": (-10, 10), "Y": (-10, 0)}),
        (["G1 X10 Y0", "G3 X0 Y10 R10"], {"X": (0, 10), "Y": (0, 10)}),
        (["G1 X10 Y0", "G3 X0 Y10 R-10"], {"X": (0, 20), "Y": (0, 20)}),
        (["G1 X10 Y0", "G2 I-10"], {"X": (-10, 10), "Y": (-10, 10)}),
        (["G1 X10 Y0", "G3 X0 Y10 I-10 P1"], {"X": (-10, 10), "Y": (-10, 10)}),
        (["G1 X10 Z0", "G18", "G2 X-10 I-10"], {"X": (-10, 10), "Z": (0, 10)}),
        (["G1 Y10 Z0", "G19", "G3 Y-10 J-10"], {"Y": (-10, 10), "Z": (0, 10)}),
        (["G1 X0 Y0", "G5 X10 Y0 I3 J5 P-3 Q-6"], {"X": (0, 10), "Y": (-6, 5)}),
        (["G1 X0 Y0", "G2 X10 Y0"], {"X": (0, 10), "Y": (0, 0)}),
        (["G1 X0 Y0", "G2 X10 Y0 R1"], {"X": (0, 10), "Y": (0, 0)}),
    ],
)
def test_an_arc_reaches_as_far_as_it_bulges(
    lines: list[str], box: dict[str, tuple[float, float]]
) -> None:
    found = reach(program(*lines))
    for axis, (low, high) in box.items():
        assert found[axis] == pytest.approx((low, high), abs=1e-9)


def test_an_arc_that_prints_bulges_what_is_printed() -> None:
    survey = program("M83", "G1 X10 Y0", "G3 X-10 Y0 I-10 E1")
    assert reach(survey, printed=True)["Y"] == pytest.approx((0, 10))


def test_an_arc_from_an_unknown_place_reaches_its_end_alone() -> None:
    assert reach(program("G28", "G2 X5 Y6 I3")) == {"X": (5, 5), "Y": (6, 6)}


NUMBERS = st.integers(-400, 400).map(lambda n: n / 8)
AXES = st.dictionaries(st.sampled_from("XYZ"), NUMBERS, max_size=3)
PUSHES = st.one_of(st.none(), st.sampled_from([-1.0, 0.0, 0.25, 2.0, 5.0]))
FEEDS = st.one_of(st.none(), st.sampled_from([0, 600, 1200, 9000]))


@st.composite
def moves(draw: st.DrawFn) -> str:
    code = draw(st.sampled_from(["G0", "G1", "G1", "G1"]))
    words = [f"{axis}{value:g}" for axis, value in draw(AXES).items()]
    push, feed = draw(PUSHES), draw(FEEDS)
    words += [] if push is None else [f"E{push:g}"]
    words += [] if feed is None else [f"F{feed}"]
    ordered = sorted(words, key="XYZEF".find) if draw(st.integers(0, 3)) else words
    return " ".join([code, *ordered])


@st.composite
def arcs(draw: st.DrawFn) -> str:
    x, y, i, j = (draw(NUMBERS) for _ in range(4))
    assume(hypot(i, j) > 1)
    code = draw(st.sampled_from(["G2", "G3"]))
    return f"{code} X{x:g} Y{y:g} I{i:g} J{j:g}{draw(st.sampled_from(['', ' E1', ' Z3']))}"


MODES = (
    "G90,G91,M82,M83,G20,G21,G28,G29,M105,;LAYER_CHANGE,G28 X,G28 Y Z,G92 E0,G92 X5,G92 Y-3 Z2,"
    "M220 S150,M220 S100,G4 P500"
)
ORDERS = st.one_of(moves(), moves(), moves(), arcs(), st.sampled_from(MODES.split(",")))


@given(st.lists(ORDERS, max_size=60))
def test_box_feed_and_time_are_those_of_a_plain_and_slow_reading(lines: list[str]) -> None:
    survey, plotter = program("G28", *lines), Plotter()
    for line in ["G28", *lines]:
        plotter.follow(line)
    assert (survey.feed.value if survey.feed else None) == pytest.approx(plotter.fastest)
    assert (survey.seconds or 0.0) == pytest.approx(plotter.seconds, rel=5e-4)
    for found, wanted in (
        (reach(survey), plotter.box),
        (reach(survey, printed=True), plotter.printed),
    ):
        assert found.keys() == wanted.keys()
        for axis, span in wanted.items():
            # The plotter takes small steps along an arc, and may miss its furthest point a little.
            assert found[axis] == pytest.approx(span, abs=2e-3)


def test_the_reference_itself_draws_a_circle() -> None:
    plotter = Plotter()
    for line in ("G1 X10 Y0", "G2 X10 Y0 I-10 J0"):
        plotter.follow(line)
    assert plotter.box["Y"] == pytest.approx((-10, 10), abs=1e-3)

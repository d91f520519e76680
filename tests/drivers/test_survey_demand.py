"""What a serial line has to carry, and the warning when it can't."""

from __future__ import annotations

import re

import pytest

from drivers.survey import Survey, warnings
from tests.drivers.survey_bench import program


def segments(length: float, count: int, feed: int = 6000) -> list[str]:
    """A zigzag of segments of the same length."""
    ends = [f"G1 X{10 + (i % 2) * length:.3f} Y10.000 E.01000" for i in range(1, count + 1)]
    return ["M83", f"G1 X10.000 Y10.000 F{feed}", *ends]


def test_what_is_needed_is_bytes_by_seconds_of_the_framed_lines() -> None:
    survey = program(*segments(0.2, 640))
    worst = survey.demand.worst
    assert worst is not None
    framed = len("N500 G1 X10.200 Y10.000 E.01000*99\n")
    assert worst.needed == pytest.approx(framed / (0.2 / 100), rel=0.03)
    assert sum(load.seconds for load in survey.demand.loads) == pytest.approx(640 * 0.002)


def test_the_digits_of_the_line_number_count() -> None:
    early = program(*["M105"] * 10, "M400", *segments(0.2, 64))
    late = program(*["M105"] * 100_000, "M400", *segments(0.2, 64))
    assert peak(late) - peak(early) == pytest.approx(4 / 0.002, rel=0.1)


@pytest.mark.parametrize("order", ["M109 S200", "G28", "G4 P500", "M400"])
def test_while_the_printer_waits_the_line_catches_up(order: str) -> None:
    moves = ["G1 X0 Y0 F6000", "G1 X90 Y0"]
    assert peak(program("G1 X0 Y0", *["M105"] * 1000, order, *moves)) < 200
    assert peak(program("G1 X0 Y0", *["M105"] * 1000, *moves)) > 10_000


def test_orders_that_move_nothing_are_carried_too() -> None:
    lines = segments(0.2, 640)
    more = [part for line in lines for part in (line, "M204 S1000")]
    assert peak(program(*more)) > 1.4 * peak(program(*lines))


def test_a_short_burst_evens_out_with_what_is_around_it() -> None:
    burst = ["G1 X10 Y10", "G1 X10.05 Y10", "G1 X10.1 Y10"]
    assert peak(program("G1 X0 Y0 F6000", "G1 X90 Y0", *burst, "G1 X90 Y0")) < 500


def test_an_arc_takes_one_line_for_all_its_length() -> None:
    arcs = ["G2 X20 Y0 I10", "G3 X0 Y0 I-10"] * 40
    assert peak(program("G1 X0 Y0 F6000", *arcs)) < 150


def test_no_warning_when_the_line_carries_everything() -> None:
    assert warnings(program(*segments(5, 100)), 11520.0) == []
    assert warnings(program("G28"), 11520.0) == []


def test_the_warning_says_how_much_where_what_and_what_to_do() -> None:
    lines = ["G28", "G1 X0 Y0 F6000", *["G1 X100 Y0", "G1 X0 Y0"] * 50, *segments(0.05, 3200)[1:]]
    (warning,) = warnings(program(*lines), 11520.0)
    assert "up to 1.6 s of 1 min 42 s of movement (1.6 %)" in warning
    assert re.search(r"first near line 1[0-3]\d:", warning)
    assert "the line carries 11,520" in warning
    assert "bytes/s (line " in warning
    for advice in ("slower", "coarser resolution", "arcs", "higher baud rate", "memory card"):
        assert advice in warning


def test_a_faster_line_is_warned_of_less() -> None:
    survey = program(*segments(0.2, 500), *segments(0.1, 500)[1:], *segments(5, 100)[1:])
    assert 25 > share(survey, 11_520.0) > 2 * share(survey, 25_000.0) > 10
    assert warnings(survey, 60_000.0) == []


def test_a_print_that_is_too_fast_all_the_time_is_said_in_whole_percents() -> None:
    assert share(program(*segments(0.2, 64)), 100.0) == 100.0


def test_loads_are_few_and_in_order_however_many_kinds_of_segments_there_are() -> None:
    lines = ["G1 X0 Y0 F6000", *(f"G1 X{i % 2 * (0.01 + i / 1000):.4f} Y0" for i in range(20_000))]
    loads = program(*lines).demand.loads
    assert len(loads) < 150
    assert [load.needed for load in loads] == sorted(load.needed for load in loads)


def share(survey: Survey, bytes_per_second: float) -> float:
    """Percents of the print that a line is warned of."""
    (warning,) = warnings(survey, bytes_per_second)
    match = re.search(r"\(([\d.]+) %\)", warning)
    assert match is not None
    return float(match[1])


def peak(survey: Survey) -> float:
    assert survey.demand.worst is not None
    return survey.demand.worst.needed

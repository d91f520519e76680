"""What slicers write is taken: every command is acknowledged, and arcs are made of short moves."""

from __future__ import annotations

import math

import pytest

from simulators.marlin_arcs import centre_by_radius, segments
from simulators.marlin_motion import Position
from tests.simulators.marlin_host import CarefulHost, ask, printer, wait

PRUSA_SLICER = """
M73 P0 R12
M201 X1000 Y1000 Z200 E5000
M203 X200 Y200 Z12 E120
M204 P1250 R1250 T1250
M205 X8.00 Y8.00 Z0.40 E4.50
M205 S0 T0
G90
M83
M104 S215
M140 S60
M190 S60
M109 S215
G28 W
G21
M107
G92 E0.0
G1 Z0.200 F720
G1 X60.0 E9.0 F1000.0
M221 S95
M900 K0.05
G1 E-0.80000 F2100.00000
M106 S252.45
M486 S0
G2 X70 Y10 I5 J0 E0.3
M600
M601
M104 S0
M84
"""

CURA = """
M140 S60
M105
M190 S60
M104 S200
M109 S200
M82
G92 E0
G28
G1 Z2.0 F3000
G1 X0.1 Y20 Z0.3 F5000.0
M75
M117 Printing layer 1
M220 S100
M0 Change the filament
M413 S0
M300 S440 P200
M77
"""


@pytest.mark.parametrize("file", [PRUSA_SLICER, CURA], ids=["PrusaSlicer", "Cura"])
def test_every_line_of_a_sliced_file_is_acknowledged(file: str) -> None:
    board = printer()
    for line in file.strip().splitlines():
        said = ask(board, line)
        for _ in range(2000):
            if said and said[-1].startswith("ok"):
                break
            said += wait(board, 1.0)
            if "echo:busy: paused for user" in said:
                said += ask(board, "M108")[:1]
        assert said[-1].startswith("ok"), line


def test_what_marlin_does_not_know_is_told_and_acknowledged() -> None:
    board = printer()
    unknown = ["M300 S440 P200", "M601"]
    assert [ask(board, line) for line in unknown] == [
        [f'echo:Unknown command: "{line}"', "ok"] for line in unknown
    ]


def test_a_long_file_is_received_as_it_was_sent() -> None:
    board = printer(line_seconds=0.0003)
    commands = [
        f"G1 X{100 + 50 * math.cos(n / 9):.3f} Y{100 + 50 * math.sin(n / 9):.3f} E{n * 0.01:.5f}"
        for n in range(2000)
    ]
    CarefulHost(board).send(commands)
    assert board.received == commands
    assert board.executed == commands


def at(x: float, y: float, z: float = 0.0) -> Position:
    return {"X": x, "Y": y, "Z": z, "E": 0.0}


@pytest.mark.parametrize(("clockwise", "quarters"), [(False, 1), (True, 3)], ids=["G3", "G2"])
def test_an_arc_goes_round_its_centre_at_its_radius(clockwise: bool, quarters: int) -> None:
    places = list(segments(at(10, 0), at(0, 10, 4.0), (0.0, 0.0), clockwise=clockwise))
    assert all(math.hypot(p["X"], p["Y"]) == pytest.approx(10) for p in places)
    assert len(places) == int(quarters * math.pi / 2 * 10)
    assert places[-1] == at(0, 10, 4.0)
    heights = [p["Z"] for p in places]
    assert heights == sorted(heights)


def test_an_arc_that_ends_where_it_begins_is_a_circle() -> None:
    places = list(segments(at(10, 0), at(10, 0), (0.0, 0.0), clockwise=True))
    assert len(places) == int(2 * math.pi * 10)


@pytest.mark.parametrize("clockwise", [False, True])
@pytest.mark.parametrize("radius", [8.0, -8.0])
def test_a_radius_makes_the_short_arc_and_a_negative_one_the_long(
    clockwise: bool, radius: float
) -> None:
    start, end = at(0, 0), at(10, 3)
    centre = centre_by_radius(start, end, radius, clockwise=clockwise)
    assert centre is not None
    assert math.dist(centre, (0, 0)) == pytest.approx(8.0) == math.dist(centre, (10, 3))
    turn = len(list(segments(start, end, centre, clockwise=clockwise))) / 8.0
    assert (turn < math.pi) == (radius > 0)


def test_an_arc_fills_the_planner_and_ends_where_it_should() -> None:
    board = printer()
    ask(board, "G1 X10 Y0 F6000")
    assert ask(board, "G3 X0 Y10 I-10 J0 F600") == []
    assert wait(board, 30) == ["ok"]
    assert board.position == pytest.approx({"X": 0, "Y": 10, "Z": 0, "E": 0})


def test_an_arc_without_a_centre_is_an_error() -> None:
    board = printer()
    assert ask(board, "G2 X10 Y10") == ["Error:G2/G3 bad parameters", "ok"]
    assert ask(board, "G2 X10 Y10 R1") == ["Error:G2/G3 bad parameters", "ok"]


def test_a_board_without_arcs_does_not_know_them() -> None:
    assert ask(printer(arcs=False), "G2 X1 Y1 I1")[0].startswith("echo:Unknown command")

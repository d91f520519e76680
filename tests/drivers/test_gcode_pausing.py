"""What a pause sends: the head is lifted, put aside and brought back, within the printer's volume."""

from __future__ import annotations

from drivers.protocol.gcode_pausing import pausing, place_of, resuming
from drivers.protocol.gcode_source import Modes
from drivers.survey import Profile

VOLUME = Profile(volume={"X": (0.0, 200.0), "Y": (-4.0, 210.0), "Z": (0.0, 250.0)})
PLACE = {"X": 50.5, "Y": 60.0, "Z": 1.2, "E": 12.34}


def test_the_place_is_read_from_the_position_and_not_from_the_steps() -> None:
    report = ["X:50.50 Y:60.00 Z:1.20 E:12.34 Count X:4040 Y:4800 Z:480", ""]
    assert place_of(report) == PLACE
    assert place_of(["X:50.50 Y:60.00"]) == {}
    assert place_of([]) == {}


def test_the_filament_is_pulled_back_the_head_lifted_and_put_aside() -> None:
    assert pausing(VOLUME, PLACE) == [
        *("G21", "G91", "M83", "G1 E-2 F1800", "G1 Z5 F600", "G90", "G1 X0 Y210 F6000", "M400")
    ]


def test_it_comes_back_the_same_way_and_restores_the_modes() -> None:
    modes = Modes(absolute=False, absolute_e=True, inches=True, feed=1800.0)
    back = ["G21", "G90", "G1 X50.5 Y60 F6000", "G1 Z1.2 F600", "M83", "G1 E2 F1800", "G92 E12.34"]
    assert resuming(VOLUME, modes, PLACE) == [*back, "G91", "M82", "G20", "G1 F1800"]
    assert resuming(VOLUME, Modes(absolute_e=False), PLACE)[-2:] == ["G90", "M83"]


def test_without_a_volume_the_head_stays_where_it_is() -> None:
    assert not [line for line in pausing(Profile(), PLACE) if line.startswith("G1 X")]
    assert not [line for line in pausing(Profile(), PLACE) if line.startswith("G1 Z")]
    assert not [line for line in resuming(Profile(), Modes(), PLACE) if "X" in line or "Z" in line]


def test_it_is_not_lifted_beyond_the_top() -> None:
    assert "G1 Z2 F600" in pausing(VOLUME, {**PLACE, "Z": 248.0})
    assert not [line for line in pausing(VOLUME, {**PLACE, "Z": 250.0}) if line.startswith("G1 Z")]


def test_when_nobody_knows_where_it_is_it_is_not_moved() -> None:
    assert pausing(VOLUME, {}) == []
    assert resuming(VOLUME, Modes(), {}) == []


def test_the_lab_s_own_scripts_come_first() -> None:
    own = Profile(volume=VOLUME.volume, pause=("M125",), resume=("G27", "M24"))
    assert pausing(own, PLACE) == ["M125"]
    assert resuming(own, Modes(), PLACE) == ["G27", "M24"]

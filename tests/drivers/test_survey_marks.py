"""How far a print is behind which byte."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from drivers.survey import Survey
from tests.drivers.slicer import SLICERS, sliced
from tests.drivers.survey_bench import examined, program
from tests.drivers.tower import Tower, estimate, paths, seconds

TOWER = Tower(layers=6, facets=24)


def behind(data: bytes, pattern: bytes, count: int) -> int:
    """The offset behind the line in which a pattern is found for the n-th time, from 0."""
    match = list(re.finditer(pattern, data))[count]
    return data.index(b"\n", match.start()) + 1


@pytest.mark.parametrize("slicer", SLICERS)
def test_layer_and_height_are_those_that_are_printed_there(slicer: str) -> None:
    data = sliced(slicer, TOWER)
    survey = examined(data)
    pattern = rb";LAYER:\d" if slicer == "Cura" else rb";LAYER_CHANGE"
    for layer in range(6):
        place = survey.at(behind(data, pattern, layer) + 900)
        assert (place.layer, place.layers) == (layer + 1, 6)
        assert place.height == pytest.approx(TOWER.height(layer))


@pytest.mark.parametrize("slicer", SLICERS)
def test_time_goes_as_the_slicer_says(slicer: str) -> None:
    data = sliced(slicer, TOWER)
    survey = examined(data)
    pattern = rb";LAYER:\d" if slicer == "Cura" else rb";LAYER_CHANGE"
    whole = estimate(TOWER)
    assert survey.seconds == whole
    each = sum(seconds(TOWER, path) for path in paths(TOWER, 0))
    for layer in range(6):
        place = survey.at(behind(data, pattern, layer))
        assert place.seconds == pytest.approx(layer * each, abs=0.03 * whole)
        assert place.left == pytest.approx(whole - (place.seconds or 0.0))


@pytest.mark.parametrize("slicer", SLICERS)
def test_time_never_goes_back_and_ends_with_the_file(slicer: str) -> None:
    data = sliced(slicer, TOWER)
    survey = examined(data)
    times = [survey.at(offset).seconds or 0.0 for offset in range(0, len(data) + 1, 97)]
    assert times == sorted(times)
    assert survey.at(0).seconds == 0
    assert survey.at(0).layer is None
    assert survey.at(len(data)).seconds == pytest.approx(survey.seconds)
    assert survey.at(len(data) + 10_000).left == 0


def test_without_a_slicers_word_time_is_length_by_feed() -> None:
    lines = ["G28", "G1 X0 Y0 F600", *(f"G1 X{10 * i} Y0" for i in range(1, 1201)), "G4 S10"]
    survey = program(*lines)
    assert survey.slicer.seconds is None
    assert survey.seconds == pytest.approx(1210)
    text = "\n".join(lines)
    place = survey.at(text.index("G1 X6000 "))
    assert place.seconds == pytest.approx(600, abs=2)
    assert place.left == pytest.approx(610, abs=2)


def test_our_own_time_is_stretched_to_the_slicers_estimate() -> None:
    lines = ["G28", "G1 X0 Y0 F600", *(f"G1 X{10 * i} Y0" for i in range(1, 1201))]
    survey = program(*lines, "; estimated printing time (normal mode) = 1h 0m 0s")
    middle = "\n".join(lines).index("G1 X6000 ")
    assert survey.at(middle).seconds == pytest.approx(1800, abs=6)


def test_minutes_left_are_believed_in_a_long_print_and_percents_in_a_short_one() -> None:
    lines = ["G28", "G1 X0 Y0 F600", *(f"G1 X{10 * i} Y0" for i in range(1, 101))]
    lines.insert(52, "M73 P90 R60")
    for words, elapsed in (("4h 0m 0s", 3 * 3600), ("1h 30m 0s", 0.9 * 5400)):
        survey = program(*lines, f"; estimated printing time (normal mode) = {words}")
        offset = "\n".join(lines).index("M73") + len("M73 P90 R60\n")
        assert survey.at(offset).seconds == pytest.approx(elapsed)


def test_without_an_estimate_the_first_minutes_left_are_the_whole_time() -> None:
    survey = program("M73 P0 R120", "G1 X0 Y0 F600", "G1 X10 Y0", "M73 P50 R60", "G1 X20 Y0")
    assert survey.seconds == 7200
    assert survey.at(len("M73 P0 R120\nG1 X0 Y0 F600\nG1 X10 Y0\nM73 P50 R60\n")).seconds == 3600


def test_the_silent_modes_progress_is_no_progress() -> None:
    survey = program("G1 X0 Y0 F600", "G1 X10 Y0", "M73 Q50 S60", "G1 X20 Y0")
    assert survey.seconds == pytest.approx(2)


def test_layers_without_comments_are_told_by_the_height_of_what_is_printed() -> None:
    lines = ["M83", "G1 X0 Y0 Z5 F600"]
    for layer in range(4):
        height = 0.2 * (layer + 1)
        lines += [
            f"G1 Z{height + 1:g}",
            "G1 X9 Y9",
            f"G1 Z{height:g}",
            "G1 X5 Y5 E1",
            "G1 X6 Y5 E1",
        ]
    survey = program(*lines)
    places = places_behind(survey, lines, "G1 X6 Y5 E1")
    assert [place[0] for place in places] == [1, 2, 3, 4]
    assert [place[1] for place in places] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert survey.slicer.layers == 4


def test_a_vase_has_heights_and_no_layers() -> None:
    lines = ["M83", "G1 X0 Y0 Z0 F600"]
    lines += [f"G1 X{i % 7} Y{i % 5} Z{i / 1000:g} E.1" for i in range(1, 1200)]
    survey = program(*lines)
    place = survey.at(survey.size)
    assert place.layer is None
    assert place.height == pytest.approx(1.199)


def test_the_first_kind_of_comment_counts_layers_and_no_other_does() -> None:
    lines = ["M83", "G1 X0 Y0 Z1 F600"]
    for layer in range(3):
        lines += [";LAYER_CHANGE", f";Z:{layer}", ";BEFORE_LAYER_CHANGE", f";LAYER:{layer}"]
        lines += [f"G1 Z{layer}", f"G1 X5 Y{layer} E1", "G1 X6 Y5 E1"]
    assert [it[0] for it in places_behind(program(*lines), lines, "G1 X6 Y5 E1")] == [1, 2, 3]


def test_a_layer_at_the_same_height_as_the_last_counts() -> None:
    lines = ["M83", "G1 X0 Y0 Z1 F600"]
    for _ in range(3):
        lines += [";LAYER_CHANGE", "G1 X5 Y0 E1", "G1 X6 Y5 E1"]
    assert [it[0] for it in places_behind(program(*lines), lines, "G1 X6 Y5 E1")] == [1, 2, 3]


def test_the_slicers_height_stands_in_where_the_program_does_not_tell_one() -> None:
    lines = ["M83", "G28", "G1 X0 Y0 F600", ";LAYER_CHANGE", ";Z:1.4", "G1 X5 Y0 E1", "G1 X6 Y5 E1"]
    assert places_behind(program(*lines), lines, "G1 X6 Y5 E1") == [(1, 1.4)]


def test_marks_are_few_and_evenly_spread_in_a_large_file() -> None:
    data = sliced("Cura", Tower(layers=2500, facets=3))
    survey = examined(data)
    offsets = [row[0] for row in survey.marks]
    assert 1000 <= len(offsets) <= 2002
    gaps = [b - a for a, b in pairwise(offsets)]
    assert max(gaps) < 8 * len(data) / len(offsets)
    half = survey.at(len(data) // 2)
    assert half.layer == pytest.approx(1250, abs=10)


def test_a_file_that_moves_nothing_has_no_times() -> None:
    survey = program("M104 S200", "M117 hello")
    assert (survey.seconds, survey.marks) == (None, ())
    place = survey.at(5)
    assert (place.seconds, place.left, place.layer, place.height) == (None, None, None, None)


def places_behind(
    survey: Survey, lines: list[str], line: str
) -> list[tuple[int | None, float | None]]:
    """Layer and height behind each of these lines."""
    offset, found = 0, []
    for each in lines:
        offset += len(each) + 1
        if each == line:
            place = survey.at(offset)
            found.append((place.layer, place.height))
    return found

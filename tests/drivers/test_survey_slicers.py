"""What slicers say in comments."""

from __future__ import annotations

import base64

import pytest

from drivers.survey.slicers import duration
from tests.drivers.slicer import DENSITY, SLICERS, VERSIONS, sliced, spelled
from tests.drivers.survey_bench import examined, program
from tests.drivers.tower import FILAMENT_MM2, Tower, estimate, filament

TOWER = Tower(layers=5, layer_height=0.28, facets=24)


@pytest.mark.parametrize("slicer", SLICERS)
def test_every_slicer_tells_its_name_time_layers_and_filament(slicer: str) -> None:
    said = examined(sliced(slicer, TOWER)).slicer
    assert (said.name, said.version) == (slicer, VERSIONS[slicer])
    assert said.seconds == estimate(TOWER)
    assert said.layers == 5
    assert said.layer_height == 0.28
    assert said.filament_mm == pytest.approx(filament(TOWER), abs=0.01)
    grams = filament(TOWER) * FILAMENT_MM2 / 1000 * DENSITY
    assert said.filament_g == (None if slicer == "Cura" else pytest.approx(grams, abs=0.01))


@pytest.mark.parametrize("slicer", [it for it in SLICERS if it != "Cura"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_pictures_are_found_by_offset_and_length(slicer: str, end: bytes) -> None:
    data = sliced(slicer, TOWER).replace(b"\n", end)
    pictures = examined(data).slicer.thumbnails
    sizes = [(48, 48)] if slicer == "OrcaSlicer" else [(16, 16), (220, 124)]
    assert [(it.width, it.height) for it in pictures] == sizes
    for picture in pictures:
        block = data[picture.offset : picture.offset + picture.length]
        text = b"".join(line.removeprefix(b"; ") for line in block.splitlines())
        png = base64.b64decode(text, validate=True)
        assert png[:8] == b"\x89PNG\r\n\x1a\n"
        assert int.from_bytes(png[16:20], "big") == picture.width
        assert picture.format == "png"


def test_pictures_in_other_formats_are_named() -> None:
    survey = program(
        "; thumbnail_QOI begin 16x16 8", "; AAAAAAA=", "; thumbnail_QOI end",
        "; thumbnail_JPG begin 32x24 4", "; AAA=", "; thumbnail_JPG end", "G28",
    )  # fmt: skip
    assert [it.format for it in survey.slicer.thumbnails] == ["qoi", "jpg"]


def test_a_picture_without_end_is_none() -> None:
    survey = program("; thumbnail begin 16x16 8", "; AAAA", "G28", "; a word", "; thumbnail end")
    assert survey.slicer.thumbnails == ()


BAMBU = """; HEADER_BLOCK_START
; BambuStudio 02.06.00.51
; model printing time: 22m 17s; total estimated time: 1h 28m 38s
; total layer number: 17
; total filament length [mm] : 2525.45,100.5
; total filament weight [g] : 7.78,0.22
; HEADER_BLOCK_END
; EXECUTABLE_BLOCK_START
M73 P0 R88
G28
; CHANGE_LAYER
; Z_HEIGHT: 0.2
; LAYER_HEIGHT: 0.2
G1 X1 Y1 F600
; EXECUTABLE_BLOCK_END
"""


def test_bambustudio_tells_the_whole_time_and_all_filaments() -> None:
    survey = examined(BAMBU)
    said = survey.slicer
    assert (said.name, said.version) == ("BambuStudio", "02.06.00.51")
    assert said.seconds == 3600 + 28 * 60 + 38
    assert (said.layers, said.filament_mm, said.filament_g) == (17, 2625.95, 8.0)
    assert survey.trouble == ()


def test_several_extruders_are_added_up() -> None:
    said = program(
        "; filament used [mm] = 100.5, 20", "; filament used [g] = 1.5, 0.5", "G28",
        "; estimated printing time (normal mode) = 1d 2h 3m 4s",
    ).slicer  # fmt: skip
    assert (said.filament_mm, said.filament_g, said.seconds) == (120.5, 2.0, 93784)
    assert program(";Filament used: 1.5m, 0.25m", "G28").slicer.filament_mm == 1750


def test_curas_place_holder_for_the_time_is_not_believed() -> None:
    said = program(";TIME:6666", "G28", ";TIME_ELAPSED:100.5", ";TIME_ELAPSED:200.25").slicer
    assert said.seconds == 200.25


def test_layers_of_objects_printed_one_after_the_other_are_added_up() -> None:
    assert program("G28", ";LAYER_COUNT:5", ";LAYER:0", ";LAYER_COUNT:7").slicer.layers == 12


def test_layers_that_nobody_counted_are_counted() -> None:
    assert program("G28", ";LAYER_CHANGE", ";LAYER_CHANGE", ";LAYER_CHANGE").slicer.layers == 3


def test_a_file_by_hand_has_no_slicer() -> None:
    said = program("; written by 김 on Monday: careful = yes", "G28").slicer
    assert (said.name, said.version, said.seconds, said.layers) == ("", "", None, None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1d 2h 3m 4s", 93784), ("2h 0m 0s", 7200), ("45m 10s", 2710), ("9s", 9), ("1h7m", 4020),
        ("390", 390), ("12.5", 12.5), ("1.5h", 5400), ("", None), ("soon", None), ("-5", None),
    ],
)  # fmt: skip
def test_durations_are_read(text: str, seconds: float | None) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("seconds", [0, 59, 60, 3599, 3600, 86399, 86400, 200_000])
def test_durations_that_the_tests_slicer_writes_are_read_back(seconds: int) -> None:
    assert duration(spelled(seconds)) == seconds


def test_the_tests_slicer_makes_the_same_bytes_each_time() -> None:
    for slicer in SLICERS:
        assert sliced(slicer, TOWER) == sliced(slicer, TOWER)
        assert TOWER.note.encode() in sliced(slicer, TOWER)

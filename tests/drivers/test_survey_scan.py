"""The examination as a whole: pieces, memory, JSON, and the process of its own."""

from __future__ import annotations

import gzip
import subprocess
import sys
import tracemalloc
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.survey import Scan, Survey
from tests.drivers.slicer import SLICERS, sliced
from tests.drivers.survey_bench import examined, program
from tests.drivers.tower import Tower

SMALL = Tower(layers=2, facets=12)
FILES = {slicer: sliced(slicer, SMALL) for slicer in SLICERS}
ODD = (
    "\ufeff; 한국어 주석\r\nG28\r\nM104 S200\r\nG1 X1 Y2 Z.2 F600\r\n;LAYER:0\r\n"
    f"G1 X5 Y5 E1\r\n; {'긴 주석 ' * 900}\r\nG1 X9 Y5 E2\r\n{'G' * 9000}\r\nM73 P50 R1"
).encode()


@pytest.mark.parametrize("slicer", SLICERS)
@given(cuts=st.lists(st.integers(0, 60_000), max_size=8))
def test_a_slicers_file_cut_anywhere_has_the_same_survey(slicer: str, cuts: list[int]) -> None:
    assert examined(FILES[slicer], cuts) == examined(FILES[slicer])


@given(cuts=st.lists(st.integers(0, len(ODD)), max_size=12))
def test_an_odd_file_cut_anywhere_has_the_same_survey(cuts: list[int]) -> None:
    assert examined(ODD, cuts) == examined(ODD)


def test_a_file_fed_byte_by_byte_has_the_same_survey() -> None:
    assert examined(ODD, range(len(ODD))) == examined(ODD)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_any_bytes_have_a_survey_that_no_cut_changes(data: bytes, cuts: list[int]) -> None:
    survey = examined(data)
    assert examined(data, cuts) == survey
    assert Survey.from_json(survey.to_json()) == survey


SIGNS = 'GMTNXYZEFIJRSPQ;=*@/"ABx0123456789.-+ \t\r\n'


@given(st.text(alphabet=SIGNS, max_size=400), st.lists(st.integers(0, 400), max_size=5))
def test_any_text_like_code_has_a_survey_that_no_cut_changes(text: str, cuts: list[int]) -> None:
    survey = examined(text)
    assert examined(text, cuts) == survey
    assert Survey.from_json(survey.to_json()) == survey


WORDS = [
    "G0",
    "G1",
    "G2",
    "G3",
    "G5",
    "G28",
    "G92",
    "G91",
    "G90",
    "G20",
    "G4",
    "G18",
    "G19",
    "M83",
    "M104",
    "M73",
    "M220",
    "M118",
    "T0",
    "X1.5",
    "Y-2",
    "Z.3",
    "E.1",
    "F1200",
    "I2",
    "J-1",
    "K1",
    "R3",
    "S200",
    "P2",
    "X",
    "1.2.3",
    ";LAYER_CHANGE",
    ";Z:1",
    ";TIME_ELAPSED:5",
    ";TIME:90",
]


@given(
    st.lists(st.sampled_from([*WORDS, *"\n\n\n\n\n\n"]), max_size=80),
    st.lists(st.integers(0, 400), max_size=5),
)
def test_any_orders_have_a_survey_that_no_cut_changes(words: list[str], cuts: list[int]) -> None:
    text = " ".join(words).replace(" \n ", "\n")
    survey = examined(text)
    assert examined(text, cuts) == survey
    assert Survey.from_json(survey.to_json()) == survey


def test_size_hash_lines_and_commands_are_those_of_the_file() -> None:
    survey = examined("; part\n\nG28\nG1 X1 ; go\n   \nM84")
    assert survey.size == 30
    assert survey.sha256 == sha256(b"; part\n\nG28\nG1 X1 ; go\n   \nM84").hexdigest()
    assert (survey.lines, survey.commands) == (6, 3)


def test_codes_are_counted_in_one_spelling_with_their_first_lines() -> None:
    survey = program("G28", "G01 X1", "G1 X2 Y1", "G0 X1 Y1", "g", "M0104 S1", "G29.1", "T1", "T0")
    uses = {code: (use.count, use.line) for code, use in survey.codes.items()}
    assert uses == {
        "G28": (1, 1), "G1": (2, 2), "G0": (1, 4), "M104": (1, 6), "G29.1": (1, 7), "T1": (1, 8),
        "T0": (1, 9),
    }  # fmt: skip


def test_named_macros_and_what_speaks_to_the_host_are_codes() -> None:
    survey = program(
        "PRINT_START BED=60", "@pause", "M118 hello", "M118 //action:pause", "M118 A1 x"
    )
    assert list(survey.codes) == ["PRINT_START", "@pause", "M118", "M118 //action"]
    assert survey.codes["M118 //action"].count == 2


def test_what_is_no_survey_is_told_from_one() -> None:
    for text in ("", "{}", "[]", '{"size": 1}', examined("G28\n").to_json().replace("4", '"4"', 1)):
        with pytest.raises(ValueError, match=r"no survey|Expecting"):
            Survey.from_json(text)


def test_the_size_of_a_file_takes_no_memory() -> None:
    piece = sliced("Cura", Tower(layers=40))
    scan = Scan()
    tracemalloc.start()
    for _ in range(8):
        scan.feed(piece)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert scan.finish().size == 8 * len(piece) > 1_600_000
    assert used < 800_000


def test_a_line_without_end_takes_no_memory() -> None:
    scan = Scan()
    tracemalloc.start()
    for _ in range(200):
        scan.feed(b"G1 X1 " * 5000)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    assert scan.finish().lines == 1


@pytest.mark.lab
def test_the_process_examines_what_comes_in() -> None:
    done = child(FILES["Cura"])
    assert done.returncode == 0
    assert done.stdout.count(b"\n") == 1
    assert Survey.from_json(done.stdout) == examined(FILES["Cura"])


@pytest.mark.lab
def test_the_process_stops_reading_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "sparse.gcode"
    with path.open("wb") as file:
        file.truncate(5 * 1024**3)
    with path.open("rb") as file:
        done = subprocess.run(COMMAND, stdin=file, capture_output=True, timeout=10, check=True)
        assert file.tell() <= 2 * 1024**2
    assert "binary" in Survey.from_json(done.stdout).trouble[0].text


@pytest.mark.lab
def test_the_process_says_when_there_is_nothing_to_read(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        done = subprocess.run(COMMAND, stdin=file, capture_output=True, timeout=10, check=False)
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.startswith(b"the file can't be read: ")


@pytest.mark.lab
def test_the_process_takes_a_compressed_file_for_what_it_is() -> None:
    done = child(gzip.compress(FILES["Cura"], mtime=0))
    assert "unpack it first" in Survey.from_json(done.stdout).trouble[0].text


COMMAND = [sys.executable, "-m", "drivers.survey"]


def child(data: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(COMMAND, input=data, capture_output=True, timeout=10, check=False)

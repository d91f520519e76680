"""What no printer can be sent: each has its line and a sentence."""

from __future__ import annotations

import gzip

import pytest

from drivers.survey import Scan
from tests.drivers.slicer import SLICERS, sliced
from tests.drivers.survey_bench import examined, program, troubles
from tests.drivers.tower import Tower

TOWER = Tower(layers=3, facets=12)


@pytest.mark.parametrize("slicer", SLICERS)
def test_a_slicers_file_has_no_trouble(slicer: str) -> None:
    assert examined(sliced(slicer, TOWER)).trouble == ()


@pytest.mark.parametrize("slicer", SLICERS)
def test_windows_line_ends_and_a_byte_order_mark_are_no_trouble(slicer: str) -> None:
    unix = sliced(slicer, TOWER)
    windows = examined(b"\xef\xbb\xbf" + unix.replace(b"\n", b"\r\n"))
    assert windows.trouble == ()
    plain = examined(unix)
    assert (windows.codes, windows.box, windows.commands) == (
        plain.codes,
        plain.box,
        plain.commands,
    )
    assert windows.slicer.name == slicer
    assert windows.demand == plain.demand


def test_a_byte_order_mark_does_not_hide_the_first_order() -> None:
    survey = examined("\ufeffG1 X5 Y5\n")
    assert survey.codes["G1"].count == 1
    assert survey.trouble == ()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (gzip.compress(b"G28\n", mtime=0), "it is compressed (gzip): unpack it first"),
        (b"PK\x03\x04\x14\0\0\0\x08\0", "archive (ZIP or 3MF): unpack it"),
        (b"GCDE\x01\0\0\0\x01\0", "binary G-code (bgcode): export it as plain G-code"),
        ("G28\n".encode("utf-16"), "written in UTF-16: save it as UTF-8"),
        (b"\x7fELF\x02\x01\x01\0\0\0", "it is binary"),
        (b"G28\nG1 X1\n" + b"\0" * 100, "it is binary"),
    ],
)
def test_what_is_no_text_is_called_what_it_is_and_given_up(data: bytes, words: str) -> None:
    scan = Scan()
    scan.feed(data)
    assert scan.is_hopeless
    survey = scan.finish()
    (trouble,) = survey.trouble
    assert words in trouble.text
    assert (survey.sha256, survey.commands) == ("", 0)


def test_binary_is_found_in_its_line_before_it_is_read_to_its_end() -> None:
    scan = Scan()
    scan.feed(b"G28\n" * 3 + b"\0" * 2**20)
    assert scan.is_hopeless
    survey = scan.finish()
    assert (survey.trouble[0].line, survey.size) == (4, 12)


def test_a_file_that_is_not_utf_8_is_named_with_its_first_line() -> None:
    data = b"G28\n; " + "지지대".encode("cp949") + b"\nG1 X1\n; " + "틀".encode("cp949") + b"\n"
    assert troubles(data) == [
        (2, "it is not UTF-8 from here on, as a comment in CP949 is not: save it as UTF-8")
    ]


def test_a_character_that_ends_with_the_file_is_not_utf_8() -> None:
    assert troubles(b"G28\n; \xed\x95")[0][0] == 2


def test_korean_in_comments_is_no_trouble_and_outside_of_them_it_is() -> None:
    text = "; 시험편\nG28 ; 원점\nM117 출력 중\n"
    survey = examined(text)
    assert troubles(text) == [(3, "it has a sign that is not ASCII, outside of a comment")]
    assert (survey.trouble[0].code, survey.trouble[0].by_lines) == ("M117", True)


def test_text_for_people_may_hold_anything_in_ascii() -> None:
    assert program("M117 Layer 2 of 9, x*5 (50%) G1", "M118 E1 hello M500").trouble == ()


def test_an_order_may_just_be_as_long_as_the_firmware_reads() -> None:
    longest = "M117 " + "a" * 70
    assert len(f"N99999999 {longest}*255\n") == 90
    assert program(longest).trouble == ()
    (trouble,) = program("G28", longest + "a").trouble
    assert (trouble.line, trouble.code, trouble.by_lines) == (2, "M117", True)
    assert "it is 91 bytes long with number and checksum; printers read 90" in trouble.text


def test_long_comments_are_no_trouble() -> None:
    assert program("G28", "G1 X1 ;" + "a" * 100_000, ";" + "b" * 100_000).trouble == ()


def test_a_line_of_ten_thousand_bytes_is_named_and_the_next_is_read() -> None:
    survey = program("G28", "M117 " + "a" * 10_000, "G1 X7")
    assert [(it.line, it.code) for it in survey.trouble] == [(2, "M117")]
    assert "it is more than 4096 bytes long" in survey.trouble[0].text
    assert survey.box["X"].high == 7
    assert survey.lines == 3


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "g1 x5",
        "%",
        "(milling)",
        "This is prose",
        "G",
        "M-5",
        "solid part",
        "M66036",
        "G1.",
    ],
)
def test_what_is_no_code_is_shown(line: str) -> None:
    assert troubles(f"G28\n{line}\n") == [(2, f"{line!r} is not G-code")]


@pytest.mark.parametrize("line", ["X10 Y5", "F1500", "Y-.5"])
def test_a_move_without_its_code_is_told_that_it_would_be_skipped(line: str) -> None:
    sentence = f"{line!r} has no code, as G1: most firmware skips such a line"
    assert troubles(f"G1 X1\n{line}\n") == [(2, sentence)]


@pytest.mark.parametrize("line", ["G1 X1.2.3", "G1 X--1", "G0 X1 y2", "G1 X1 Y?", "G92 E1,5"])
def test_a_move_whose_words_are_no_numbers_is_shown(line: str) -> None:
    assert troubles(f"G28\n{line}\n") == [(2, f"{line!r} has words that are no numbers")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("N12 G1 X5", "it has a line number of its own"),
        ("N12 G1 X5*33", "it has a line number of its own"),
        ("G1 X5*33", "it has a checksum of its own"),
        ("G1\tX5", "it has a control character, as a tab"),
        ("M117 \x1b[0m", "it has a control character"),
        ("G90 G1 X5", "it has a second code in the same line"),
        ("M107 M500", "it has a second code in the same line"),
    ],
)
def test_what_belongs_to_the_connection_or_is_misread_is_refused(line: str, words: str) -> None:
    ((number, text),) = troubles(f"G28\n{line}\n")
    assert number == 2
    assert words in text
    # What would only garble a serial line is judged where the agent sends the lines.
    assert examined(f"G28\n{line}\n").trouble[0].by_lines is line.startswith("M117")


@pytest.mark.parametrize(
    "line",
    [
        "T0",
        "Tx",
        "T?",
        "T-1",
        "START_PRINT BED=60",
        "_CLEAN",
        "M0 fetch the M3 bolts",
        "G1X5Y5",
        "G1 X 5 Y 6",
        'M862.3 P "MK3S"',
    ],
)
def test_what_some_firmware_takes_is_no_trouble(line: str) -> None:
    assert troubles(f"{line}\n") == []


def test_a_blank_before_an_order_or_behind_it_is_no_trouble() -> None:
    survey = program("  G1 X5 Y5  ", "\tG1 X6 ; go", "   ", "\t;LAYER:0")
    assert survey.trouble == ()
    assert (survey.commands, survey.box["X"].high) == (2, 6)


@pytest.mark.parametrize("data", ["", "\n\n", "; nothing\n", "   \n;\n"])
def test_a_file_without_an_order_says_so(data: str) -> None:
    sentence = "it has no line of G-code" if data else "it is empty"
    assert troubles(data) == [(0, sentence)]


@pytest.mark.parametrize(
    "last", ["G1 X", "G1 X10 Y-", "G1 X1 Y.", "M104 S", "G", "G92 E", "M220 S"]
)
def test_a_last_line_that_can_not_be_whole_is_cut_off(last: str) -> None:
    assert (2, "it is cut off in the middle of this line") in troubles(f"G28\n{last}")


@pytest.mark.parametrize(
    "last", ["G1 X10", "G28 X", "M84 X Y", "M117 done.", "; the en", "M84", ""]
)
def test_a_last_line_that_may_be_whole_is_not_called_cut_off(last: str) -> None:
    assert troubles(f"G28\n{last}") == []


@pytest.mark.parametrize("slicer", SLICERS)
def test_a_slicers_file_that_lost_its_end_is_cut_off(slicer: str) -> None:
    data = sliced(slicer, TOWER)
    half = data[: data.rindex(b"\n", 0, len(data) * 9 // 10)]
    (trouble,) = examined(half).trouble
    assert trouble.text.startswith("it is cut off: ")
    assert trouble.line == half.count(b"\n") + 1


def test_a_block_without_end_shows_that_a_file_is_cut_off() -> None:
    text = "G28\n; prusaslicer_config = begin\n; layer_height = 0.2\n"
    sentence = "it is cut off: the block prusaslicer_config begins in line 2 and has no end"
    assert troubles(text) == [(3, sentence)]


@pytest.mark.parametrize(
    "header",
    [
        "; generated by PrusaSlicer 2.3.3 on 2021",
        "; generated by Slic3r 1.3.0 on 2019",
        "; by hand",
    ],
)
def test_a_slicer_that_need_not_end_a_file_in_a_certain_way_is_not_suspected(header: str) -> None:
    assert troubles(f"{header}\nG28\n") == []


def test_no_more_than_twenty_troubles_are_listed_and_the_others_counted() -> None:
    survey = examined(b"; \xb0\xa1\n" + b"hello\n" * 1000)
    assert len(survey.trouble) == 16
    assert survey.more_trouble == 985


def test_a_text_with_words_without_end_is_no_program_and_takes_no_memory() -> None:
    survey = program(*(f"M{number}" for number in range(600)))
    assert len(survey.codes) == 500
    assert survey.trouble[0].text == "it has more than 500 different codes: it is no program"

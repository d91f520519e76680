"""What a file may be called: one spelling, no path, nothing that a person can't read."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.store.file_errors import BadName
from agent.store.file_names import ENDINGS, LONGEST_NAME, stored_name

KOREAN = "시험편 3호.gcode"


@pytest.mark.parametrize(
    "name",
    [
        "part.gcode",
        "PART.GCODE",
        "part.Gco",
        "a.g",
        "b.nc",
        "c.ngc",
        "notes.txt",
        KOREAN,
        "-o x.gcode",
        "a..gcode",
        "part (1) [final] 100%.gcode",
        "'; rm -rf ~ #.gcode",
        "é" * 97 + ".gcode",
    ],
)
def test_a_name_that_a_person_would_give_is_taken_as_it_is(name: str) -> None:
    assert stored_name(name) == name


def test_two_spellings_of_a_name_are_one() -> None:
    taken_apart = unicodedata.normalize("NFD", KOREAN)
    assert taken_apart != KOREAN
    assert stored_name(taken_apart) == stored_name(KOREAN) == KOREAN


def test_a_name_counts_in_its_short_spelling() -> None:
    longest = "가" * 64 + "ab.gcode"
    assert len(longest.encode()) == LONGEST_NAME
    assert stored_name(unicodedata.normalize("NFD", longest)) == longest
    with pytest.raises(BadName, match="has 201 bytes; a name may have 200"):
        stored_name("c" + longest)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "not a plain file name"),
        (".", "not a plain file name"),
        ("..", "not a plain file name"),
        ("/etc/passwd", "without a folder"),
        ("../part.gcode", "without a folder"),
        ("a/part.gcode", "without a folder"),
        ("a\\part.gcode", "without a folder"),
        ("..\\part.gcode", "without a folder"),
        (".part.gcode", "begins with a dot"),
        (".gcode", "begins with a dot"),
        (".surveys", "begins with a dot"),
        ("part\0.gcode", "can't be printed"),
        ("part\n.gcode", "can't be printed"),
        ("part\x7f.gcode", "can't be printed"),
        ("part\u202egcode.exe.gcode", "can't be printed"),
        ("part\u200b.gcode", "can't be printed"),
        ("part\u2028.gcode", "can't be printed"),
        ("part\ud800.gcode", "can't be printed"),
        ("\ufffd\ufffd.gcode", "can't be printed"),
        ("part", "ends in none of .gcode"),
        ("part.gcode.exe", "ends in none of .gcode"),
        ("part.gcode ", "ends in none of .gcode"),
        ("part.gcode.", "ends in none of .gcode"),
        ("part.3mf", "ends in none of .gcode"),
        ("x" * 195 + ".gcode", "has 201 bytes"),
        ("x" * 100_000 + ".gcode", "a name may have 200 bytes"),
    ],
)
def test_any_other_name_is_refused_with_a_sentence(name: str, words: str) -> None:
    with pytest.raises(BadName) as refused:
        stored_name(name)
    assert words in str(refused.value)
    assert len(str(refused.value)) < 1000
    assert str(refused.value).isprintable()


@given(st.text() | st.builds(str.__add__, st.text(), st.sampled_from(ENDINGS)))
def test_what_is_taken_is_one_plain_name_and_stays_it(name: str) -> None:
    try:
        taken = stored_name(name)
    except BadName:
        return
    assert stored_name(taken) == taken == unicodedata.normalize("NFC", name)
    assert not {"/", "\\", "\0"} & set(taken)
    assert not taken.startswith(".")
    assert taken.isprintable()
    assert len(taken.encode()) <= LONGEST_NAME
    for form in ("NFC", "NFD"):
        assert stored_name(unicodedata.normalize(form, taken)) == taken

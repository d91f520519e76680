"""Which print is which, and how one has ended, by what OctoPrint keeps of a file."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.protocol.octoprint_data import Kept
from drivers.protocol.octoprint_jobs import ending, job_id, place
from drivers.protocol.printing import PrintResult

FILE = Kept(
    path="labkeeper/a@b#c.gcode", date="1700000000", size=9, sha1="", ended=3, succeeded=None
)
JOB = job_id(FILE)


@given(st.text(min_size=1), st.integers(0), st.integers(0))
def test_the_place_of_any_file_is_found_in_its_id(path: str, date: int, ended: int) -> None:
    kept = replace(FILE, path=path, date=str(date), ended=ended)
    assert place(job_id(kept)) == path
    assert ending(job_id(kept), kept, {}, asked=False, seen=False) is None


def test_the_next_print_of_the_same_file_has_another_id() -> None:
    assert job_id(replace(FILE, ended=4)) != JOB
    assert job_id(replace(FILE, date="1700000001")) != JOB


def test_a_print_without_an_entry_has_not_ended_yet() -> None:
    assert ending(JOB, FILE, {}, asked=True, seen=True) is None


@pytest.mark.parametrize(
    ("pushed", "asked", "seen", "result", "reason"),
    [
        ({}, True, False, PrintResult.CANCELLED, ""),
        ({}, False, True, PrintResult.CANCELLED, "somebody cancelled it"),
        ({"kind": "PrintCancelled"}, False, False, PrintResult.CANCELLED, "somebody cancelled it"),
        ({"reason": "cancelled"}, False, False, PrintResult.CANCELLED, "somebody cancelled it"),
        ({"reason": "error"}, False, False, PrintResult.FAILED, "does not say why"),
        ({"reason": "error", "error": "lost"}, True, False, PrintResult.FAILED, "lost"),
        (
            {"kind": "PrintCancelled", "error": "MAXTEMP"},
            False,
            True,
            PrintResult.FAILED,
            "MAXTEMP",
        ),
        ({}, False, False, PrintResult.FAILED, "failed or was cancelled; OctoPrint does not tell"),
    ],
)
def test_an_end_without_success_is_told_from_what_was_pushed_asked_and_seen(
    pushed: dict[str, str], asked: bool, seen: bool, result: PrintResult, reason: str
) -> None:
    ended = ending(JOB, replace(FILE, ended=4, succeeded=False), pushed, asked=asked, seen=seen)
    assert ended is not None
    assert ended[0] is result
    assert reason in ended[1]


def test_a_success_is_one_even_when_an_earlier_print_was_cancelled() -> None:
    kept = replace(FILE, ended=4, succeeded=True)
    pushed = {"kind": "PrintCancelled"}
    assert ending(JOB, kept, pushed, asked=True, seen=True) == (PrintResult.DONE, "")


@pytest.mark.parametrize(
    "kept",
    [
        None,
        replace(FILE, date="1700000009", ended=4, succeeded=True),
        replace(FILE, ended=5, succeeded=True),
        replace(FILE, ended=2, succeeded=True),
        replace(FILE, ended=4, succeeded=None),
    ],
)
def test_an_entry_that_may_be_of_another_print_tells_nothing(kept: Kept | None) -> None:
    ended = ending(JOB, kept, {}, asked=False, seen=False)
    assert ended is not None
    assert ended[0] is PrintResult.UNKNOWN

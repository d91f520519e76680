"""Whatever is changed in a ledger behind the agent's back is found, and its place is named."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.store import database as store
from agent.store import ledger_verify
from agent.store.chain import BEGINNING, EMPTY, Head
from agent.store.head_file import NAME as HEAD_NAME
from agent.store.head_file import HeadFile
from agent.store.ledger_check import MOST_FINDINGS
from agent.store.ledger_verify import Verdict, verify
from agent.store.store_errors import NotRead
from tests.agent.ledger_bench import fill, opened, verdict_on
from tests.agent.tamper import (
    TAMPERS,
    Tamper,
    change,
    content,
    cut,
    delete,
    edit,
    edit_hash,
    edit_prev_hash,
    forge,
    forge_row,
    swap,
    tampering,
)

ROWS = 40


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of 40 rows that nobody has touched."""
    folder = tmp_path_factory.mktemp("original")
    fill(folder, ROWS)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy of it, to be tampered with."""
    return shutil.copytree(original, tmp_path / "copy")


def first_place(verdict: Verdict) -> int:
    return min(finding.seq for finding in verdict.findings)


def test_a_ledger_that_nobody_has_touched_is_whole(original: Path) -> None:
    verdict = verdict_on(original)
    assert (verdict.rows, verdict.head.seq, verdict.findings, verdict.notes) == (ROWS, ROWS, (), ())
    assert verdict.head == HeadFile(original / HEAD_NAME).read()


@given(
    tamper=st.sampled_from(TAMPERS),
    seq=st.integers(1, ROWS - 1),
    other=st.integers(1, ROWS - 1),
    batch=st.sampled_from([1, 7, 500]),
)
def test_every_change_is_found_and_its_place_is_named(
    original: Path,
    tmp_path_factory: pytest.TempPathFactory,
    tamper: Tamper,
    seq: int,
    other: int,
    batch: int,
) -> None:
    if tamper is swap and seq == other:
        other = seq + 1
    folder = tmp_path_factory.mktemp("tampered") / "copy"
    shutil.copytree(original, folder)
    with tampering(folder) as connection:
        tamper(connection, seq, other)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ledger_verify, "_BATCH", batch)
        verdict = verdict_on(folder)
    shutil.rmtree(folder)
    place = min(seq, other) if tamper is swap else seq
    assert not verdict.is_whole
    # A row whose hash was made to fit is no longer what the next one follows from.
    assert first_place(verdict) in {place, place + 1}


@pytest.mark.parametrize(
    ("tamper", "findings"),
    [
        (edit, ["row 8: was altered: its content and its hash do not belong together"]),
        (edit_hash, ["row 8: was altered: its content and its hash do not belong together"]),
        (edit_prev_hash, ["row 8: was altered: its content and its hash do not belong together"]),
        (delete, ["row 8: row 8 is missing"]),
        (
            forge_row,
            [
                "row 9: does not follow from row 8: rows were altered, added, removed or moved here, "
                "and their hashes made anew"
            ],
        ),
        (
            cut,
            ["row 8: rows 8 to 40 are missing at the end"],
        ),
    ],
)
def test_what_is_wrong_is_said_once(folder: Path, tamper: Tamper, findings: list[str]) -> None:
    with tampering(folder) as connection:
        tamper(connection, 8, 20)
    assert [str(finding) for finding in verdict_on(folder).findings] == findings


def test_two_places_are_both_named(folder: Path) -> None:
    with tampering(folder) as connection:
        edit(connection, 5, 3)
        delete(connection, 30, 0)
        delete(connection, 31, 0)
    found = [str(finding) for finding in verdict_on(folder).findings]
    assert found == [
        "row 5: was altered: its content and its hash do not belong together",
        "row 30: rows 30 to 31 are missing",
    ]


def test_a_ledger_that_was_written_anew_is_betrayed_by_its_head(folder: Path) -> None:
    """All hashes fit, and only what was kept elsewhere does not."""
    with tampering(folder) as connection:
        previous = content(connection, 19)[2]
        for seq in range(20, ROWS + 1):
            change(connection, seq, prev_hash=previous)
            forge(connection, seq, content(connection, seq)[1].replace("lost", "back"))
            previous = content(connection, seq)[2]
    (finding,) = verdict_on(folder).findings
    assert str(finding) == "row 40: is not the row of the head that was kept: it was written anew"


def test_a_head_that_was_kept_elsewhere_finds_the_tail_that_the_file_does_not(
    folder: Path,
) -> None:
    kept = verdict_on(folder).head
    with tampering(folder) as connection:
        cut(connection, 31, 0)
        HeadFile(folder / HEAD_NAME).reset(Head(30, content(connection, 30)[2]))
    assert verdict_on(folder).is_whole
    (finding,) = verdict_on(folder, kept).findings
    assert str(finding) == "row 31: rows 31 to 40 are missing at the end"


@pytest.mark.parametrize("spoilt", [None, b"", b"x" * 1024])
def test_a_head_file_that_is_gone_or_spoilt_is_a_finding(
    folder: Path, spoilt: bytes | None
) -> None:
    (folder / HEAD_NAME).unlink()
    if spoilt is not None:
        (folder / HEAD_NAME).write_bytes(spoilt)
    (finding,) = verdict_on(folder).findings
    assert "the head beside the ledger is missing, or no head" in finding.text
    assert verify(folder / store.NAME).is_whole  # who asks for the rows alone is told of these


def test_a_head_that_is_behind_is_no_fault_and_is_told(folder: Path) -> None:
    with tampering(folder) as connection:
        HeadFile(folder / HEAD_NAME).reset(Head(38, content(connection, 38)[2]))
    verdict = verdict_on(folder)
    assert verdict.is_whole
    assert "the head beside the ledger is of row 38, 2 before the last" in verdict.notes[0]


async def test_what_the_agent_found_missing_at_a_start_is_told_for_ever(folder: Path) -> None:
    with tampering(folder) as connection:
        cut(connection, 31, 0)
    async with opened(folder) as ledger:
        assert ledger.head.seq == 31
    (finding,) = (await asyncio.to_thread(verdict_on, folder)).findings
    assert str(finding) == (
        "row 31: here the agent found at a start: rows 31 to 40 are missing at the end"
    )


@pytest.mark.parametrize("tamper", [edit, edit_hash, edit_prev_hash, forge_row, delete])
@pytest.mark.parametrize("seq", [10, 19, 20, 21, 29, 30, 31])
def test_a_ledger_that_is_read_in_parts_is_judged_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tamper: Tamper, seq: int
) -> None:
    """Three parts: 1 to 20, 21 to 30, 31 to 40. Here one after the other."""
    with tampering(folder) as connection:
        tamper(connection, seq, 20)
    whole = verdict_on(folder)
    monkeypatch.setattr(ledger_verify, "WORTH_A_PROCESS", 10)
    monkeypatch.setattr(
        ledger_verify, "_looked_at", lambda parts: [ledger_verify._look_at(it) for it in parts]
    )
    assert verdict_on(folder, most_parts=3) == whole


@pytest.mark.lab
def test_the_parts_are_read_by_processes_of_their_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_verify, "WORTH_A_PROCESS", 10)
    assert verdict_on(folder, most_parts=2).is_whole
    with tampering(folder) as connection:
        edit(connection, 35, 3)
    verdict = verdict_on(folder, most_parts=2)
    assert (first_place(verdict), verdict.rows) == (35, ROWS)


def test_nothing_in_place_of_a_hash_is_found(folder: Path) -> None:
    with tampering(folder) as connection:
        connection.execute("CREATE TABLE other (seq INTEGER PRIMARY KEY, prev_hash, body, hash)")
        connection.execute("INSERT INTO other SELECT * FROM ledger")
        connection.execute("UPDATE other SET hash = NULL, body = 17 WHERE seq = 8")
        connection.execute("DROP VIEW entries")
        connection.execute("DROP TABLE ledger")
        connection.execute("ALTER TABLE other RENAME TO ledger")
    assert first_place(verdict_on(folder)) == 8


def test_of_very_many_findings_the_first_are_listed(folder: Path) -> None:
    with tampering(folder) as connection:
        connection.execute("UPDATE ledger SET body = body || ' '")
        last = content(connection, ROWS)
        for number in range(200):
            row = (ROWS + 1 + number, *last)
            connection.execute("INSERT INTO ledger VALUES (?, ?, ?, ?)", row)
    verdict = verdict_on(folder)
    assert len(verdict.findings) == MOST_FINDINGS
    assert verdict.more == ROWS + 200 - MOST_FINDINGS


def test_what_is_damaged_on_the_disk_is_said_with_the_row_before_it(folder: Path) -> None:
    path = folder / store.NAME
    with sqlite3.connect(path) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        query = "SELECT pageno FROM dbstat WHERE name = 'ledger' AND pagetype = 'leaf'"
        leaves = [page for (page,) in connection.execute(query)]
    data = bytearray(path.read_bytes())
    at = (leaves[2] - 1) * size
    data[at : at + size] = b"\xff" * size
    path.write_bytes(data)
    (finding,) = verdict_on(folder).findings
    assert 1 < finding.seq < ROWS
    assert "and what follows can't be read" in finding.text


def test_where_there_is_none_a_sentence_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotRead, match="the agent has not recorded anything there"):
        verdict_on(tmp_path)


def test_what_is_no_database_any_more_is_a_finding(folder: Path) -> None:
    (folder / store.NAME).write_bytes(b"no database at all, but quite a long text" * 100)
    (finding,) = verdict_on(folder).findings
    assert finding.seq == 1
    assert "file is not a database" in finding.text


def test_a_head_is_read_as_it_is_printed() -> None:
    head = Head(812, bytes(range(32)))
    assert Head.parse(str(head)) == head
    assert str(EMPTY) == f"0:{BEGINNING.hex()}"
    for wrong in ("812", "x:00", "-1:" + "0" * 64, "1:" + "0" * 62):
        with pytest.raises(ValueError, match=r".+"):
            Head.parse(wrong)

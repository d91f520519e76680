"""What is found when the database is opened: an old one, a later one, a damaged one."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.errors import CannotStart
from agent.store import schema
from agent.store.database import NAME, Database
from agent.store.migration import FOLDER, backup_of
from agent.store.store_errors import (
    NewerSchema,
)
from tests.agent.ledger_bench import SetClock
from tests.agent.store.test_database import ONE_TABLE, add, names


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / NAME


async def test_a_step_is_made_whole_or_not_at_all(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.store.database.STEPS", ONE_TABLE)
    async with Database(path, SetClock()) as database:
        await database.write(add("a"), "thing a")
    broken = (*ONE_TABLE, ("CREATE TABLE more (name TEXT)", "CREATE TABLE things (name TEXT)"))
    monkeypatch.setattr("agent.store.database.STEPS", broken)
    with pytest.raises(CannotStart, match="table things already exists"):
        async with Database(path, SetClock()):
            pass
    better = (*ONE_TABLE, ("CREATE TABLE more (name TEXT)",))
    monkeypatch.setattr("agent.store.database.STEPS", better)
    async with Database(path, SetClock()) as database:
        await database.write(lambda it: it.execute("INSERT INTO more VALUES (1)"), "more")
    assert names(path) == ["a"]


async def test_a_later_agents_database_is_refused_and_not_touched(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA user_version = {len(schema.STEPS) + 1}")
        connection.execute("CREATE TABLE later (name TEXT)")
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(NewerSchema, match=r"was written by a later labkeeper .*install that one"):
        async with Database(path, SetClock()):
            pass
    assert path.read_bytes() == before


@pytest.mark.parametrize("at", [1, 2, 3])
async def test_a_damaged_database_is_put_aside_and_nothing_of_it_is_lost(
    path: Path, at: int
) -> None:
    async with Database(path, SetClock()) as database:
        assert database.quarantined is None
    spoilt = bytearray(path.read_bytes())
    spoilt[(at - 1) * 4096 : at * 4096] = b"\xa5" * 4096
    path.write_bytes(spoilt)
    async with Database(path, SetClock()) as database:
        assert database.quarantined is not None
        kept = database.quarantined.folder / NAME
    assert kept.parent == path.parent / "damaged" / "20260921T141320.250Z"
    assert kept.read_bytes() == bytes(spoilt)
    assert database.quarantined.files[NAME] == hashlib.sha256(spoilt).hexdigest()


async def test_the_log_of_a_damaged_database_goes_with_it(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)
    path.with_name(f"{NAME}-wal").write_bytes(b"its log")
    async with Database(path, SetClock()) as database:
        pass
    assert database.quarantined is not None
    assert {NAME, f"{NAME}-wal"} <= database.quarantined.files.keys()
    assert database.quarantined.why == "file is not a database"


async def test_two_that_are_damaged_at_one_moment_are_both_kept(path: Path) -> None:
    for number in (1, 2):
        path.write_bytes(b"no database" * 1000 * number)
        async with Database(path, SetClock()):
            pass
    assert len(list((path.parent / "damaged").iterdir())) == 2


async def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"none/station\.db can't be used: .*unable to open"):
        async with Database(tmp_path / "none" / NAME, SetClock()):
            pass


async def test_an_old_database_is_copied_whole_before_its_tables_change(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.store.database.STEPS", ONE_TABLE)
    async with Database(path, SetClock()) as database:
        await database.write(add("a"), "thing a")
    assert not (path.parent / FOLDER).exists()  # a new one has nothing to be copied
    newer = (*ONE_TABLE, ("DROP TABLE things", "CREATE TABLE other (name TEXT)"))
    monkeypatch.setattr("agent.store.database.STEPS", newer)
    async with Database(path, SetClock()):
        pass
    (copy,) = (path.parent / FOLDER).iterdir()
    assert copy == backup_of(path, 1, "20260921T141320.250Z")
    assert names(copy) == ["a"]
    monkeypatch.setattr("agent.store.database.STEPS", ONE_TABLE)
    with pytest.raises(NewerSchema):
        async with Database(path, SetClock()):
            pass
    async with Database(copy, SetClock()) as database:  # the way back
        await database.write(add("b"), "thing b")
    assert names(copy) == ["a", "b"]


async def test_without_room_for_the_copy_nothing_is_changed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.store.database.STEPS", ONE_TABLE)
    async with Database(path, SetClock()):
        pass
    (path.parent / FOLDER).write_bytes(b"in the way")
    monkeypatch.setattr("agent.store.database.STEPS", (*ONE_TABLE, ("DROP TABLE things",)))
    with pytest.raises(CannotStart, match=r"station\.db can't be used"):
        async with Database(path, SetClock()):
            pass
    assert names(path) == []

"""The station's database: what is acknowledged is on disk, and a failure says what is not."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from agent.store.database import NAME, Connection, Database
from agent.store.store_errors import (
    DiskFailed,
    DiskFull,
    DiskReadOnly,
    NotRead,
    RecordingEnded,
    StoreBusy,
    WriteRefused,
)
from tests.agent.ledger_bench import SetClock

ONE_TABLE = (("CREATE TABLE things (name TEXT PRIMARY KEY, size INTEGER) STRICT",),)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / NAME


@pytest.fixture
async def database(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A database with one table of things."""
    monkeypatch.setattr("agent.store.database.STEPS", ONE_TABLE)
    async with Database(path, SetClock()) as found:
        yield found


def add(name: str, size: int = 1) -> Any:
    def work(connection: Connection) -> str:
        connection.execute("INSERT INTO things VALUES (?, ?)", (name, size))
        return name

    return work


def names(path: Path) -> list[str]:
    """What another program finds in the database now."""
    with closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM things ORDER BY rowid")]


class Failing:
    """A connection whose disk fails at one statement."""

    def __init__(self, connection: Connection, at: str, name: str) -> None:
        self._connection, self._at, self._name = connection, at, name
        self.tried = 0

    def execute(self, sql: str, *rest: Any) -> Any:
        if sql == self._at:
            self.tried += 1
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorname = self._name
            raise error
        return self._connection.execute(sql, *rest)

    def close(self) -> None:
        self._connection.close()


async def test_what_is_acknowledged_is_there_for_everyone(database: Database, path: Path) -> None:
    assert await database.write(add("a"), "thing a") == "a"
    assert names(path) == ["a"]


async def test_the_disk_is_asked_to_keep_it_before_anyone_is_told(database: Database) -> None:
    def settings(connection: Connection) -> list[Any]:
        asked = ("journal_mode", "synchronous", "foreign_keys")
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in asked]

    FULL = 2  # noqa: N806 - as SQLite counts
    assert await database.write(settings, "nothing") == ["wal", FULL, 1]


async def test_those_who_ask_while_a_commit_is_under_way_share_the_next(
    database: Database,
) -> None:
    commits: list[str] = []
    is_begun, may_end = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
        is_begun.set()
        may_end.wait(5)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(database.write(slow, "something slow"))
        await asyncio.to_thread(is_begun.wait, 5)
        for number in range(100):
            tasks.create_task(database.write(add(f"thing {number}"), "a thing"))
        await asyncio.sleep(0)
        may_end.set()
    assert len(commits) == 2


async def test_one_failure_does_not_undo_the_others(database: Database, path: Path) -> None:
    def half(connection: Connection) -> None:
        add("half")(connection)
        raise RuntimeError("a defect")

    await database.write(add("a"), "thing a")
    ended = await asyncio.gather(
        database.write(add("b"), "thing b"),
        database.write(add("a"), "thing a"),
        database.write(half, "half a thing"),
        database.write(add("c"), "thing c"),
        return_exceptions=True,
    )
    assert [type(it) for it in ended] == [str, WriteRefused, RuntimeError, str]
    assert "not recorded: thing a: UNIQUE constraint failed" in str(ended[1])
    assert names(path) == ["a", "b", "c"]


async def test_who_is_cancelled_while_waiting_does_not_undo_it(
    database: Database, path: Path
) -> None:
    writing = asyncio.get_running_loop().create_task(database.write(add("a"), "thing a"))
    await asyncio.sleep(0)
    writing.cancel()
    with suppress(asyncio.CancelledError):
        await writing
    await database.write(add("b"), "thing b")
    assert names(path) == ["a", "b"]


async def test_reading_does_not_wait_for_writing(database: Database) -> None:
    may_end = threading.Event()

    def slow(connection: Connection) -> None:
        add("a")(connection)
        may_end.wait(5)

    def count(connection: Connection) -> int:
        found: int = connection.execute("SELECT count(*) FROM things").fetchone()[0]
        return found

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(database.write(slow, "something slow"))
        assert await database.read(count, "things") == 0
        may_end.set()
    assert await database.read(count, "things") == 1


async def test_the_reader_can_not_write(database: Database) -> None:
    with pytest.raises(NotRead, match=r"can't be read: things: .*readonly"):
        await database.read(add("a"), "things")


async def test_a_failed_fsync_ends_all_recording(database: Database, path: Path) -> None:
    await database.write(add("a"), "thing a")
    failing = Failing(database._writing, "COMMIT", "SQLITE_IOERR_FSYNC")
    database._writing = failing  # type: ignore[assignment]
    for name in ("b", "c"):
        with pytest.raises(RecordingEnded, match=f"not recorded: thing {name}: .*SQLITE_IOERR"):
            await database.write(add(name), f"thing {name}")
    assert failing.tried == 1  # it was not even tried again
    assert "until the agent is started anew" in await asyncio.wait_for(database.failed(), 1)
    assert names(path) == ["a"]


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("SQLITE_FULL", DiskFull, "the disk is full"),
        ("SQLITE_IOERR_WRITE", DiskFailed, "the disk did not take it"),
        ("SQLITE_READONLY_DBMOVED", DiskReadOnly, "the disk or the file can't be written"),
        ("SQLITE_BUSY", StoreBusy, "another program holds the database"),
    ],
)
async def test_other_failures_are_for_now(
    database: Database, path: Path, name: str, kind: type[Exception], said: str
) -> None:
    real = database._writing
    database._writing = Failing(real, "COMMIT", name)  # type: ignore[assignment]
    ended = await asyncio.gather(
        *(database.write(add(it), f"thing {it}") for it in "ab"), return_exceptions=True
    )
    assert [type(it) for it in ended] == [kind, kind]
    assert f"not recorded: thing b: {said}" in str(ended[1])
    database._writing = real
    await database.write(add("c"), "thing c")
    assert names(path) == ["c"]


async def test_after_its_end_nothing_is_taken(path: Path) -> None:
    async with Database(path, SetClock()) as database:
        pass
    with pytest.raises(RecordingEnded, match="too late for thing a: the database is closed"):
        await database.write(add("a"), "thing a")


async def test_a_long_log_is_copied_into_the_file(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.store.log_ahead.PAGES", 5)
    for number in range(20):
        await database.write(add(f"{number}", number), "a thing")
    async with asyncio.timeout(5):
        while b"17" not in path.read_bytes():  # the file alone, without its log
            await database.write(lambda _: None, "nothing")


async def test_a_defect_of_the_writer_leaves_nobody_waiting(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(*_: object) -> None:
        raise RuntimeError("a defect")

    with monkeypatch.context() as broken:
        broken.setattr(database, "_transact", defect)
        with pytest.raises(RuntimeError, match="a defect"):
            await database.write(add("a"), "thing a")
    database.after_commit = defect
    await database.write(add("b"), "thing b")
    database.after_commit = lambda _: None
    await database.write(add("c"), "thing c")
    assert names(path) == ["b", "c"]

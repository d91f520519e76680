"""The log that is written ahead stays short: over kills, and where somebody reads for long."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from agent.store.database import NAME, Database
from tests.agent.ledger_bench import SetClock

pytestmark = pytest.mark.lab


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / NAME


def log_of(path: Path) -> int:
    """How long the log is that is written ahead, in bytes."""
    return path.with_name(f"{path.name}-wal").stat().st_size


LIVES = """
import asyncio, os, sys
from pathlib import Path
from agent.store.database import Database
from tests.agent.ledger_bench import SetClock

def add(connection):
    connection.execute("INSERT INTO marks (name, value) VALUES (hex(randomblob(8)), '1')")

async def live(path):
    async with Database(path, SetClock()) as database:
        for _ in range(30):
            await database.write(add, "a mark")
        os.kill(os.getpid(), 9)

asyncio.run(live(Path(sys.argv[1])))
"""


async def killed(path: Path) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", LIVES, str(path))
    assert await process.wait() == -signal.SIGKILL


async def test_the_log_of_agents_that_are_killed_again_and_again_does_not_grow(path: Path) -> None:
    await killed(path)
    first = log_of(path)
    assert first > 100_000
    for _ in range(3):
        await killed(path)
    assert log_of(path) < 1.5 * first
    async with Database(path, SetClock()) as database:
        assert log_of(path) == 0
        assert await database.read(_marks, "marks") == 4 * 30


async def test_who_reads_during_a_start_is_not_waited_for_and_loses_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.store.database.BUSY_S", 600.0)
    await killed(path)
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        assert _marks(reader) == 30
        async with asyncio.timeout(30), Database(path, SetClock()) as database:
            assert log_of(path) > 0
            assert await database.read(_marks, "marks") == 30
        assert _marks(reader) == 30


async def test_a_log_that_grew_beyond_its_bound_while_somebody_read_is_made_short_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.store.log_ahead.PAGES", 5)
    monkeypatch.setattr("agent.store.log_ahead.MOST_BYTES", 100_000)
    async with Database(path, SetClock()) as database:
        with closing(sqlite3.connect(path)) as reader:
            reader.execute("BEGIN")
            assert _marks(reader) == 0
            for _ in range(30):
                await database.write(_add_mark, "a mark")
            assert log_of(path) > 100_000
        async with asyncio.timeout(10):
            while log_of(path) > 100_000:
                await database.write(_add_mark, "a mark")


def _marks(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("SELECT count(*) FROM marks").fetchone()[0]
    return found


def _add_mark(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO marks (name, value) VALUES (hex(randomblob(8)), '1')")

"""The database on a disk that is really full, read-only, or refuses a write."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from agent.errors import CannotStart
from agent.store.database import NAME, Connection, Database, reading
from agent.store.store_errors import (
    DiskFull,
)
from tests.agent.ledger_bench import SetClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / NAME


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "labkeeper-test", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting needs more rights than this user has")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def blob(connection: Connection) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS blobs (it BLOB)")
    connection.execute("INSERT INTO blobs VALUES (randomblob(100000))")


def count(folder: Path, table: str) -> int:
    with reading(folder / NAME) as connection:
        found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return found


@pytest.mark.lab
async def test_a_full_disk_is_told_and_when_there_is_room_it_goes_on(small_disk: Path) -> None:
    filler = small_disk / "filler"
    async with Database(small_disk / NAME, SetClock()) as database:
        await database.write(blob, "a blob")
        room = 1 << 20
        while room:
            with filler.open("ab", buffering=0) as file, suppress(OSError):
                while file.write(b"x" * room):
                    pass
            room >>= 1
        with pytest.raises(DiskFull, match="not recorded: a blob: the disk is full"):
            await database.write(blob, "a blob")
        filler.unlink()
        await database.write(blob, "a blob")
    assert await asyncio.to_thread(count, small_disk, "blobs") == 2


@pytest.mark.lab
async def test_a_disk_that_became_read_only_is_told(small_disk: Path) -> None:
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    async with Database(small_disk / NAME, SetClock()):
        pass
    await asyncio.to_thread(partial(subprocess.run, remount, check=True))
    with pytest.raises(CannotStart, match=r"station\.db can't be used"):
        async with Database(small_disk / NAME, SetClock()):
            pass
    # And what is on it can still be read.
    assert await asyncio.to_thread(count, small_disk, "ledger") == 0


LIMITED = """
import asyncio, resource, sys
from pathlib import Path
from agent.store.database import Database
from agent.store.store_errors import NotRecorded
from tests.agent.ledger_bench import SetClock
from tests.agent.store.test_database_disk import blob

async def main():
    async with Database(Path(sys.argv[1]), SetClock()) as database:
        await database.write(blob, "a blob")
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 1 << 30))
        try:
            await database.write(blob, "a blob")
        except NotRecorded as error:
            print(type(error).__name__, error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
        await database.write(blob, "a blob")

asyncio.run(main())
"""


@pytest.mark.lab
def test_a_write_that_the_system_refuses_is_told_and_the_next_is_tried(path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True
    )
    assert ended.stdout.startswith("DiskFailed not recorded: a blob: the disk did not take it")
    assert count(path.parent, "blobs") == 2

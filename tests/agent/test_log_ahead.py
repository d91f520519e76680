"""The database's log has its room beforehand, and what is in it is read all the same."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from agent.store.database import NAME, Database
from agent.store.log_ahead import ROOM, make_room
from tests.agent.ledger_bench import SetClock
from tests.agent.test_database import add, database, names, path

__all__ = ["database", "path"]  # fixtures


def log_of(path: Path) -> Path:
    return path.with_name(f"{NAME}-wal")


async def until_it_has_room(path: Path) -> None:
    async with asyncio.timeout(5):
        while log_of(path).stat().st_size < ROOM:
            await asyncio.sleep(0.001)


async def test_commits_write_over_room_that_was_taken_before(
    database: Database, path: Path
) -> None:
    await database.write(add("first"), "a thing")
    await until_it_has_room(path)
    for number in range(30):
        await database.write(add(f"{number}"), "a thing")
    assert log_of(path).stat().st_size == ROOM
    assert len(names(path)) == 31


async def test_what_a_power_cut_leaves_in_a_log_with_room_is_all_there(
    database: Database, path: Path, tmp_path: Path
) -> None:
    await database.write(add("first"), "a thing")
    await until_it_has_room(path)
    await database.write(add("second"), "a thing")
    left = tmp_path / "left" / NAME
    left.parent.mkdir()
    for found in (path, log_of(path)):  # without its index, which is in memory
        shutil.copyfile(found, left.with_name(found.name))
    async with Database(left, SetClock()) as again:
        assert again.quarantined is None
        assert names(left) == ["first", "second"]


async def test_a_disk_without_room_keeps_its_last_and_commits_go_on(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwrite

    def full(descriptor: int, data: bytes, offset: int) -> NoReturn:
        real(descriptor, data[:4096], offset)
        raise OSError(28, "No space left on device")

    await database.write(add("first"), "a thing")
    await until_it_has_room(path)
    os.truncate(log_of(path), 8192)
    with monkeypatch.context() as broken:
        broken.setattr(os, "pwrite", full)
        await asyncio.to_thread(make_room, path)
    assert log_of(path).stat().st_size == 8192

"""How much the store takes: its limit, a twentieth of the disk, and what is still on its way."""

from __future__ import annotations

import asyncio
import errno
import os
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.store import room
from agent.store.file_errors import (
    NoRoom,
    NotKept,
)
from agent.store.files import BLOCK, FileStore
from drivers.errors import RequestError
from tests.agent.files_bench import (
    Examiner,
    Slow,
    Untouched,
    left_in,
    pieces,
    stored,
)

KOREAN = "시험편.gcode"
TAKEN_APART = unicodedata.normalize("NFD", KOREAN)


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files", limit=1_000_000, examine=Examiner())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


async def test_a_file_larger_than_the_store_is_refused_before_its_first_byte(
    store: FileStore, folder: Path
) -> None:
    with pytest.raises(
        NoRoom, match=r"5,000\.0 MB are more than the whole store may hold, 1\.0 MB"
    ):
        await store.add("part.gcode", Untouched(), 5_000_000_000)
    assert left_in(folder) == {}


async def test_a_full_store_refuses_before_the_first_byte_what_says_how_long_it_is(
    store: FileStore,
) -> None:
    await stored(store, "a.gcode", b"x" * 700_000)
    with pytest.raises(NoRoom, match=r"the store holds 0\.7 MB of 1\.0 MB; remove files first"):
        await store.add("b.gcode", Untouched(), 300_001)
    await store.add("b.gcode", pieces(b"x" * 300_000), 300_000)
    assert (await store.listing()).free == 0


async def test_and_on_the_way_what_does_not(folder: Path) -> None:
    store = FileStore(folder, limit=3 * BLOCK)
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1000
            yield b"x" * 1000

    with pytest.raises(NoRoom, match="the store holds"):
        await store.add("part.gcode", endless())
    assert taken < 4 * BLOCK + 2000
    assert left_in(folder) == {}


async def test_uploads_under_way_count_before_they_have_arrived(store: FileStore) -> None:
    slow = Slow()
    slow.second = b"x" * (600_000 - len(slow.first))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(store.add("a.gcode", slow, 600_000))
        await slow.is_under_way.wait()
        with pytest.raises(NoRoom, match=r"the store holds 0\.6 MB"):
            await store.add("b.gcode", Untouched(), 500_000)
        assert (await store.listing()).free == 400_000
        slow.go_on.set()
    assert (await store.listing()).free == 400_000


async def test_a_twentieth_of_the_disk_stays_free(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SimpleNamespace(f_blocks=1000, f_bavail=60, f_frsize=1000)
    monkeypatch.setattr(os, "fstatvfs", lambda _: disk)
    with pytest.raises(NoRoom, match=r"the disk has 0\.1 MB left, and 5% of it stay free"):
        await store.add("a.gcode", Untouched(), 10_001)
    assert (await store.listing()).free == 10_000
    await store.add("a.gcode", pieces(b"x" * 10_000), 10_000)
    disk.f_bavail = 49
    assert (await store.listing()).free == 0
    with pytest.raises(NoRoom):
        await store.add("b.gcode", pieces(b"x"))


async def test_the_number_of_files_is_bounded(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_FILES", 2)
    await stored(store, "a.gcode")
    await stored(store, "b.gcode")
    with pytest.raises(NoRoom, match="the store has 2 files"):
        await store.add("c.gcode", Untouched(), 1)


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, NoRoom), (errno.EDQUOT, NoRoom), (errno.EIO, NotKept)]
)
async def test_a_disk_that_fails_is_told_of_and_nothing_is_left(
    store: FileStore,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[RequestError],
) -> None:
    def failing(*_: Any) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as broken:
        broken.setattr(os, "write", failing)
        with pytest.raises(kind, match=os.strerror(number)):
            await stored(store, "part.gcode")
    assert left_in(folder) == {}

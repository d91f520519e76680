"""The store: what is in it, how a file comes in, whole or not at all, and how it goes."""

from __future__ import annotations

import asyncio
import hashlib
import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from agent.store.file_errors import (
    AlreadyThere,
    BadName,
    Incomplete,
    InUse,
)
from agent.store.files import BLOCK, FileStore
from drivers.errors import RequestError, UnknownName
from tests.agent.files_bench import (
    PART,
    Examiner,
    Slow,
    Untouched,
    left_in,
    pieces,
    stored,
    text_of,
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


async def test_a_file_that_was_added_is_there_as_it_was_sent(store: FileStore) -> None:
    added = await store.add("part.gcode", pieces(PART[:7], b"", PART[7:]), len(PART))
    assert added.sha256 == hashlib.sha256(PART).hexdigest()
    assert added.size == len(PART)
    listing = await store.listing()
    assert listing.files == (added,)
    assert (listing.used, listing.limit) == (len(PART), 1_000_000)
    assert listing.free == 1_000_000 - len(PART)
    assert await text_of(store, "part.gcode") == PART


async def test_a_file_larger_than_a_block_arrives_whole(store: FileStore, folder: Path) -> None:
    large = FileStore(folder, limit=10 * BLOCK)
    data = os.urandom(2 * BLOCK + 17)
    added = await large.add("large.gcode", pieces(data[:5], data[5:-3], data[-3:]))
    assert added.sha256 == hashlib.sha256(data).hexdigest()
    assert left_in(folder) == {"large.gcode": data}


async def test_an_empty_file_is_a_file(store: FileStore, folder: Path) -> None:
    await store.add("empty.gcode", pieces(), 0)
    assert left_in(folder) == {"empty.gcode": b""}


async def test_two_spellings_of_a_korean_name_are_one_file(store: FileStore, folder: Path) -> None:
    await stored(store, TAKEN_APART)
    assert list(left_in(folder)) == [KOREAN]
    with pytest.raises(AlreadyThere, match=KOREAN):
        await stored(store, KOREAN, b"G1\n")
    assert await text_of(store, KOREAN) == await text_of(store, TAKEN_APART) == PART
    await store.remove(TAKEN_APART)
    assert left_in(folder) == {}


async def test_a_file_that_a_mac_has_put_there_is_found_replaced_and_removed(
    store: FileStore, folder: Path
) -> None:
    (folder / TAKEN_APART).write_bytes(PART)
    assert [it.name for it in (await store.listing()).files] == [KOREAN]
    assert await text_of(store, KOREAN) == PART
    with pytest.raises(AlreadyThere):
        await stored(store, KOREAN)
    await store.add(KOREAN, pieces(b"G1\n"), replace=True)
    assert list(left_in(folder).values()) == [b"G1\n"]
    await store.remove(KOREAN)
    assert left_in(folder) == {}


async def test_where_both_spellings_are_there_the_usual_one_counts(
    store: FileStore, folder: Path
) -> None:
    (folder / TAKEN_APART).write_bytes(b"G1\n")
    (folder / KOREAN).write_bytes(PART)
    assert [it.size for it in (await store.listing()).files] == [len(PART)]
    assert await text_of(store, TAKEN_APART) == PART


async def test_nothing_is_overwritten_unless_somebody_says_so(
    store: FileStore, folder: Path
) -> None:
    await stored(store, "part.gcode")
    with pytest.raises(AlreadyThere, match="remove it first"):
        await store.add("part.gcode", Untouched(), 3)
    assert left_in(folder) == {"part.gcode": PART}
    replaced = await store.add("part.gcode", pieces(b"G1\n"), 3, replace=True)
    assert left_in(folder) == {"part.gcode": b"G1\n"}
    assert (await store.listing()).files == (replaced,)
    await store.add("new.gcode", pieces(b"G1\n"), 3, replace=True)


async def test_nor_is_a_file_that_comes_from_elsewhere_meanwhile(
    store: FileStore, folder: Path
) -> None:
    slow = Slow()
    async with asyncio.TaskGroup() as tasks:
        upload = tasks.create_task(refusal_of(store.add("part.gcode", slow)))
        await slow.is_under_way.wait()
        (folder / "part.gcode").write_bytes(PART)
        slow.go_on.set()
    assert isinstance(upload.result(), AlreadyThere)
    assert left_in(folder) == {"part.gcode": PART}


@pytest.mark.parametrize("replace", [False, True])
async def test_an_upload_that_breaks_off_leaves_nothing(
    store: FileStore, folder: Path, replace: bool
) -> None:
    if replace:
        await stored(store, "part.gcode")
    before = left_in(folder)
    slow = Slow(first=b"x" * (BLOCK // 2))
    slow.error = ConnectionResetError("gone")
    slow.go_on.set()
    with pytest.raises(ConnectionResetError):
        await store.add("part.gcode", slow, replace=replace)
    assert left_in(folder) == before
    assert (await store.listing()).free == 1_000_000 - sum(map(len, before.values()))


async def test_so_does_one_whose_caller_is_cancelled(folder: Path) -> None:
    store, slow = FileStore(folder), Slow(first=b"x" * (BLOCK + 1))
    async with asyncio.TaskGroup() as tasks:
        upload = tasks.create_task(store.add("part.gcode", slow))
        await slow.is_under_way.wait()
        assert [len(data) for data in left_in(folder).values()] == [BLOCK + 1]
        upload.cancel()
    assert left_in(folder) == {}
    await stored(store, "part.gcode")


@pytest.mark.parametrize(
    ("size", "words"),
    [(len(PART) + 1, f"{len(PART)} bytes arrived of {len(PART) + 1}"), (5, "more bytes arrived")],
)
async def test_what_is_not_as_long_as_was_said_is_not_kept(
    store: FileStore, folder: Path, size: int, words: str
) -> None:
    with pytest.raises(Incomplete, match=words):
        await store.add("part.gcode", pieces(PART), size)
    assert left_in(folder) == {}


async def test_two_uploads_of_one_name_do_not_mix(store: FileStore, folder: Path) -> None:
    slow = Slow()
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(store.add(KOREAN, slow))
        await slow.is_under_way.wait()
        for replace in (False, True):
            with pytest.raises(InUse, match="another upload"):
                await store.add(TAKEN_APART, Untouched(), replace=replace)
        slow.go_on.set()
    assert left_in(folder) == {KOREAN: b"G28\nG1 X1\n"}
    assert first.result().size == 10


async def test_many_uploads_at_once_all_arrive(store: FileStore, folder: Path) -> None:
    files = {f"part{n}.gcode": bytes([65 + n]) * 1000 * n for n in range(20)}
    async with asyncio.TaskGroup() as tasks:
        for name, data in files.items():
            tasks.create_task(stored(store, name, data))
    assert left_in(folder) == files


@pytest.mark.parametrize("name", ["../x.gcode", "x", "", "a/b.gcode", ".x.gcode"])
async def test_a_name_that_may_not_be_is_refused_everywhere(store: FileStore, name: str) -> None:
    for asked in (store.add(name, Untouched()), store.named(name), store.remove(name)):
        assert isinstance(await refusal_of(asked), BadName)


async def test_what_a_killed_agent_has_left_goes_at_the_start_and_uploads_go_on(
    store: FileStore, folder: Path
) -> None:
    (folder / ".0011-2233.part").write_bytes(b"half")
    (folder / "part.gcode").write_bytes(PART)
    (folder / ".hidden").write_bytes(b"somebody's")
    slow = Slow(first=b"x" * BLOCK)
    large = FileStore(folder)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(large.add("new.gcode", slow))
        await slow.is_under_way.wait()
        await large.tidy()
        slow.go_on.set()
    assert set(left_in(folder)) == {"part.gcode", ".hidden", "new.gcode"}


async def test_what_was_known_of_files_that_are_gone_goes_with_them(
    store: FileStore, folder: Path
) -> None:
    for name in ("a.gcode", "b.gcode", KOREAN):
        await stored(store, name)
    await store.remove("a.gcode")
    assert {it.name for it in (folder / ".surveys").iterdir()} == {"b.gcode.json", f"{KOREAN}.json"}
    (folder / "b.gcode").unlink()
    await store.tidy()
    assert {it.name for it in (folder / ".surveys").iterdir()} == {f"{KOREAN}.json"}


async def test_a_file_that_is_not_there_is_said_to_be_missing(store: FileStore) -> None:
    for asked in (store.named("x.gcode"), store.remove("x.gcode")):
        refused = await refusal_of(asked)
        assert isinstance(refused, UnknownName)
        assert "no file 'x.gcode' in the store" in str(refused)


async def test_the_list_has_files_that_somebody_put_there_and_no_notes(
    store: FileStore, folder: Path
) -> None:
    (folder / "b.gcode").write_bytes(PART)
    (folder / "a.NC").write_bytes(PART)
    (folder / "readme.md").write_bytes(b"notes")
    (folder / "x.gcode").mkdir()
    (folder / os.fsdecode(b"\xff.gcode")).write_bytes(b"not UTF-8")
    listing = await store.listing()
    assert [(it.name, it.sha256, it.summary) for it in listing.files] == [
        ("a.NC", "", None),
        ("b.gcode", "", None),
    ]
    assert listing.used == 2 * len(PART) + len(b"notes") + len(b"not UTF-8")


async def test_a_file_that_is_printed_is_neither_removed_nor_replaced(store: FileStore) -> None:
    await stored(store, "part.gcode")
    reading = (await store.named("part.gcode")).pieces()
    assert await anext(reading) == PART
    with pytest.raises(InUse, match="is being printed"):
        await store.remove("part.gcode")
    with pytest.raises(InUse, match="is being printed"):
        await store.add("part.gcode", Untouched(), replace=True)
    await reading.aclose()  # type: ignore[attr-defined]  # of a generator
    await store.add("part.gcode", pieces(b"G1\n"), replace=True)
    await store.remove("part.gcode")


async def test_a_print_that_begins_during_an_upload_reads_on_and_the_upload_is_refused(
    store: FileStore, folder: Path
) -> None:
    await stored(store, "part.gcode")
    slow = Slow()
    async with asyncio.TaskGroup() as tasks:
        upload = tasks.create_task(refusal_of(store.add("part.gcode", slow, replace=True)))
        await slow.is_under_way.wait()
        reading = (await store.named("part.gcode")).pieces()
        assert await anext(reading) == PART
        slow.go_on.set()
        assert isinstance(await upload, InUse)
        assert [piece async for piece in reading] == []
    assert left_in(folder) == {"part.gcode": PART}


async def refusal_of(asked: Any) -> RequestError:
    """The refusal that something must end with."""
    with pytest.raises(RequestError) as refused:
        await asked
    return refused.value

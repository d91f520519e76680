"""The disk of the power cuts loses what was not synced, and never what was."""

from __future__ import annotations

import stat
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.lossy_disk import SECTOR, LossyDisk, Node

FILE = stat.S_IFREG | 0o640
SEEDS = range(50)


def left(platter: Path) -> dict[str, bytes]:
    return {
        str(it.relative_to(platter)): it.read_bytes() for it in platter.rglob("*") if it.is_file()
    }


@pytest.fixture
def platter(tmp_path: Path) -> Path:
    made = tmp_path / "platter"
    made.mkdir()
    return made


def disk_with(platter: Path, name: str, content: bytes) -> tuple[LossyDisk, Node]:
    """A disk on which a file is, content and name."""
    (platter / name).write_bytes(content)
    disk = LossyDisk(platter)
    return disk, disk.find(f"/{name}")


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_synced_is_there_and_what_was_not_is_new_or_old_sector_by_sector(
    platter: Path, seed: int
) -> None:
    disk, file = disk_with(platter, "a", b"o" * 4 * SECTOR)
    file.write(b"s" * SECTOR, 0)
    file.sync()
    file.write(b"n" * 2 * SECTOR, 2 * SECTOR)
    disk.cut(Random(seed))
    found = left(platter)["a"]
    assert found[: 2 * SECTOR] == b"s" * SECTOR + b"o" * SECTOR
    for at in (2 * SECTOR, 3 * SECTOR):
        assert found[at : at + SECTOR] in {b"n" * SECTOR, b"o" * SECTOR}


def test_some_cut_loses_the_first_of_two_sectors_and_keeps_the_second(tmp_path: Path) -> None:
    found = set()
    for seed in SEEDS:
        platter = tmp_path / str(seed)
        platter.mkdir()
        disk, file = disk_with(platter, "a", b"o" * 2 * SECTOR)
        file.write(b"n" * 2 * SECTOR, 0)
        disk.cut(Random(seed))
        found.add(left(platter)["a"][::SECTOR])
    assert found == {b"oo", b"no", b"on", b"nn"}


def test_a_synced_file_in_a_folder_that_is_not_may_have_no_name_any_more(tmp_path: Path) -> None:
    found = set()
    for seed in SEEDS:
        platter = tmp_path / str(seed)
        platter.mkdir()
        disk = LossyDisk(platter)
        file = disk.add("/new", FILE)
        file.write(b"content", 0)
        file.sync()
        disk.cut(Random(seed))
        found.add(left(platter).get("new"))
    assert found == {None, b"content"}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_synced_folder_keeps_a_file_in_the_place_of_another(platter: Path, seed: int) -> None:
    disk, _ = disk_with(platter, "state", b"old")
    draft = disk.add("/state.part", FILE)
    draft.write(b"new", 0)
    draft.sync()
    disk.rename("/state.part", "/state")
    disk.sync_names(disk.root)
    disk.add("/later", FILE)
    disk.cut(Random(seed))
    found = left(platter)
    assert (found.pop("state"), found) in (((b"new"), {}), ((b"new"), {"later": b""}))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rename_is_whole_or_it_has_not_happened(platter: Path, seed: int) -> None:
    (platter / "to").mkdir()
    disk, _ = disk_with(platter, "a", b"moved")
    disk.rename("/a", "/to/b")
    disk.cut(Random(seed))
    assert left(platter) in ({"a": b"moved"}, {"to/b": b"moved"})


WRITES = st.tuples(st.just("write"), st.binary(min_size=1, max_size=700), st.integers(0, 3000))
RESIZES = st.tuples(st.just("resize"), st.just(b""), st.integers(0, 3000))
SYNCS = st.tuples(st.just("sync"), st.just(b""), st.just(0))


@given(st.lists(st.one_of(WRITES, RESIZES, SYNCS), max_size=12), st.integers())
def test_each_byte_after_a_cut_is_one_that_was_there_since_the_last_sync(
    calls: list[tuple[str, bytes, int]], seed: int
) -> None:
    file = Node(FILE)
    states = [b""]
    for what, data, at in calls:
        if what == "write":
            assert file.write(data, at) == len(data)
        elif what == "resize":
            file.resize(at)
        else:
            file.sync()
            states = []
        states.append(bytes(file.data))
    found = file.survived(Random(seed), Random(seed).random())
    if len(states) == 1:
        assert found == states[0]
    for at, byte in enumerate(found):
        assert byte in {0, *(it[at] for it in states if at < len(it))}
    if len({*states}) > 1 and file.unsynced:
        assert file.survived(Random(seed), 0.0) == file.kept
        assert file.survived(Random(seed), 1.1) == file.data

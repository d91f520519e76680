"""A run folder that was changed is found out, and the file is named, whatever was done to it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.store.run_files import plain_name
from agent.store.run_manifest import close
from agent.store.run_shelf import RunShelf, close_left
from agent.store.run_verify import verify
from agent.store.run_writer import RunWriter
from agent.store.store_errors import NotRead
from tests.agent.runs_bench import FACTS, closed_folder, names

TOLD = {"manifest.sha256": {"manifest.sha256", "manifest.json"}}
"""Of these two only the ledger can say which was altered: the folder names both."""


@pytest.fixture(scope="module")
def closed() -> Iterator[Path]:
    """A folder that is whole, never changed itself."""
    with TemporaryDirectory() as folder:
        yield closed_folder(Path(folder)).folder


def faulty(folder: Path) -> set[str]:
    """The files that are said to be wrong."""
    return {it.file for it in verify(folder).faults}


@pytest.fixture(scope="module")
def copies(closed: Path) -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder)


def copy_of(closed: Path, copies: Path) -> Path:
    """A fresh copy to be spoilt."""
    copy = copies / closed.name
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(closed, copy)
    return copy


def test_a_folder_is_whole_as_it_was_closed_and_so_is_its_copy(closed: Path, copies: Path) -> None:
    assert not faulty(closed)
    copy = copy_of(closed, copies)
    assert not faulty(copy)
    assert verify(copy).sha256 == verify(closed).sha256


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_flip_of_a_byte_is_found_and_its_file_named(
    closed: Path, copies: Path, data: st.DataObject
) -> None:
    copy = copy_of(closed, copies)
    name = data.draw(st.sampled_from(list(names(copy))))
    raw = bytearray((copy / name).read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    (copy / name).write_bytes(raw)
    assert faulty(copy) & TOLD.get(name, {name})


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_file_that_is_removed_cut_lengthened_or_renamed_is_named(
    closed: Path, copies: Path, data: st.DataObject
) -> None:
    copy = copy_of(closed, copies)
    name = data.draw(st.sampled_from(list(names(copy))))
    path, deed = copy / name, data.draw(st.sampled_from(["remove", "cut", "add", "rename", "swap"]))
    raw = path.read_bytes()
    match deed:
        case "remove":
            path.unlink()
        case "cut":
            path.write_bytes(raw[: data.draw(st.integers(0, len(raw) - 1))])
        case "add":
            path.write_bytes(raw + data.draw(st.binary(min_size=1, max_size=9)))
        case "rename":
            path.rename(path.with_name("다른 이름.csv"))
        case "swap":
            other = copy / ("job.json" if name != "job.json" else "recipe.yaml")
            path.write_bytes(other.read_bytes())
            other.write_bytes(raw)
    assert faulty(copy) & TOLD.get(name, {name}), deed


@settings(max_examples=60, deadline=None)
@given(name=st.text(min_size=1, max_size=20), content=st.binary(max_size=20))
def test_any_file_that_is_added_is_named(
    closed: Path, copies: Path, name: str, content: bytes
) -> None:
    copy = copy_of(closed, copies)
    added = plain_name(name) + ".x"
    (copy / added).write_bytes(content)
    assert faulty(copy) == {added}


def test_a_link_in_the_place_of_a_file_or_a_folder_is_not_followed(
    closed: Path, copies: Path
) -> None:
    copy = copy_of(closed, copies)
    shutil.copy(copy / "measures.csv", copies / "measures.csv")
    (copy / "measures.csv").unlink()
    (copy / "measures.csv").symlink_to(copies / "measures.csv")
    shutil.copytree(copy / "readings", copies / "readings", dirs_exist_ok=True)
    shutil.rmtree(copy / "readings")
    (copy / "readings").symlink_to(copies / "readings")
    os.mkfifo(copy / "pipe")
    assert faulty(copy) == {"measures.csv", "readings", "readings/온도.csv", "pipe"}


@pytest.mark.parametrize("name", ["../x", "/etc/hostname", "a/../x", "", "a//b", ".", "a\\b"])
def test_a_manifest_can_not_lead_out_of_the_folder(closed: Path, copies: Path, name: str) -> None:
    copy = copy_of(closed, copies)
    form = json.loads((copy / "manifest.json").read_text())
    form["files"].append({"name": name, "size": 1, "sha256": "0" * 64})
    (copy / "manifest.json").write_text(json.dumps(form))
    [_, said] = [str(it) for it in verify(copy).faults]
    assert "no name of a file in this folder" in said


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{}", '{"schema": "labkeeper/run/2"}', "[" * 100_000, "\ud800"]
)
def test_what_is_no_manifest_is_said_to_be_none(closed: Path, copies: Path, text: str) -> None:
    copy = copy_of(closed, copies)
    (copy / "manifest.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert faulty(copy) == {"manifest.json"}


@settings(max_examples=60, deadline=None)
@given(
    files=st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["name", "size", "sha256"]), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_no_list_of_files_whatever_it_says_ends_in_a_traceback(
    closed: Path, copies: Path, files: object
) -> None:
    copy = copy_of(closed, copies)
    form = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**form, "files": files}))
    assert "manifest.json" in faulty(copy)


def test_a_folder_that_was_replaced_as_a_whole_has_another_hash_than_the_ledger(
    closed: Path, copies: Path
) -> None:
    copy = copy_of(closed, copies)
    form = json.loads((copy / "manifest.json").read_text())
    forged = close(copy, {**form, "verdict": "fail"}, ())
    for name in set(names(copy)) - {"manifest.json", "manifest.sha256"}:
        (copy / name).unlink()
    assert not faulty(copy)
    assert forged.sha256 != verify(closed).sha256


def test_a_folder_that_is_still_written_is_said_to_be_so(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", FACTS, 0.0)
    writer.begin({"recipe.yaml": b"x"})
    [fault] = verify(tmp_path / "run").faults
    assert (fault.file, "the job runs still" in fault.text) == ("manifest.json", True)
    (tmp_path / "empty").mkdir()
    [fault] = verify(tmp_path / "empty").faults
    assert "this is no run folder" in fault.text
    with pytest.raises(NotRead, match="there is no folder"):
        verify(tmp_path / "none")
    writer.finish()


def test_a_close_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    writer = RunWriter(RunShelf(tmp_path).new("1-1", "trial"), {**FACTS, "job": "1-1"}, 0.0)
    writer.begin({"recipe.yaml": b"x"})
    writer.finish()
    (writer.folder / ".manifest.json.part").write_text("{")
    (writer.folder / "manifest.sha256").write_text("of the first attempt")
    shelf = RunShelf(tmp_path)
    assert [it.is_closed for it in shelf.all()] == [False]
    closed = close_left(writer.folder, "2026-11-28T05:16:02.123+00:00")
    assert (closed.job, closed.state) == ("1-1", "interrupted")
    assert [it.is_closed for it in shelf.all()] == [True]
    assert verify(writer.folder).sha256 == closed.sha256
    assert not faulty(writer.folder)


@given(st.text(max_size=120))
def test_every_name_of_a_folder_is_one_that_every_file_system_takes(text: str) -> None:
    name = plain_name(text)
    assert 0 < len(name.encode()) <= 200
    assert not set(name) & set('/\\:*?"<>| \0\n')
    assert not name.startswith(".")


def test_hangul_stays_hangul_in_one_spelling_and_a_taken_name_is_not_taken_twice(
    tmp_path: Path,
) -> None:
    shelf = RunShelf(tmp_path)
    first = shelf.new("20261128-051602-1", "열 사이클")
    assert first.name == "20261128-051602-1_열_사이클"
    assert plain_name("\u110b\u1167\u11af") == "열"
    first.mkdir()
    assert shelf.new("20261128-051602-1", "열 사이클").name == f"{first.name}-2"

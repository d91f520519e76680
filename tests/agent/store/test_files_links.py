"""Nothing leads out of the store: no link, no pipe, no folder, and no folder of surveys either."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.store.files import FileStore
from drivers.errors import RequestError, UnknownName
from tests.agent.files_bench import PART, Examiner, Untouched, stored, text_of


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    secret = tmp_path / "secret.gcode"
    secret.write_bytes(b"a secret")
    return secret


@pytest.fixture
def folder(tmp_path: Path, secret: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "link.gcode").symlink_to(secret)
    (folder / "lost.gcode").symlink_to(tmp_path / "nothing")
    (folder / "up.gcode").symlink_to("..")
    os.mkfifo(folder / "pipe.gcode")
    (folder / "folder.gcode").mkdir()
    return folder


STRANGE = ["link.gcode", "lost.gcode", "up.gcode", "pipe.gcode", "folder.gcode"]


@pytest.mark.parametrize("name", STRANGE)
async def test_what_is_no_plain_file_is_no_file(folder: Path, secret: Path, name: str) -> None:
    store = FileStore(folder, examine=Examiner())
    for asked in (
        store.named(name),
        store.remove(name),
        store.add(name, Untouched(), 4),
        store.add(name, Untouched(), 4, replace=True),
    ):
        with pytest.raises(UnknownName, match="is not a plain file"):
            await asked
    assert (await store.listing()).files == ()
    assert secret.read_bytes() == b"a secret"


async def test_a_file_that_becomes_a_link_after_it_was_chosen_is_not_followed(
    folder: Path, secret: Path
) -> None:
    store = FileStore(folder, examine=Examiner())
    for name, target in (("a.gcode", secret), ("b.gcode", None)):
        await stored(store, name)
        chosen = await store.named(name)
        (folder / name).unlink()
        if target:
            (folder / name).symlink_to(target)
        else:
            os.mkfifo(folder / name)
        with pytest.raises(RequestError):
            await chosen.survey()
        with pytest.raises(RequestError):
            [piece async for piece in chosen.pieces()]


async def test_what_is_known_of_files_is_not_written_through_a_link(
    folder: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / ".surveys").symlink_to(elsewhere)
    store = FileStore(folder, examine=Examiner())
    await stored(store, "part.gcode")
    assert await text_of(store, "part.gcode") == PART
    assert list(elsewhere.iterdir()) == []


async def test_a_store_whose_folder_can_not_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("a file stands where the folder should")
    store = FileStore(tmp_path / "files")
    with pytest.raises(RequestError, match="the folder of files can't be used"):
        await store.listing()
    with pytest.raises(RequestError, match="the folder of files can't be used"):
        await store.named("part.gcode")

"""A ledger whose file was damaged byte by byte or page by page: nothing false is ever called whole."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.store import database as store
from agent.store.database import reading
from agent.store.store_errors import NotRead
from tests.agent.ledger_bench import fill, opened, verdict_on

ROWS = 40
PAGE = 4096


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    fill(folder, ROWS)
    return folder


def raw(folder: Path) -> list[object]:
    with reading(folder / store.NAME) as connection:
        return connection.execute("SELECT seq, prev_hash, body, hash FROM ledger").fetchall()


@given(data=st.data(), flip=st.integers(1, 255))
def test_a_byte_that_was_changed_is_found_unless_it_changed_no_row(
    original: Path,
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    flip: int,
) -> None:
    folder = tmp_path_factory.mktemp("damaged") / "copy"
    shutil.copytree(original, folder)
    content = bytearray((folder / store.NAME).read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= flip
    (folder / store.NAME).write_bytes(content)
    try:
        if verdict_on(folder).is_whole:
            assert raw(folder) == raw(original)
    except NotRead:
        pass  # nothing was called whole
    finally:
        shutil.rmtree(folder.parent)


def test_whatever_page_is_damaged_the_file_is_put_aside_as_it_was(
    original: Path, tmp_path: Path
) -> None:
    size = (original / store.NAME).stat().st_size
    for page in range(size // PAGE):
        folder = shutil.copytree(original, tmp_path / str(page))
        content = bytearray((folder / store.NAME).read_bytes())
        content[page * PAGE : (page + 1) * PAGE] = b"\xa5" * PAGE
        (folder / store.NAME).write_bytes(content)
        assert asyncio.run(actions_after_a_start(folder)) == ["began"]
        [kept] = (folder / "damaged").glob(f"*/{store.NAME}")
        assert kept.read_bytes() == bytes(content)


async def actions_after_a_start(folder: Path) -> list[str]:
    async with opened(folder) as ledger:
        return [row.entry["action"] for row in await ledger.rows()]

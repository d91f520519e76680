"""The room and the folders that the tests of whole processes share."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.lab.processes import Room, room, short_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of this test alone, with a path short enough for Unix sockets."""
    made = short_folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
async def lab(folder: Path) -> AsyncIterator[Room]:
    """The room of simulators, as a process of its own."""
    async with room(folder / "room") as running:
        yield running

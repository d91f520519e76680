"""The room and the folders that the tests of whole processes share."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from benchmarks.power import NoSuchDisk, Power
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


@pytest.fixture
async def power(folder: Path) -> AsyncIterator[Power]:
    """The power of a disk that is mounted in the folder `state`."""
    (folder / "platter").mkdir()
    (folder / "state").mkdir()
    try:
        async with Power(folder / "platter", folder / "state") as made:
            yield made
    except NoSuchDisk as why:
        pytest.skip(str(why))

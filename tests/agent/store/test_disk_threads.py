"""The threads of the disk: what hangs in them is nobody else's, and who comes too late hears so."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agent.errors import AgentError
from agent.store import disk_threads
from agent.store.disk_threads import MOST_THREADS, MOST_WAITING, DiskBusy, at_disk_thread
from agent.store.files import FileStore
from tests.agent.jobs_bench import toys
from tests.agent.web.test_web_jobs import asked
from tests.agent.web_bench import problem

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


class Disk:
    """Hangs until it is let go; counts what was begun."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.begun = 0

    def look(self) -> str:
        self.begun += 1
        assert self.answers.wait(30)
        return "found"


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    monkeypatch.setattr(disk_threads, "WAITS_S", 60.0)  # on a loaded machine as well
    made = Disk()
    yield made
    made.answers.set()


async def hung(disk: Disk, many: int) -> list[asyncio.Task[str]]:
    """So many who ask the disk for something, each of them waiting by now."""
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(at_disk_thread(disk.look)) for _ in range(many)]
    async with asyncio.timeout(10):
        while disk.begun < min(many, MOST_THREADS):
            await asyncio.sleep(0.001)
    return tasks


async def test_it_does_what_it_is_asked_and_raises_what_that_raises() -> None:
    assert await at_disk_thread("{} {more}".format, "one", more="two") == "one two"
    with pytest.raises(FileNotFoundError):
        await at_disk_thread(Path("/nowhere/at/all").read_text)


async def test_beyond_its_bound_it_refuses_at_once_in_words_and_all_else_that_blocks_goes_on(
    disk: Disk,
) -> None:
    waiting = await hung(disk, MOST_THREADS + MOST_WAITING)
    with pytest.raises(DiskBusy, match="the disk does not answer, and 48 requests wait") as refused:
        await at_disk_thread(disk.look)
    assert isinstance(refused.value, OSError)
    assert isinstance(refused.value, AgentError)
    assert disk.begun == MOST_THREADS
    assert await asyncio.to_thread(lambda: "a name of the network") == "a name of the network"
    disk.answers.set()
    assert await asyncio.gather(*waiting) == ["found"] * (MOST_THREADS + MOST_WAITING)
    assert await at_disk_thread(disk.look) == "found"


async def test_who_waits_for_a_thread_too_long_is_refused_and_nothing_of_it_was_begun(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = await hung(disk, MOST_THREADS)
    monkeypatch.setattr(disk_threads, "WAITS_S", 0.02)
    with pytest.raises(DiskBusy, match="this one was not begun"):
        await at_disk_thread(disk.look)
    disk.answers.set()
    await asyncio.gather(*waiting)
    assert disk.begun == MOST_THREADS


async def test_the_place_of_who_goes_away_is_the_next_ones(disk: Disk) -> None:
    waiting = await hung(disk, MOST_THREADS + MOST_WAITING)
    for gone in (waiting[0], waiting[-1]):  # one of them is at the disk, the other waits
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone
    comes = asyncio.get_running_loop().create_task(at_disk_thread(disk.look))
    await asyncio.sleep(0)
    assert not comes.done()
    disk.answers.set()
    assert await comes == "found"
    await asyncio.gather(*waiting[1:-1])
    assert disk.begun == MOST_THREADS + MOST_WAITING


async def test_over_http_it_is_a_problem_that_says_what_still_works(
    disk: Disk, tmp_path: Path
) -> None:
    async with asked(tmp_path) as (bench, client):
        waiting = await hung(disk, MOST_THREADS + MOST_WAITING)
        for where in ("/recipes", "/files"):
            body = problem(await client.get(where), 500, "not-kept")
            assert "Devices are watched and can be stopped" in body["detail"]
        job = problem(await client.post("/jobs", json={"recipe": "trial"}), 500, "not-kept")
        assert "this one was not begun" in job["detail"]
        assert (await client.get("/devices/psu1")).status_code == 200
        assert (await client.post("/devices/psu1/stop", json={})).status_code == 200
        disk.answers.set()
        await asyncio.gather(*waiting)
        assert (await client.get("/recipes")).status_code == 200
        assert not bench.jobs.listing


async def test_the_store_of_files_refuses_with_its_own_words(disk: Disk, tmp_path: Path) -> None:
    waiting = await hung(disk, MOST_THREADS + MOST_WAITING)
    with pytest.raises(Exception, match="the folder of files can't be used: the disk does not"):
        await FileStore(tmp_path).listing()
    disk.answers.set()
    await asyncio.gather(*waiting)

"""A disk that takes no run folder, or not all of it: what is done then, and what is told."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import pytest

from agent.jobs.job import Job
from agent.jobs.states import JobState
from tests.agent.jobs_bench import LEE, toys
from tests.agent.runs_bench import RunsBench, manifest, runs_in_memory, table, whole

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


class FullDisk:
    """A disk that takes this many more bytes, and then none until a file of this name is removed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        self.room = Path()
        self._write = os.write
        monkeypatch.setattr("agent.store.run_files.os.write", self.write)

    def write(self, descriptor: int, data: Any) -> int:
        if self.left is None or not self.room.exists():
            return self._write(descriptor, data)
        if self.left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = self._write(descriptor, bytes(data)[: self.left])
        self.left -= count
        return count


async def test_a_full_disk_ends_the_job_and_leaves_whole_lines_and_a_manifest_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(monkeypatch)
    async with runs_in_memory(tmp_path) as bench:
        steps = "- record: [supply.temperature]\n  every: 50 ms\n  steps:\n    - wait: 20"
        bench.jobs.write(f"{steps}\n- set: {{supply.voltage: 1}}", tail="finally:\n  - log: last")
        job = await bench.jobs.start()
        await bench.jobs.until_at(job, "steps.0.steps.0")
        disk.room, disk.left = Path(job.folder) / ".room", 10
        await bench.jobs.station.until_event("run.incomplete")
        await bench.jobs.jobs.stop(job.id, LEE)
        folder = await bench.folder(job)
        assert job.state is JobState.STOPPED
        await whole(folder)
        assert manifest(folder)["lost"]["rows"] >= 1
        assert bench.jobs.logged(job) == ["last"]
        for name in ("journal.csv", "events.csv"):
            assert (folder / name).read_bytes().endswith(b"\r\n")


def states(bench: RunsBench, job: Job) -> list[str]:
    """The states of a job in the journal of record."""
    return [it.data["state"] for it in bench.jobs.journal.entries(job.id, "state")]


async def test_a_job_whose_folder_can_not_be_made_fails_before_anything_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with runs_in_memory(tmp_path) as bench:
        bench.shelf.folder.parent.mkdir(exist_ok=True)
        bench.shelf.folder.write_text("a file where the folder belongs")
        bench.jobs.write("- set: {supply.voltage: 1}", tail="finally:\n  - log: last")
        job = await bench.jobs.over(await bench.jobs.start())
        assert job.state is JobState.FAILED
        assert "not recorded: the run folder of job" in job.why
        assert "volt 1" not in bench.jobs.sent()
        assert states(bench, job) == ["running", "failed"]  # each once, in the journal of record
        assert bench.jobs.logged(job) == ["last"]


async def test_a_state_that_a_folder_does_not_take_is_on_record_once_and_the_next_step_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(monkeypatch)
    async with runs_in_memory(tmp_path) as bench:
        bench.jobs.write("- wait: 20\n- log: never", tail="finally:\n  - log: last")
        job = await bench.jobs.start()
        await bench.jobs.until_at(job, "steps.0")
        disk.room, disk.left = Path(job.folder) / ".room", 0
        await bench.jobs.jobs.pause(job.id, LEE)
        await bench.jobs.until_state(job, JobState.PAUSED)
        await bench.jobs.station.until_event("run.incomplete")
        await bench.jobs.jobs.stop(job.id, LEE)
        folder = await bench.folder(job)
        assert states(bench, job) == ["running", "pausing", "paused", "stopping", "stopped"]
        assert manifest(folder)["lost"]["entries"] >= 1


async def test_a_disk_that_hangs_holds_a_step_up_for_a_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from agent.store import run_thread

    monkeypatch.setattr(run_thread, "LATE_S", 0.2)
    goes_on = threading.Event()
    async with runs_in_memory(tmp_path) as bench:
        bench.jobs.write("- wait: 0.1\n- log: never", tail="finally:\n  - log: last")
        job = await bench.jobs.start()
        await bench.jobs.until_at(job, "steps.0")
        bench.records._thread.later(goes_on.wait, "a disk that hangs")
        async with asyncio.timeout(3):
            await bench.jobs.over(job)
        assert job.state is JobState.FAILED
        assert "did not take it within 0.2 s" in job.why
        assert bench.jobs.logged(job) == ["last"]
        goes_on.set()
        await whole(await bench.folder(job))


async def folders(bench: RunsBench) -> list[Path]:
    """All run folders there are."""
    return [it.path for it in await asyncio.to_thread(lambda: list(bench.shelf.all()))]


async def test_a_disk_that_is_slow_to_make_a_folder_makes_one_alone_which_counts_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from agent.jobs.keeping import notes

    monkeypatch.setattr(notes, "LATE_S", 0.05)
    goes_on = threading.Event()
    async with runs_in_memory(tmp_path) as bench:
        bench.records._thread.later(goes_on.wait, "a disk that is slow")
        bench.jobs.write("- log: first")
        job = await bench.jobs.start()
        await bench.jobs.until(lambda: job.progress.now)  # the state was given up, a step waits
        goes_on.set()
        folder = await bench.folder(job)
        assert await folders(bench) == [folder]
        assert (job.state, bench.jobs.logged(job)) == ("done", ["first"])
        await whole(folder)
        assert manifest(folder)["lost"] == {"entries": 1}
        rows = table(folder / "journal.csv")
        assert [row["what (내용)"] for row in rows] == ["step begun", "log", "step ended", "state"]


async def test_a_folder_that_comes_too_late_fails_one_step_and_is_closed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from agent.jobs.runs import run_records
    from agent.store import run_thread

    monkeypatch.setattr(run_thread, "LATE_S", 0.1)
    monkeypatch.setattr(run_records, "LATE_S", 0.0)
    goes_on = threading.Event()
    async with runs_in_memory(tmp_path) as bench:
        bench.records._thread.later(goes_on.wait, "a disk that hangs")
        bench.jobs.write("- log: never", tail="finally:\n  - log: last\n  - log: of all")
        job = await bench.jobs.over(await bench.jobs.start())
        assert job.state is JobState.FAILED
        assert "did not take it within 0.1 s" in job.why
        assert bench.jobs.logged(job) == ["last", "of all"]
        goes_on.set()
        folder = await bench.folder(job)
        assert await folders(bench) == [folder]
        await whole(folder)
        assert manifest(folder)["state"] == "failed"
        assert manifest(folder)["lost"]["entries"] >= 3

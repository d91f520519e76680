"""A disk that hangs: a job comes to its end all the same, and what it has switched on is off soon."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.fleet.samples import Status
from agent.jobs.job import Job
from agent.jobs.keeping import notes
from agent.jobs.keeping.journal import Entry, MemoryJournal
from agent.jobs.states import JobState
from agent.store.store_errors import NotRecorded
from tests.agent.jobs_bench import KIM, VISITOR, JobsBench, jobs_in_memory, toys

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

ENDING = "finally:\n  - set: {supply.output: false}\n  - log: finally\n  - set: {supply.voltage: 0}"
KEPT_WITHIN_S = 0.3


class Disk:
    """Hangs when it is told to: what it is given then it keeps at last, in its order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(notes, "KEPT_WITHIN_S", KEPT_WITHIN_S)
        monkeypatch.setattr(MemoryJournal, "add", self._add)
        self.kept: list[Entry] = []
        self._turns = asyncio.Event()
        self._turns.set()

    async def _add(self, entry: Entry) -> None:
        self.kept.append(entry)  # handed over; it is another question when that is heard of
        await self._turns.wait()

    def hangs(self) -> None:
        """From now on."""
        self._turns.clear()

    def goes_on(self) -> None:
        """It turns again."""
        self._turns.set()

    def steps(self, job: Job) -> list[tuple[str, str]]:
        """The steps of `finally` that it has of a job."""
        its = [it.data for it in self.kept if it.job == job.id and it.kind == "step"]
        return [(it["key"], it["phase"]) for it in its if it["key"].startswith("finally")]

    def states(self, job: Job) -> list[str]:
        """The states that it has of a job."""
        return [it.data["state"] for it in self.kept if it.job == job.id and it.kind == "state"]


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


async def at_its_wait(bench: JobsBench, wait: str) -> Job:
    bench.write(f"- set: {{supply.output: true}}\n- wait: {wait}\n- log: never", tail=ENDING)
    job = await bench.start()
    await bench.until_at(job, "steps.1")
    return job


async def test_a_disk_that_hangs_fails_the_step_and_finally_runs_without_waiting_for_it(
    tmp_path: Path, disk: Disk
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await at_its_wait(bench, "50 ms")
        disk.hangs()
        await bench.over(job)
        assert job.state is JobState.FAILED
        assert f"has not taken what is to be kept of job {job.id} within" in job.why
        assert bench.logged(job) == ["finally"]
        assert bench.sent() == ["outp 1", "outp 0", "volt 0", "outp 0"]
        assert job.safe["psu1"].status is Status.DONE
        assert disk.steps(job) == [
            (f"finally.{number}", phase) for number in range(3) for phase in ("begun", "ended")
        ]
        assert disk.states(job)[-1] == "failed"


async def test_a_stop_while_the_disk_hangs_makes_safe_in_seconds(
    tmp_path: Path, disk: Disk
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await at_its_wait(bench, "9")
        disk.hangs()
        async with asyncio.timeout(notes.LATE_S + 1):  # the state `stopping` is waited for, once
            await bench.jobs.stop(job.id, VISITOR)
            assert bench.station.simulators["psu1"].values["outp"] == 0
            await bench.over(job)
        assert job.state is JobState.STOPPED
        assert bench.logged(job) == ["finally"]
        assert disk.states(job)[-2:] == ["stopping", "stopped"]


async def test_a_disk_that_hangs_for_a_moment_fails_nothing(tmp_path: Path, disk: Disk) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await at_its_wait(bench, "50 ms")
        disk.hangs()
        await bench.until(lambda: disk.kept[-1].data.get("phase") == "ended")
        disk.goes_on()
        assert (await bench.over(job)).state is JobState.DONE


async def test_the_stop_of_a_job_that_waits_is_answered_in_a_second_and_it_never_begins(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "KEPT_WITHIN_S", 600.0)
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.output: true}")
        await bench.jobs.hold_all(KIM)
        job = await bench.start()
        disk.hangs()
        async with asyncio.timeout(10):
            with pytest.raises(NotRecorded, match="is stopped and never begins, but not on record"):
                await bench.jobs.stop(job.id, VISITOR)
        disk.goes_on()
        assert job.state is JobState.STOPPED
        await bench.jobs.release_all(KIM)
        assert bench.sent() == []
        assert disk.states(job) == ["stopped"]

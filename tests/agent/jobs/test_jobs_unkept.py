"""States that the disk did not take at once: kept by the end, or found out at the next start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.jobs.job import Job
from agent.jobs.keeping.ledger_book import LedgerBook
from agent.jobs.states import JobState
from agent.store.store_errors import DiskFull, NotRecorded
from tests.agent.jobs_bench import KIM, VISITOR, JobsBench, toys
from tests.agent.restart_bench import life

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


@contextmanager
def full_disk(door: str = "enter") -> Iterator[None]:
    """Nothing is taken meanwhile, or nothing that comes by this door."""

    async def full(*_: object, **__: object) -> None:
        raise DiskFull("not recorded: the disk is full")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(LedgerBook, door, full)
        yield


async def ended_on_a_full_disk(bench: JobsBench) -> Job:
    """A job whose end the disk does not take."""
    bench.write("- set: {supply.output: true}\n- wait: 0.2")
    job = await bench.start()
    await bench.until_at(job, "steps.1")
    with full_disk():
        await bench.over(job)
    return job


async def test_an_end_that_the_disk_did_not_take_is_kept_when_the_agent_ends(
    tmp_path: Path,
) -> None:
    async with life(tmp_path) as bench:
        job = await ended_on_a_full_disk(bench)
        assert job.state is JobState.FAILED
    async with life(tmp_path) as bench:
        found = bench.jobs.get(job.id)
        assert (found.state, found.why) == (JobState.FAILED, job.why)
        assert "jobs.cut_off" not in {it.kind for it in bench.station.events.kept}


async def test_an_end_that_could_not_be_kept_is_an_end_out_of_order(tmp_path: Path) -> None:
    async with life(tmp_path, cut_off=True) as bench:
        job = await ended_on_a_full_disk(bench)
        await bench.jobs.hold_all(KIM)
        waits = await bench.start()
        with full_disk("add"):
            await bench.jobs.end()
    async with life(tmp_path) as bench:
        assert bench.jobs.get(job.id).state is JobState.INTERRUPTED
        assert bench.jobs.get(waits.id).state is JobState.HELD
        assert "jobs.cut_off" in {it.kind for it in bench.station.events.kept}


async def test_what_runs_by_the_record_when_an_agent_starts_has_been_interrupted(
    tmp_path: Path,
) -> None:
    async with life(tmp_path, cut_off=True) as bench:
        bench.write("- set: {supply.output: true}\n- wait: 9")
        job = await bench.start()
        await bench.until_at(job, "steps.1")
        await bench.jobs._shop.book.enter([], marks={"running": False})
    async with life(tmp_path) as bench:
        found = bench.jobs.get(job.id)
        assert found.state is JobState.INTERRUPTED
        assert "how it ended is not on record" in found.why
        assert "jobs.cut_off" not in {it.kind for it in bench.station.events.kept}


async def test_a_stop_of_a_job_that_waits_is_acknowledged_when_it_is_on_record(
    tmp_path: Path,
) -> None:
    async with life(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}")
        await bench.jobs.hold_all(KIM)
        job = await bench.start()
        with (
            full_disk(),
            pytest.raises(NotRecorded, match="never begins, but not on record yet"),
        ):
            await bench.jobs.stop(job.id, VISITOR)
        assert job.state is JobState.STOPPED
        await bench.jobs.release_all(KIM)
        assert bench.sent() == []
    async with life(tmp_path) as bench:
        assert bench.jobs.get(job.id).state is JobState.STOPPED


async def test_a_pause_and_its_end_are_acknowledged_when_they_are_on_record(tmp_path: Path) -> None:
    async with life(tmp_path) as bench:
        bench.write("- wait: 20")
        job = await bench.start()
        await bench.until_at(job, "steps.0")
        for asked, state in (
            (bench.jobs.pause, JobState.PAUSED),
            (bench.jobs.resume, JobState.RUNNING),
        ):
            with full_disk(), pytest.raises(NotRecorded, match="the disk is full"):
                await asked(job.id, KIM)
            await bench.until_state(
                job, state
            )  # it is done all the same, and kept when there is room
        await bench.jobs.pause(job.id, KIM)
        await bench.until_state(job, JobState.PAUSED)
        await bench.jobs.stop(job.id, KIM)
        states = [
            it["data"]["state"]
            for it in await bench.jobs.log(job.id, 0, 99)
            if it["what"] == "state"
        ]
        assert states[:4] == ["running", "pausing", "paused", "running"]

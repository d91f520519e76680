"""Who has their turn: priorities, copies, times, places in the queue, and the queue as a whole."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.errors import KeyConflict, NotAllowed, NotNow, Refused
from agent.jobs.states import JobState
from tests.agent.jobs_bench import KIM, LEE, VISITOR, jobs_in_memory, toys

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


class WallClock(SystemClock):
    """A clock whose wall time a test sets."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def utc(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))


async def test_the_highest_priority_begins_first_and_equals_in_their_order(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}")
        await bench.jobs.hold_all(KIM)
        low, urgent, plain, also = [
            await bench.jobs.submit("trial", {}, {}, KIM, priority=it) for it in (-1, 10, 0, 0)
        ]
        await bench.jobs.release_all(KIM)
        for job in (low, urgent, plain, also):
            await bench.over(job)
        began = sorted((job.began or 0.0, job.priority) for job in (low, urgent, plain, also))
        assert [priority for _, priority in began] == [10, 0, 0, -1]
        assert (plain.began or 0.0) < (also.began or 0.0)


async def test_copies_are_jobs_of_their_own_one_after_the_other(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}\n- wait: 0.05")
        first = await bench.jobs.submit("trial", {}, {}, KIM, copies=3)
        jobs = bench.jobs.listing
        assert [(it.number, it.copies, it.batch) for it in jobs] == [
            (number, 3, first.id) for number in (1, 2, 3)
        ]
        await bench.jobs.stop(jobs[1].id, VISITOR)
        await bench.over(jobs[2])
        assert [it.state for it in jobs] == ["done", "stopped", "done"]


async def test_a_submission_that_makes_no_sense_is_refused_whole(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- log: x")
        for wrong, said in (
            ({"copies": 0}, "copies: 0 is not a number from 1 to 50"),
            ({"priority": 101}, "priority: 101 is not from -100 to 100"),
            ({"key": "열쇠"}, "is not a text of at most 200 characters"),
        ):
            with pytest.raises(Refused, match=said):
                await bench.jobs.submit("trial", {}, {}, KIM, **wrong)
        await bench.jobs.hold_all(KIM)
        for _ in range(4):
            await bench.jobs.submit("trial", {}, {}, KIM, copies=49)
        with pytest.raises(NotNow, match="196 jobs wait already, of 200"):
            await bench.jobs.submit("trial", {}, {}, KIM, copies=5)
        assert len(bench.jobs.listing) == 196


async def test_a_job_waits_for_its_time_by_the_clock_that_was_handed_in(tmp_path: Path) -> None:
    clock = WallClock()
    async with jobs_in_memory(tmp_path, clock=clock) as bench:
        bench.write("- set: {supply.voltage: 1}")
        later = await bench.jobs.submit("trial", {}, {}, KIM, not_before=clock.now + 3600)
        await bench.over(await bench.start())
        await asyncio.sleep(0.05)
        assert later.state is JobState.QUEUED
        clock.now += 3600
        assert (await bench.over(later)).state is JobState.DONE
        assert later.began == clock.now


async def test_a_held_queue_begins_nothing_and_what_runs_goes_on(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}\n- wait: 0.05")
        runs = await bench.start()
        with pytest.raises(NotAllowed, match="holding the queue"):
            await bench.jobs.hold_all(VISITOR)
        await bench.jobs.hold_all(KIM)
        waits = await bench.start()
        assert (await bench.over(runs)).state is JobState.DONE
        assert waits.state is JobState.QUEUED
        await bench.jobs.release_all(LEE)
        assert (await bench.over(waits)).state is JobState.DONE


async def test_a_job_that_was_moved_has_the_place_that_was_asked_for(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- log: x")
        await bench.jobs.hold_all(KIM)
        high = await bench.jobs.submit("trial", {}, {}, KIM, priority=5)
        one, two = await bench.start(), await bench.start()
        await bench.jobs.move(two.id, "first", KIM)
        assert bench.jobs.queue == (two, high, one)
        await bench.jobs.move(high.id, "last", KIM)
        assert bench.jobs.queue == (two, one, high)
        await bench.jobs.move(high.id, "before", KIM, one.id)
        assert bench.jobs.queue == (two, high, one)
        with pytest.raises(NotNow, match="x does not wait"):
            await bench.jobs.move(high.id, "before", KIM, "x")
        assert bench.jobs.queue == (two, high, one)


async def test_a_job_whose_turn_comes_is_looked_at_again_and_one_that_is_stopped_meanwhile_ends(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}\n- wait: 0.05")
        first, second, third = [await bench.start() for _ in range(3)]
        await bench.over(first)
        await bench.jobs.stop(second.id, VISITOR)
        assert (await bench.over(third)).state is JobState.DONE
        assert second.state is JobState.STOPPED
        assert not bench.station.reservations.holders


async def test_a_key_is_known_in_memory_as_well(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- log: x")
        job = await bench.jobs.submit("trial", {}, {}, KIM, key="k")
        assert await bench.jobs.submit("trial", {}, {}, KIM, key="k") is job
        with pytest.raises(KeyConflict):
            await bench.jobs.submit("trial", {}, {"x": "y"}, KIM, key="k")


async def test_a_defect_in_a_look_at_the_queue_ends_nothing_and_the_next_look_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = WallClock()
    async with jobs_in_memory(tmp_path, clock=clock) as bench:
        bench.write("- set: {supply.voltage: 1}")
        turns, looks = bench.jobs._turns, list[str]()
        look = turns.next

        def failing() -> None:
            looks.append("a look")
            if len(looks) == 1:
                raise RuntimeError("a defect of ours")
            look()

        job = await bench.jobs.submit("trial", {}, {}, KIM, not_before=clock.now + 60)
        monkeypatch.setattr(turns, "next", failing)
        await bench.until(lambda: len(looks) > 1)
        clock.now += 61
        assert (await bench.over(job)).state is JobState.DONE

"""What the next agent knows of jobs, after an end in order and after one that nobody expected."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.errors import KeyConflict, NotNow
from agent.jobs.keeping.book import Key
from agent.jobs.keeping.ledger_book import LedgerBook
from agent.jobs.states import JobState
from agent.jobs.station_recipes import StationRecipes
from agent.store.database import NAME
from agent.store.store_errors import WriteRefused
from tests.agent.jobs_bench import KIM, LEE, VISITOR, JobsBench, pausable_printer, toys
from tests.agent.ledger_bench import opened, verdict_on
from tests.agent.restart_bench import life

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

LONG = "- set: {supply.output: true}\n- measure: {it: {value: supply.voltage, high: 9}}\n- wait: 9"


def rows(folder: Path, job: str = "") -> list[tuple[str, str, str, str]]:
    """Kind, action, reason and actor of the ledger's rows, or of those of a job."""
    query = "SELECT kind, action, reason, actor FROM entries WHERE ? IN ('', job) ORDER BY seq"
    with closing(sqlite3.connect(folder / NAME)) as connection:
        return [(a, b, c or "", d) for a, b, c, d in connection.execute(query, (job,))]


async def test_after_an_end_in_order_the_queue_goes_on_as_it_was(tmp_path: Path) -> None:
    async with life(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}\n- wait: 9", name="long")
        bench.write("- set: {supply.voltage: 2}", name="short")
        long = await bench.start(name="long")
        await bench.until_at(long, "steps.1")
        waits = await bench.start(name="short")
        held = await bench.jobs.submit("short", {}, {}, KIM, held=True)
    async with life(tmp_path) as bench:
        found = {job.id: job for job in bench.jobs.listing}
        assert (await bench.over(found[waits.id])).state is JobState.DONE
        assert found[held.id].state is JobState.HELD
        assert found[held.id].by == KIM
        [interrupted] = [it for it in found.values() if it.recipe == "long"]
        assert (interrupted.state, interrupted.why) == (
            "interrupted",
            "the agent ended while it ran",
        )
        assert ("step", "unknown", "", "lee") in rows(tmp_path, interrupted.id)


async def test_after_a_crash_what_waits_is_held_and_what_ran_is_interrupted(tmp_path: Path) -> None:
    async with life(tmp_path, cut_off=True) as bench:
        bench.write(LONG)
        ran, waits = await bench.start(), await bench.start()
        await bench.until_at(ran, "steps.2")
    async with life(tmp_path) as bench:
        [ran, waits] = bench.jobs.listing
        assert (ran.state, waits.state) == (JobState.INTERRUPTED, JobState.HELD)
        assert "look at the devices, then release it" in waits.why
        assert bench.jobs.tally.ended == {JobState.INTERRUPTED: 1}  # as the metrics have it
        assert [(it.name, it.verdict) for it in ran.measures] == [("it", "pass")]
        assert (ran.progress.begun, ran.progress.ended, ran.verdict) == (3, 2, "pass")
        await asyncio.sleep(0.05)
        assert bench.sent() == []
        assert ("step", "unknown", "", "labkeeper") in rows(tmp_path, ran.id)
        await bench.jobs.stop(waits.id, VISITOR)
    assert (await asyncio.to_thread(verdict_on, tmp_path)).is_whole


async def test_a_crash_is_found_out_once_and_each_job_ends_once(tmp_path: Path) -> None:
    async with life(tmp_path, cut_off=True) as bench:
        bench.write(LONG)
        ran = await bench.start()
        await bench.until_at(ran, "steps.2")
    async with life(tmp_path, cut_off=True):
        pass
    async with life(tmp_path) as bench:
        assert bench.jobs.get(ran.id).state is JobState.INTERRUPTED
        states = [action for kind, action, *_ in rows(tmp_path, ran.id) if kind == "job"]
        assert states.count("interrupted") == 1
    async with life(tmp_path) as bench:
        assert "jobs.cut_off" not in [it.kind for it in bench.station.events.kept]


async def test_what_came_out_of_a_job_is_shown_after_a_restart(tmp_path: Path) -> None:
    async with life(tmp_path) as bench:
        bench.write("- confirm: Ready?\n- measure: {it: {value: supply.voltage, high: -1}}")
        job = await bench.start()
        question = await bench.until_asked()
        await bench.jobs.answer(question.id, True, KIM)
        await bench.over(job)
    async with life(tmp_path) as bench:
        found = bench.jobs.get(job.id)
        assert (found.state, found.verdict, found.ended) == (job.state, "fail", job.ended)
        assert list(found.measures) == list(job.measures)
        assert [(it.question, it.by) for it in found.answers] == [("Ready?", "kim")]
        assert ("job", "answer", "", "kim") in rows(tmp_path, job.id)


async def test_only_the_last_that_have_ended_are_kept(tmp_path: Path) -> None:
    async with life(tmp_path, kept=2) as bench:
        bench.write("- log: x")
        jobs = [await bench.over(await bench.start()) for _ in range(4)]
    async with life(tmp_path, kept=2) as bench:
        assert [it.id for it in bench.jobs.listing] == [it.id for it in jobs[2:]]
        assert (await bench.start()).id.rpartition("-")[2] == "5"


async def test_a_recipe_that_has_changed_is_not_run_in_the_place_of_another(tmp_path: Path) -> None:
    async with life(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}")
        job = await bench.jobs.submit("trial", {}, {}, LEE, held=True)
    async with life(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 8}")
        job = await bench.jobs.release(job.id, KIM)
        assert job.state is JobState.HELD
        assert "trial, or a recipe that it calls, has changed" in job.why
        (tmp_path / "recipes" / "trial.yaml").unlink()
        assert "no recipe is called 'trial'" in (await bench.jobs.release(job.id, KIM)).why
        bench.write("- set: {supply.voltage: 1}")
        await bench.jobs.release(job.id, KIM)
        assert (await bench.over(job)).state is JobState.DONE
        assert bench.sent() == ["volt 1"]
        assert not bench.station.reservations.holders


async def test_a_called_recipe_that_has_changed_holds_the_job_as_well(tmp_path: Path) -> None:
    async with life(tmp_path) as bench:
        bench.write("- log: inner", name="inner")
        bench.write("- call: inner")
        job = await bench.jobs.submit("trial", {}, {}, LEE, held=True)
        bench.write("- log: another", name="inner")
        assert "has changed" in (await bench.jobs.release(job.id, KIM)).why


async def test_the_same_key_gives_the_same_job_also_after_a_restart(tmp_path: Path) -> None:
    async with life(tmp_path, cut_off=True) as bench:
        bench.write("- log: x")
        first, second = await asyncio.gather(*(keyed(bench) for _ in range(2)))
        assert first is second
        with pytest.raises(KeyConflict, match=f"the key k1 belongs to job {first.id}"):
            await keyed(bench, priority=1)
    async with life(tmp_path) as bench:
        (tmp_path / "recipes" / "trial.yaml").unlink()
        assert (await keyed(bench)).id == first.id
        assert len(bench.jobs.listing) == 1
        with pytest.raises(KeyConflict):
            await keyed(bench, copies=2)


async def keyed(bench: JobsBench, **more: Any) -> Any:
    """Submit under one and the same key."""
    return await bench.jobs.submit("trial", {}, {}, LEE, key="k1", **more)


async def test_a_second_job_under_one_key_is_against_the_rules_of_the_table(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        book = LedgerBook(ledger)
        key = Key(key="k", sha256="0" * 64, job="j1")
        await book.enter([], key=key)
        with pytest.raises(WriteRefused, match="UNIQUE"):
            await book.enter([], key=key)


async def test_a_key_whose_job_is_listed_no_longer_begins_no_second_one(tmp_path: Path) -> None:
    async with life(tmp_path, kept=1) as bench:
        bench.write("- log: x")
        await bench.over(await keyed(bench))
        await bench.over(await bench.start())
    async with life(tmp_path, kept=1) as bench:
        with pytest.raises(KeyConflict, match="is listed no longer"):
            await keyed(bench)


async def test_the_whole_queue_stays_held_over_a_restart(tmp_path: Path) -> None:
    async with life(tmp_path) as bench:
        bench.write("- log: x")
        await bench.jobs.hold_all(KIM, "the lab is being cleaned")
        job = await bench.start()
    async with life(tmp_path) as bench:
        held = bench.jobs.held
        assert held is not None
        assert (held.by, held.reason) == ("kim", "the lab is being cleaned")
        assert bench.jobs.get(job.id).state is JobState.QUEUED
        await bench.jobs.release_all(LEE)
        assert (await bench.over(job)).state is JobState.DONE
        assert ("job", "queue", "", "lee") in rows(tmp_path)


async def test_the_place_in_the_queue_is_kept(tmp_path: Path) -> None:
    async with life(tmp_path) as bench:
        bench.write("- log: x")
        await bench.jobs.hold_all(KIM)
        one, two, three = [await bench.start() for _ in range(3)]
        await bench.jobs.move(three.id, "before", KIM, two.id)
    async with life(tmp_path) as bench:
        assert [it.id for it in bench.jobs.queue] == [one.id, three.id, two.id]


async def test_a_plate_that_nobody_has_seen_clear_is_asked_for_after_a_crash(
    tmp_path: Path,
) -> None:
    async with life(tmp_path, pausable_printer(), cut_off=True) as bench:
        (tmp_path / "files" / "part.gcode").write_text("G28\nG1 X1\n")
        bench.write("- print: part.gcode\n  on: printer")
        job = await bench.start()
        await bench.until(lambda: bench.station.simulators["printer1"].values["state"] == 1)
    async with life(tmp_path, pausable_printer()) as bench:
        bench.station.simulators["printer1"].values["ends"] = 1
        job = await bench.start()
        question = await bench.until_asked()
        assert "is the plate clear?" in question.en
        await bench.jobs.answer(question.id, True, KIM)
        assert (await bench.over(job)).state is JobState.DONE


async def test_of_a_disk_that_takes_nothing_no_job_begins_and_a_stop_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with life(tmp_path) as bench:
        bench.write(LONG)
        job = await bench.start()
        await bench.until_at(job, "steps.2")

        async def full(*_: object, **__: object) -> None:
            raise WriteRefused("not recorded: the disk is full")

        monkeypatch.setattr(LedgerBook, "enter", full)
        with pytest.raises(WriteRefused):
            await bench.start()
        assert len(bench.jobs.listing) == 1
        await bench.jobs.stop(job.id, VISITOR)
        assert bench.station.simulators["psu1"].values["outp"] == 0
        assert (await bench.over(job)).state is JobState.STOPPED
        with pytest.raises(NotNow):
            await bench.jobs.pause(job.id, KIM)
        monkeypatch.undo()


async def test_a_stop_of_a_device_while_its_job_is_looked_at_again_keeps_it_from_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with life(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}")
        job = await bench.jobs.submit("trial", {}, {}, LEE, held=True)
        usual = StationRecipes.library

        async def slow(recipes: StationRecipes) -> Any:
            await bench.station.station.gate.stop(VISITOR, "psu1")
            return await usual(recipes)

        with monkeypatch.context() as patched:
            patched.setattr(StationRecipes, "library", slow)
            await bench.jobs.release(job.id, KIM)
            await bench.until(lambda: not bench.station.reservations.holders)
        assert job.state is JobState.HELD
        assert "psu1 was stopped by visitor (api) as it was about to begin" in job.why
        assert "volt 1" not in bench.sent()

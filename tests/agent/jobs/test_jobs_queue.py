"""Submission, the queue, pause and resume, and that a device belongs to one job at a time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.errors import ConfigError, NoSuchThing, NotAllowed, NotNow, Refused
from agent.fleet.samples import Cause
from agent.jobs.states import JobState
from tests.agent.bench import named
from tests.agent.jobs_bench import KIM, LEE, VISITOR, jobs_in_memory, pausable_printer, toys

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


async def test_what_is_wrong_is_refused_before_anything_moves(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        head = "parameters: {level: {type: number, unit: V, low: 0, high: 8}}\n"
        bench.write("- set: {supply.voltage: =level}", head=head)
        bench.write("- set: {supply.voltage: 99}", name="wrong")
        with pytest.raises(NoSuchThing, match="no recipe is called 'trail'"):
            await bench.start(name="trail")
        with pytest.raises(Refused, match="level is missing"):
            await bench.start()
        with pytest.raises(Refused, match="9 V is above 8 V"):
            await bench.start(level=9)
        with pytest.raises(ConfigError, match=r"wrong\.yaml:6"):
            await bench.start(name="wrong")
        assert bench.jobs.listing == ()
        assert bench.sent() == []


async def test_who_starts_a_job_must_be_allowed_what_its_steps_do(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.current_limit: 1}")
        with pytest.raises(NotAllowed, match=r"set supply.current_limit \(.*trial.yaml:6\)"):
            await bench.start(KIM)
        bench.write("- log: hello", name="hello")
        with pytest.raises(NotAllowed, match="needs the role technician"):
            await bench.start(VISITOR, name="hello")
        assert (await bench.over(await bench.start(LEE))).state is JobState.DONE


async def test_jobs_of_one_device_run_one_after_the_other_and_others_beside_them(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}\n- wait: 0.2")
        bench.write("- set: {other.voltage: 1}\n- wait: 0.2", name="beside")
        first, second = await bench.start(), await bench.start()
        beside = await bench.start(name="beside")
        assert [it.state for it in (first, second, beside)] == [
            JobState.RUNNING,
            JobState.QUEUED,
            JobState.RUNNING,
        ]
        await bench.over(second)
        assert first.ended is not None
        assert second.began is not None
        assert second.began >= first.ended


async def test_a_job_that_needs_two_devices_is_not_overtaken_for_ever(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}\n- wait: 0.2", name="one")
        bench.write("- set: {supply.voltage: 1, other.voltage: 1}", name="both")
        bench.write("- set: {other.voltage: 1}", name="other")
        one, both = await bench.start(name="one"), await bench.start(name="both")
        other = await bench.start(name="other")
        assert other.state is JobState.QUEUED
        await bench.over(other)
        assert one.began is not None
        assert both.began is not None
        assert other.began is not None
        assert one.began < both.began <= other.began


async def test_a_held_job_lets_others_pass_and_begins_when_it_is_released(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}")
        held = await bench.jobs.submit("trial", {}, {}, KIM, held=True)
        await bench.over(await bench.start())
        assert held.state is JobState.HELD
        await bench.jobs.release(held.id, KIM)
        assert (await bench.over(held)).state is JobState.DONE


async def test_a_job_that_waits_can_be_held_and_stopped_and_nothing_of_it_moves(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}\n- wait: 0.3")
        first, second = await bench.start(), await bench.start()
        await bench.jobs.hold(second.id, KIM)
        assert second.state is JobState.HELD
        await bench.jobs.stop(second.id, VISITOR)
        assert second.why == "stopped by visitor (api) before it began"
        await bench.over(first)
        assert bench.sent() == ["volt 1"]


async def test_nobody_else_may_set_a_device_of_a_running_job_and_it_is_said_whose_it_is(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}\n- wait: 0.2")
        job = await bench.start(KIM)
        gate = bench.station.station.gate
        refused = await gate.set(LEE, "psu1", "voltage", 9)
        assert refused.cause is Cause.RESERVED
        assert f"reserved by the job {job.id} (trial, started by kim)" in refused.message
        await bench.over(job)
        assert (await gate.set(LEE, "psu1", "voltage", 9)).cause is None


async def test_a_device_can_be_chosen_for_a_role(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}")
        job = await bench.over(await bench.jobs.submit("trial", {}, {"supply": "psu2"}, KIM))
        assert job.devices == {"supply": "psu2"}
        assert job.claimed == {"psu2"}
        assert (bench.sent("psu1"), bench.sent("psu2")) == ([], ["volt 1"])


async def test_a_pause_in_a_wait_keeps_what_was_waited(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- wait: 0.4\n- log: after")
        job = await bench.start()
        await bench.until_at(job, "steps.0")
        await bench.jobs.pause(job.id, KIM)
        await bench.until_state(job, JobState.PAUSED)
        await asyncio.sleep(0.5)
        [now] = job.progress.now
        assert now.left is not None
        assert 0.2 < now.left <= 0.4
        assert bench.logged(job) == []
        await bench.jobs.resume(job.id, KIM)
        assert (await bench.over(job)).state is JobState.DONE
        assert bench.logged(job) == ["after"]


async def test_a_pause_waits_for_the_end_of_a_command_and_no_step_follows_it(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- do: supply.ramp\n  with: {to: 3, seconds: 0.2}\n- set: {supply.voltage: 4}")
        job = await bench.start()
        await bench.until_at(job, "steps.0")
        await bench.jobs.pause(job.id, KIM)
        assert job.state is JobState.PAUSING
        await bench.until_state(job, JobState.PAUSED)
        assert bench.sent() == ["volt 3"]
        await bench.jobs.resume(job.id, KIM)
        await bench.over(job)
        assert bench.sent() == ["volt 3", "volt 4"]


async def test_a_job_is_paused_when_all_its_branches_rest(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("""
            - parallel:
                quick:
                  - wait: 0.1
                slow:
                  - do: supply.ramp
                    with: {to: 3, seconds: 0.4}
                  - log: slow
            - log: after
            """)
        job = await bench.start()
        await bench.until(lambda: len(job.progress.now) == 3)
        await bench.jobs.pause(job.id, KIM)
        await asyncio.sleep(0.2)
        assert job.state is JobState.PAUSING
        await bench.until_state(job, JobState.PAUSED)
        assert bench.logged(job) == []
        await bench.jobs.resume(job.id, KIM)
        await bench.over(job)
        assert bench.logged(job) == ["slow", "after"]


async def test_a_print_is_paused_by_the_printers_own_command(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path, pausable_printer()) as bench:
        (tmp_path / "files" / "part.gcode").write_text("G28\nG1 X1\n")
        bench.write("- print: part.gcode\n  on: printer")
        printer = bench.station.simulators["printer1"].values
        job = await bench.start()
        await bench.until(lambda: printer["state"] == 1)
        await bench.until(lambda: job.progress.now[0].left == 68)
        await bench.jobs.pause(job.id, KIM)
        await bench.until_state(job, JobState.PAUSED)
        assert printer["state"] == 2
        await bench.jobs.resume(job.id, KIM)
        await bench.until(lambda: printer["state"] == 1)
        printer["ends"] = 1
        assert (await bench.over(job)).state is JobState.DONE


async def test_the_next_print_waits_until_a_person_has_seen_that_the_plate_is_clear(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path, pausable_printer()) as bench:
        (tmp_path / "files" / "part.gcode").write_text("G28\nG1 X1\n")
        bench.write("- print: part.gcode\n  on: printer")
        bench.station.simulators["printer1"].values["ends"] = 1
        assert (await bench.over(await bench.start())).state is JobState.DONE
        second = await bench.start()
        question = await bench.until_asked()
        assert "is the plate clear?" in question.en
        await bench.jobs.answer(question.id, True, KIM)
        assert (await bench.over(second)).state is JobState.DONE


async def test_a_paused_job_can_be_stopped(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- wait: 5", tail="finally:\n  - log: finally")
        job = await bench.start()
        await bench.jobs.pause(job.id, KIM)
        await bench.until_state(job, JobState.PAUSED)
        await bench.jobs.stop(job.id, VISITOR)
        assert (await bench.over(job)).state is JobState.STOPPED


async def test_a_branch_that_fails_ends_a_pause_so_that_the_devices_are_made_safe(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write(
            """
            - parallel:
                rests:
                  - set: {supply.output: true}
                  - wait: 5
                fails:
                  - do: other.ramp
                    with: {to: 15, seconds: 0.2}
                  - set: {supply.voltage: 1}
            """.replace("supply.voltage: 1", "other.voltage: =other.temperature * 1")
        )
        job = await bench.start()
        await bench.until(lambda: len(job.progress.now) == 3)
        bench.station.simulators["psu2"].silent = True
        await bench.jobs.pause(job.id, KIM)
        await bench.over(job)
        assert job.state is JobState.FAILED
        assert bench.station.simulators["psu1"].values["outp"] == 0


async def test_what_can_not_be_done_now_is_refused_in_words(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("- log: x")
        with pytest.raises(NotNow, match="is done already"):
            await bench.jobs.stop(job.id, KIM)
        with pytest.raises(NotNow, match=r"pausing job .* is not possible: it is done"):
            await bench.jobs.pause(job.id, KIM)
        with pytest.raises(NoSuchThing, match="there is no job x"):
            await bench.jobs.stop("x", KIM)
        with pytest.raises(NoSuchThing, match="no question x waits"):
            await bench.jobs.answer("x", True, KIM)
        with pytest.raises(NotAllowed, match="pausing job"):
            await bench.jobs.pause(job.id, VISITOR)


async def test_the_journal_has_what_was_asked_for_each_step_and_the_end(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path, named("psu1"), named("psu2")) as bench:
        job = await bench.ran("- set: {supply.voltage: 1}\n- fail: enough")
        kinds = [(it.kind, it.data.get("phase", "")) for it in bench.journal.entries(job.id)]
        assert kinds == [
            ("submitted", ""),
            ("state", ""),
            ("step", "begun"),
            ("step", "ended"),
            ("step", "begun"),
            ("step", "failed"),
            ("safe", ""),
            ("state", ""),
        ]
        assert bench.journal.entries(job.id, "submitted")[0].data["by"] == "lee"
        assert bench.journal.entries(job.id)[-1].data["state"] == "failed"

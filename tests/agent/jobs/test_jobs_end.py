"""How a job ends: stop in every kind of step, failure, finally in any case, and devices made safe."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.fleet.samples import Sample, Status
from agent.jobs.job import Job
from agent.jobs.running.hands import StationHands
from agent.jobs.states import JobState
from tests.agent.bench import PLAN, named
from tests.agent.jobs_bench import LEE, VISITOR, JobsBench, jobs_in_memory, pausable_printer, toys

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

ENDING = """
on_stop:
  - log: on_stop
finally:
  - log: finally
"""
STEPS = {
    "wait": "- wait: 5",
    "until": "- wait: {until: supply.temperature > 99, within: 5}",
    "do": "- do: supply.ramp\n  with: {to: 3, seconds: 4}",
    "ramp": "- ramp: supply.voltage\n  to: 10\n  rate: 1 V/s\n  every: 50 ms",
    "confirm": "- confirm: Ready?",
    "input": "- input: How many?\n  as: many\n  value: {type: integer}\n- log: '{many}'",
    "repeat": "- repeat: {times: 1000000, as: n}\n  steps:\n    - measure: {v: {value: =n}}".replace(
        "=n", "n"
    ),
    "if": "- if: supply.temperature > 0\n  then:\n    - wait: 5",
    "parallel": "- parallel:\n    a:\n      - wait: 5\n    b:\n      - do: supply.ramp\n"
    "        with: {to: 3, seconds: 4}",
    "record": "- record: [supply.temperature]\n  every: 50 ms\n  steps:\n    - wait: 5",
    "call": "- call: inner",
}


@pytest.mark.parametrize("kind", STEPS)
async def test_a_stop_ends_every_kind_of_step_at_once_and_the_next_never_begins(
    tmp_path: Path, kind: str
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- wait: 5", name="inner")
        first = "- set: {supply.output: true}\n"
        bench.write(f"{first}{STEPS[kind]}\n- log: never", tail=ENDING)
        job = await bench.start()
        await bench.until_at(job, "steps.1")
        await asyncio.sleep(0.05)
        async with asyncio.timeout(2):
            await bench.jobs.stop(job.id, VISITOR)
        assert bench.station.simulators["psu1"].values["outp"] == 0
        await bench.over(job)
        assert (job.state, job.why) == (JobState.STOPPED, "stopped by visitor (api)")
        assert bench.logged(job) == ["on_stop", "finally"]
        assert job.safe["psu1"].status is Status.DONE
        assert "volt 3" not in bench.sent()
        assert not bench.station.reservations.holders
        assert bench.jobs.questions == ()


async def test_a_stop_during_a_print_ends_the_print(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path, pausable_printer()) as bench:
        (tmp_path / "files" / "part.gcode").write_text("G28\nG1 X1\n")
        bench.write("- print: part.gcode\n  on: printer\n- log: never", tail=ENDING)
        job = await bench.start()
        await bench.until(lambda: bench.station.simulators["printer1"].values["state"] == 1)
        await bench.jobs.stop(job.id, VISITOR)
        assert bench.station.simulators["printer1"].values["state"] == 0
        assert (await bench.over(job)).state is JobState.STOPPED
        assert bench.logged(job) == ["on_stop", "finally"]


async def test_devices_are_stopped_before_on_stop_and_made_safe_again_after_finally(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write(
            "- wait: 5",
            tail="on_stop:\n  - set: {supply.voltage: 1}\nfinally:\n  - set: {supply.output: true}",
        )
        job = await bench.start()
        await bench.until_at(job, "steps.0")
        await bench.jobs.stop(job.id, VISITOR)
        await bench.over(job)
        assert bench.sent() == ["outp 0", "volt 1", "outp 1", "outp 0"]


async def test_a_stop_of_a_device_by_a_person_stops_its_job_and_all_its_devices(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write(
            "- set: {supply.output: true, other.output: true}\n- wait: 5\n- log: never", tail=ENDING
        )
        job = await bench.start()
        await bench.until_at(job, "steps.1")
        assert (await bench.station.station.gate.stop(VISITOR, "psu1")).status is Status.DONE
        await bench.over(job)
        assert (job.state, job.why) == (
            JobState.STOPPED,
            "psu1 was stopped by visitor (api)",
        )
        assert bench.station.simulators["psu2"].values["outp"] == 0
        assert bench.logged(job) == ["on_stop", "finally"]


async def test_a_job_whose_step_ends_well_in_the_moment_of_the_stop_does_not_go_on(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- repeat: {times: 1000, as: n}\n  steps:\n    - set: {supply.voltage: 1}")
        for pause in range(12):
            job = await bench.start()
            await bench.until_at(job, "steps.0.steps.0")
            await asyncio.sleep(pause * 0.0007)
            await bench.station.station.gate.stop(VISITOR, "psu1")
            await bench.over(job)
            assert job.state is JobState.STOPPED
            assert bench.sent()[-1] == "outp 0"


async def test_a_failing_step_runs_finally_and_makes_the_devices_safe(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("- set: {supply.output: true}\n- fail: enough", tail=ENDING)
        assert job.state is JobState.FAILED
        assert bench.logged(job) == ["finally"]
        assert job.safe["psu1"].status is Status.DONE


async def test_finally_runs_at_a_good_end_and_nothing_is_made_safe(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("- set: {supply.output: true}", tail=ENDING)
        assert job.state is JobState.DONE
        assert bench.logged(job) == ["finally"]
        assert bench.sent() == ["outp 1"]


async def test_a_finally_that_fails_fails_the_job_and_makes_its_devices_safe(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran(
            "- set: {supply.output: true}", tail="finally:\n  - fail: can not tidy up"
        )
        assert job.state is JobState.FAILED
        assert job.why.endswith("fail: can not tidy up")
        assert bench.sent() == ["outp 1", "outp 0"]


async def test_a_stop_during_finally_cuts_it_and_still_makes_safe(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write(
            "- set: {supply.output: true}",
            tail="finally:\n  - log: begun\n  - wait: 5\n  - log: never",
        )
        job = await bench.start()
        await bench.until_at(job, "finally.1")
        await bench.jobs.stop(job.id, VISITOR)
        await bench.over(job)
        assert job.state is JobState.STOPPED
        assert bench.logged(job) == ["begun"]
        assert job.safe["psu1"].status is Status.DONE
        assert bench.station.simulators["psu1"].values["outp"] == 0


async def test_a_second_stop_cuts_on_stop_and_finally_still_runs(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- wait: 5", tail="on_stop:\n  - wait: 5\nfinally:\n  - log: finally")
        job = await bench.start()
        await bench.until_at(job, "steps.0")
        await bench.jobs.stop(job.id, VISITOR)
        await bench.until_at(job, "on_stop.0")
        await bench.jobs.stop(job.id, VISITOR)
        await bench.over(job)
        assert (job.state, bench.logged(job)) == (JobState.STOPPED, ["finally"])


async def test_a_stop_inside_a_called_recipe_runs_its_on_stop_and_finally_first(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        inner = "on_stop:\n  - log: inner on_stop\nfinally:\n  - log: inner finally"
        bench.write("- wait: 5", name="inner", tail=inner)
        bench.write("- call: inner", tail=ENDING)
        job = await bench.start()
        await bench.until_at(job, "steps.0")
        await bench.until(lambda: len(job.progress.now) == 2)
        await bench.jobs.stop(job.id, VISITOR)
        await bench.over(job)
        assert bench.logged(job) == ["inner on_stop", "on_stop", "inner finally", "finally"]


async def test_a_device_that_is_not_confirmed_safe_is_named(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.output: true}\n- wait: 5")
        job = await bench.start()
        await bench.until_at(job, "steps.1")
        bench.station.simulators["psu1"].unplugged = True
        await bench.jobs.stop(job.id, VISITOR)
        await bench.over(job)
        assert job.state is JobState.STOPPED
        assert job.safe["psu1"].status is not Status.DONE
        assert "not confirmed safe: psu1" in await bench.station.until_event("job.unsafe")


async def test_a_defect_ends_its_job_as_failed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with jobs_in_memory(tmp_path) as bench:

        def broken(device: str, name: str) -> Sample | None:
            raise RuntimeError("a defect")

        bench.write("- set: {supply.output: true}\n- if: supply.output\n  then:\n    - log: x")
        job = await _with_broken_board(bench, broken, monkeypatch)
        assert job.state is JobState.FAILED
        assert "a defect of the agent" in job.why
        assert job.safe["psu1"].status is Status.DONE
        assert (await bench.ran("- log: fine")).state is JobState.DONE


async def _with_broken_board(
    bench: JobsBench, broken: Callable[[str, str], Sample | None], monkeypatch: pytest.MonkeyPatch
) -> Job:
    with monkeypatch.context() as patched:
        patched.setattr(StationHands, "latest", lambda _, device, name: broken(device, name))
        return await bench.over(await bench.start())


async def test_the_end_of_the_agent_interrupts_a_job_and_nothing_of_it_goes_on(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path, PLAN, named("psu2")) as bench:
        bench.write("- wait: 5\n- set: {supply.voltage: 5}", tail=ENDING)
        job = await bench.start(LEE)
        await bench.until_at(job, "steps.0")
        await bench.jobs.end()
        assert (job.state, bench.logged(job), bench.sent()) == (JobState.INTERRUPTED, [], [])


async def test_nothing_is_asked_of_a_device_between_the_stop_and_what_follows_it(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.output: true}\n- wait: 5")
        job = await bench.start(LEE)
        await bench.until_at(job, "steps.1")
        run = bench.jobs._kept[job.id].run
        assert run is not None
        run.stop(VISITOR)
        for late in (
            run._means.hands.set("psu1", "voltage", 9),
            run._means.hands.do("psu1", "ramp", {"to": 9, "seconds": 0}),
        ):
            outcome = await late
            assert outcome.status is Status.REFUSED
            assert "the job is being stopped" in outcome.message
        await bench.over(job)
        assert bench.sent() == ["outp 1", "outp 0", "outp 0"]


async def test_a_stop_in_a_pause_before_the_finally_does_not_keep_it_from_running(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write(
            "- set: {supply.output: true}\n- do: supply.ramp\n  with: {to: 3, seconds: 0.2}",
            tail="finally:\n  - log: finally",
        )
        job = await bench.start()
        await bench.until_at(job, "steps.1")
        await bench.jobs.pause(job.id, LEE)
        await bench.until_state(job, JobState.PAUSED)
        assert job.progress.ended == 2, "nothing but the finally is left"
        await bench.jobs.stop(job.id, LEE)
        assert (await bench.over(job)).state is JobState.STOPPED
        assert bench.logged(job) == ["finally"]

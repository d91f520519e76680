"""Recipes in Python as jobs: every call passes where a step passes, and the end is the same."""

from __future__ import annotations

import asyncio
import logging
import sys
from dataclasses import replace
from hashlib import sha256
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from agent.errors import Refused
from agent.jobs.recipes import python_recipe
from agent.jobs.states import JobState
from tests.agent import python_recipes
from tests.agent.jobs_bench import KIM, LEE, jobs_in_memory, pausable_printer, toys
from tests.agent.python_recipes import HERE, RECIPES
from tests.agent.runs_bench import manifest, runs_in_memory

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


def line_of(text: str) -> int:
    """The first line of the recipes' file with this text."""
    return HERE.read_text().split("\n").index(text) + 1


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a distribution with these recipes were installed."""
    points = [EntryPoint(name, f"a_plugin:{name}", python_recipe.GROUP) for name in RECIPES]
    monkeypatch.setattr(python_recipe, "entry_points", lambda group: points)
    monkeypatch.setitem(sys.modules, "a_plugin", python_recipes)


async def test_every_call_does_what_the_step_of_a_file_does(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        level = "parameters: {level: {type: number, unit: V}}\n"
        bench.write("- set: {supply.voltage: =level}", name="inner", head=level)
        job = await bench.start(name="whole")
        question = await bench.until_asked()
        assert (question.en, bench.jobs.questions[0].kind) == ("How thick?", "input")
        with pytest.raises(Refused, match="9 is above 5"):
            await bench.jobs.answer(question.id, 9.0, KIM)
        await bench.jobs.answer(question.id, 2.5, KIM)
        await bench.until(lambda: bench.jobs.questions)
        sure = bench.jobs.questions[0]
        assert sure.en == "Sure {really}?"
        await bench.jobs.answer(sure.id, False, KIM)
        await bench.over(job)
        assert (job.state, job.why, job.verdict) == (JobState.DONE, "", "fail")
        assert [(it.name, it.value, it.unit, it.verdict) for it in job.measures] == [
            ("reached", 3.0, "V", "pass"),
            ("too_much", 3.0, "V", "fail"),
        ]
        assert bench.logged(job) == ["passed False, 2.5, False, =not {an} expression"]
        assert bench.sent() == ["volt 3", "outp 1", "volt 1.5"]
        assert bench.journal.entries(job.id, "row")
        assert job.sha256
        assert job.arguments == {"level": 3.0}


async def test_each_call_is_a_step_with_the_line_from_which_it_was_called(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.start(name="patient")
        await bench.until(lambda: len(job.progress.now) == 2 and job.progress.now[1].left)
        outer, now = job.progress.now
        assert now.place == f"{HERE}:{line_of('        await job.wait(60)')}"
        assert now.titles == {"ko": "wait 60 s", "en": "wait 60 s"}
        assert outer.key == "steps.0"
        await bench.jobs.stop(job.id, KIM)
        await bench.over(job)
        entries = bench.journal.entries(job.id, "step")
        assert {it.data["place"].partition(":")[0] for it in entries} == {str(HERE)}


async def test_after_a_stop_its_own_finally_may_set_what_the_stop_has_left(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.start(name="patient")
        await bench.until(lambda: job.progress.now and job.progress.now[-1].left)
        await bench.jobs.stop(job.id, KIM)
        await bench.over(job)
        assert (job.state, job.why) == (JobState.STOPPED, "stopped by kim (cli)")
        assert bench.logged(job) == ["cleaned up"]
        sent = bench.sent()
        assert sent[0] == "outp 1"
        assert sent.index("volt 1") > sent.index("outp 0")  # first the device is stopped
        assert sent[-1] == "outp 0"
        assert job.safe["psu1"].status == "done"


async def test_a_mistake_in_it_fails_the_job_with_its_line_and_the_log_has_the_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        with caplog.at_level(logging.ERROR):
            job = await bench.over(await bench.start(name="breaks"))
        line = line_of('    NOTHING["no such key"]')
        assert job.state is JobState.FAILED
        assert job.why == f"{HERE}:{line}: KeyError: 'no such key'"
        assert bench.sent()[-1] == "outp 0"
        assert "Traceback" in caplog.text


async def test_a_refusal_that_it_does_not_expect_fails_the_job_as_that_of_a_step_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.over(await bench.start(name="refused"))
        line = line_of('    """What a device does not take."""') + 1
        assert job.why.startswith(f"{HERE}:{line}: set: psu1.voltage: 500 V is above")
        assert not bench.sent() or bench.sent()[0] == "outp 0"
        assert "Traceback" not in caplog.text


async def test_it_may_expect_a_refusal_and_a_time_limit_of_its_own(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.over(await bench.start(name="prepared"))
        assert (job.state, job.why) == (JobState.DONE, "")
        assert bench.logged(job) == ["Refused", "it took too long"]


async def test_it_rests_while_the_job_is_paused(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.start(name="side_by_side")
        await bench.until(lambda: job.progress.now)
        await bench.jobs.pause(job.id, KIM)
        await bench.until_state(job, JobState.PAUSED)
        await bench.jobs.resume(job.id, KIM)
        await bench.over(job)
        assert (job.state, job.why) == (JobState.DONE, "")
        assert bench.sent("psu2") == ["volt 2"]
        assert bench.sent()[-1] == "volt 0.2"


async def test_what_does_not_want_to_end_commands_nothing_after_the_end_of_its_job(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.start(name="stubborn")
        await bench.until(lambda: len(bench.sent()) > 2)
        await bench.jobs.stop(job.id, KIM)
        count = len(bench.sent())
        await bench.until(lambda: len(bench.sent()) > count + 2)  # its end is its own affair …
        await bench.jobs.stop(job.id, KIM)  # … until somebody has had enough
        await bench.over(job)
        assert job.state is JobState.STOPPED
        after = list(bench.sent())
        for _ in range(20):
            await asyncio.sleep(0)
        assert bench.sent() == after
        assert after[-1] == "outp 0"
        assert not bench.station.reservations.holders
        names = [task.get_name() for task in asyncio.all_tasks()]
        assert not [name for name in names if name.endswith(".stubborn")]


async def test_a_recipe_that_blocks_the_loop_is_named_with_its_line(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.over(await bench.start(name="blocking"))
        assert job.state is JobState.DONE
        [warning] = job.log
        line = line_of("    while time.perf_counter() < began + 0.3:") + 2
        assert warning.level == "warning"
        assert warning.en.startswith(f"{HERE}:{line}: has kept the agent from everything else for")


async def test_files_call_it_and_it_calls_files_with_the_devices_of_the_job(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {other.voltage: 1}", name="foreign")
        bench.write("- set: {supply.output: true}\n- call: patient\n- log: never", name="outer")
        job = await bench.start(name="outer")
        await bench.until(lambda: job.progress.now and job.progress.now[-1].left)
        await bench.jobs.stop(job.id, KIM)
        await bench.over(job)
        assert bench.logged(job) == ["cleaned up"]
        greedy_one = await bench.over(await bench.start(name="greedy"))
        assert "foreign needs psu2, which this job has not: give it a role" in greedy_one.why
        assert bench.sent("psu2") == []


async def test_a_circle_of_calls_through_python_ends_the_job(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.output: true}\n- call: round_and_round", name="calls_back")
        job = await bench.over(await bench.start(name="round_and_round"))
        assert "calls_back runs already: it can't be called by what it has called" in job.why


async def test_the_end_of_the_agent_ends_it(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.start(name="patient", actor=LEE)
        await bench.until(lambda: job.progress.now and job.progress.now[-1].left)
        await bench.jobs.end()
        assert job.state is JobState.INTERRUPTED
        assert bench.logged(job) == []
    names = [task.get_name() for task in asyncio.all_tasks()]
    assert not [name for name in names if name.endswith(".patient")]


async def test_a_recipe_that_fails_has_ended_when_the_function_goes_on(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        never = "- wait: {until: supply.voltage > 7, within: 0.01}"
        bench.write(never, name="innermost", tail="finally:\n  - set: {supply.voltage: 1}")
        inner = "- call: innermost\n  devices: {supply: supply}"
        bench.write(inner, name="inner", tail="finally:\n  - set: {supply.voltage: 2}")
        job = await bench.over(await bench.start(name="undeterred"))
        assert job.state is JobState.DONE
        assert len(bench.logged(job)) == 2
        assert all("did not hold within" in line for line in bench.logged(job))
        assert bench.sent() == ["volt 1", "volt 2", "volt 3"] * 2


async def test_a_called_function_that_has_changed_is_not_run_in_the_place_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- call: prepared")
        job = await bench.jobs.submit("trial", {}, {}, LEE, held=True)
        assert job.called == {"prepared": python_recipes.prepared.sha256}
        another = replace(python_recipes.prepared, source=b"# as the next agent finds it")
        monkeypatch.setattr(python_recipes, "prepared", another)
        await bench.jobs.release(job.id, KIM)
        await bench.until_state(job, JobState.HELD)
        assert "has changed since the job was submitted" in job.why
        assert bench.sent() == []


async def test_the_folder_of_a_run_has_the_function_as_it_was_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = b"# as it was when it was imported; the file has changed since"
    before = replace(python_recipes.side_by_side, source=imported)
    monkeypatch.setattr(python_recipes, "side_by_side", before)
    async with runs_in_memory(tmp_path) as bench:
        folder = await bench.folder(await bench.jobs.start(name="side_by_side"))
        kept = (folder / "recipe.py").read_bytes()
        assert kept == imported
        assert manifest(folder)["recipe"]["sha256"] == sha256(imported).hexdigest()


async def test_a_function_prints_by_the_step_that_asks_for_the_plate_alone(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path, pausable_printer()) as bench:
        (tmp_path / "files" / "part.gcode").write_text("G28\nG1 X1\n")
        job = await bench.over(await bench.start(name="heedless"))
        assert job.state is JobState.FAILED
        assert "use `printer.print(file)`" in job.why
        assert bench.station.simulators["printer1"].values["state"] == 0


async def test_what_a_function_calls_is_known_and_kept_also_through_others(tmp_path: Path) -> None:
    async with runs_in_memory(tmp_path) as bench:
        bench.jobs.write("- set: {supply.voltage: 1}", name="inner")
        bench.jobs.write("- call: inner\n- set: {supply.voltage: 2}", name="outer")
        job = await bench.jobs.start(name="caller")
        folder = await bench.folder(job)
        recipes = {
            it: (tmp_path / "recipes" / f"{it}.yaml").read_bytes() for it in ("inner", "outer")
        }
        assert job.called == {it: sha256(raw).hexdigest() for it, raw in recipes.items()}
        told = {it["name"]: it for it in manifest(folder)["called"]}
        assert {name: it["sha256"] for name, it in told.items()} == job.called
        assert {(folder / it["file"]).read_bytes() for it in told.values()} == {*recipes.values()}


async def test_a_recipe_that_a_function_calls_may_not_change_while_it_waits(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}", name="inner")
        bench.write("- call: inner\n- set: {supply.voltage: 2}", name="outer")
        job = await bench.jobs.submit("caller", {}, {}, LEE, held=True)
        bench.write("- set: {supply.voltage: 3}", name="inner")
        await bench.jobs.release(job.id, KIM)
        await bench.until_state(job, JobState.HELD)
        assert "caller, or a recipe that it calls, has changed since" in job.why
        assert bench.sent() == []


async def test_a_function_calls_nothing_that_is_not_on_record_with_its_job(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}", name="inner")
        job = await bench.start(name="secretive")
        assert (await bench.over(job)).state is JobState.FAILED
        assert "inner is not on record with this job" in job.why
        assert 'write its name as a text, `job.call("inner")`' in job.why

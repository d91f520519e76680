"""What is left of a job: at least what its recipe says, about what the last runs took, or unknown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.jobs.job import Job
from agent.jobs.progress import StepNow
from agent.jobs.recipes.recipe import Recipe
from agent.jobs.recipes.recipe_file import load_recipe
from agent.jobs.reckoning import took_before
from agent.jobs.states import JobState
from agent.jobs.time_left import UNKNOWN, TimeLeft, certain_left, time_left
from tests.agent.jobs_bench import KIM, LEE, jobs_in_memory, toys

SECONDS = st.floats(0, 1e6)

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


def read(folder: Path, steps: str, tail: str = "") -> Recipe:
    file = folder / "trial.yaml"
    head = 'name: trial\nversion: "1"\nparameters: {soak: {type: number, unit: min}}\nsteps:\n'
    file.write_text(head + indent(dedent(steps).strip("\n"), "  ") + "\n" + dedent(tail))
    return load_recipe(file).recipe


def at(folder: Path, key: str, **more: Any) -> StepNow:
    return StepNow(key, f"{folder}/trial.yaml:3", {}, **more)


def test_the_waits_that_are_still_to_come_are_certain(tmp_path: Path) -> None:
    recipe = read(
        tmp_path,
        """
        - wait: 100
        - wait: =soak min
        - log: half
        - repeat: {times: 3}
          steps: [{wait: 10}]
        - if: soak > 1
          then: [{wait: 7}, {wait: 1}]
          else: [{wait: 5}]
        - parallel:
            a: [{wait: 30}]
            b: [{wait: 20}, {wait: 20}]
        - wait: {until: soak > 1, within: 1000}
        """,
        "finally:\n  - wait: 2\n",
    )
    values = {"soak": 2.0}
    whole = 120 + 30 + 5 + 40 + 2
    assert certain_left(recipe, [at(tmp_path, "steps.0", left=60.0)], values) == 60 + whole
    assert certain_left(recipe, [at(tmp_path, "steps.1")], values) == whole - 120
    loop = [at(tmp_path, "steps.3", turn=2, turns=3), at(tmp_path, "steps.3.steps.0", left=4.0)]
    assert certain_left(recipe, loop, values) == 4 + 10 + 5 + 40 + 2
    branches = [
        at(tmp_path, "steps.5"),
        at(tmp_path, "steps.5.parallel.a.0", left=30.0),
        at(tmp_path, "steps.5.parallel.b.0", left=15.0),
    ]
    assert certain_left(recipe, branches, values) == 35 + 2
    assert certain_left(recipe, [at(tmp_path, "finally.0", left=1.5)], values) == 1.5
    assert certain_left(recipe, [], values) == 0


def test_a_time_that_is_still_to_be_measured_is_not_certain(tmp_path: Path) -> None:
    recipe = read(
        tmp_path,
        "- log: begins\n- input: How long?\n  as: long\n  value: {type: number}\n- wait: =long s",
    )
    assert certain_left(recipe, [at(tmp_path, "steps.0")], {"soak": 1.0}) == 0


def test_steps_of_a_called_recipe_are_not_taken_for_our_own(tmp_path: Path) -> None:
    recipe = read(tmp_path, "- wait: 50\n- call: inner\n- wait: 20")
    inner = StepNow("steps.0", f"{tmp_path}/inner.yaml:3", {}, left=3.0)
    assert certain_left(recipe, [at(tmp_path, "steps.1"), inner], {}) == 23


@pytest.mark.parametrize(
    ("certain", "past", "elapsed", "held_up", "left"),
    [
        (0, (), 5, False, UNKNOWN),
        (60, (), 5, False, TimeLeft(kind="at_least", seconds=60)),
        (60, (), 5, True, UNKNOWN),
        (0, (100, 120, 500), 20, False, TimeLeft(kind="about", seconds=100, runs=3)),
        (0, (100, 120, 500), 20, True, UNKNOWN),
        (0, (100, 120, 500), 130, False, UNKNOWN),  # it takes longer than ever
        (150, (100, 120, 500), 20, False, TimeLeft(kind="at_least", seconds=150)),
    ],
)
def test_only_what_is_known_is_said(
    certain: float, past: tuple[float, ...], elapsed: float, held_up: bool, left: TimeLeft
) -> None:
    assert time_left(certain, past, elapsed, is_held_up=held_up) == left


@given(certain=SECONDS, past=st.lists(SECONDS, max_size=5), elapsed=SECONDS, held=st.booleans())
def test_what_is_said_is_never_less_than_what_is_certain(
    certain: float, past: list[float], elapsed: float, held: bool
) -> None:
    left = time_left(certain, past, elapsed, is_held_up=held)
    assert (left.seconds is None) == (left.kind == "unknown")
    assert left.seconds is None or left.seconds >= certain
    assert left.runs == (len(past) if left.kind == "about" else 0)


def test_the_last_five_runs_of_the_same_files_count_that_were_done() -> None:
    job = Job(
        id="now", recipe="trial", version="1", sha256="a", arguments={}, devices={},
        claimed=frozenset(), by=KIM, submitted=0.0,
    )  # fmt: skip
    done = [
        replace(job, id=str(it), state=JobState.DONE, began=100.0 * it, ended=101.0 * it)
        for it in range(1, 8)
    ]
    others = [
        replace(done[6], sha256="b"),
        replace(done[6], called={"inner": "c"}),
        replace(done[6], state=JobState.STOPPED),
        replace(done[6], began=900.0),
    ]
    assert took_before(job, [job, *reversed(done), *others]) == (3, 4, 5, 6, 7)


async def test_a_job_says_what_is_left_of_it_and_nothing_while_a_person_is_asked(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- wait: 0.1\n- confirm: Ready?\n- wait: 100")
        job = await bench.start()
        await bench.until(lambda: job.left() is not None and job.progress.now)
        said = job.left()
        assert said is not None
        assert said.kind == "at_least"
        assert said.seconds is not None
        assert 100 <= said.seconds <= 100.1
        question = await bench.until_asked()
        assert job.left() == UNKNOWN
        await bench.jobs.answer(question.id, True, KIM)
        await bench.until_at(job, "steps.2")
        await bench.until(lambda: job.left() != UNKNOWN)
        await bench.jobs.stop(job.id, LEE)
        await bench.over(job)
        assert job.left() is None


async def test_a_recipe_that_ran_before_is_said_to_take_about_as_long(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- wait: {until: supply.voltage > 1, within: 60}")
        bench.station.simulators["psu1"].values["volt"] = 2
        await bench.over(await bench.start())
        bench.station.simulators["psu1"].values["volt"] = 0
        before = bench.jobs.listing[0]
        assert before.began is not None
        before.ended = before.began + 40
        await bench.station.until("psu1", lambda it: it.samples["voltage"].value == 0)
        job = await bench.start()
        await bench.until(lambda: job.progress.now)
        said = job.left()
        assert said is not None
        assert (said.kind, said.runs) == ("about", 1)
        assert said.seconds is not None
        assert 30 < said.seconds <= 40
        await bench.jobs.stop(job.id, LEE)

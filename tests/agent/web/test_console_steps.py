"""The steps of a job as its page marks them, and what its devices' cards call it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from agent.jobs.keeping.remember import recalled, remembered
from agent.web.console.steps_shown import recipe_of, standing
from tests.agent.jobs_bench import toys
from tests.agent.web.test_console_jobs import ASKS, HEAD, browsing, seen

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

LOOPED = """
- repeat: {times: 2}
  steps:
    - log: again
    - if: level > 2
      then:
        - log: much
      else:
        - log: little
- parallel:
    one:
      - wait: 0.01
    two:
      - wait: 0.01
- fail: {ko: 끝, en: That is it}
"""


async def test_the_steps_of_a_loop_that_is_over_stand_as_what_they_were(tmp_path: Path) -> None:
    async with browsing(tmp_path) as (bench, client):
        bench.write(LOOPED, head=HEAD, tail="on_stop:\n- log: never\n")
        job = await bench.over(await bench.start(lot="L-3"))
        recipe = recipe_of(job, await bench.jobs.library())
        assert recipe is not None
        inside = ("steps.0.steps.0", "steps.0.steps.1", "steps.0.steps.1.then.0")
        done = ("steps.0", *inside, "steps.1", "steps.1.parallel.one.0", "steps.1.parallel.two.0")
        expected = {**dict.fromkeys(done, "done"), "steps.2": "broken"}
        assert standing(recipe, job) == expected
        assert standing(recipe, recalled(json.loads(json.dumps(remembered(job))))) == expected
        page = await seen(client, f"/jobs/{job.id}")
        kinds = dict(re.findall(r'<li id="step:[^:]*:([^"]*)"[^>]* data-kind="(\w*)"', page))
        assert {key: it for key, it in kinds.items() if it} == expected
        assert kinds["steps.0.steps.1.else.0"] == ""


async def test_a_new_turn_of_a_loop_begins_with_steps_that_have_not_begun(tmp_path: Path) -> None:
    steps = """
- repeat: {times: 2}
  steps:
    - repeat: {times: 1}
      steps:
        - log: inside
    - confirm: {ko: '계속합니까?', en: Go on?}
    - wait: 0.01
"""
    async with browsing(tmp_path) as (bench, _):
        bench.write(steps)
        job = await bench.start()
        recipe = recipe_of(job, await bench.jobs.library())
        assert recipe is not None
        first = await bench.until_asked()
        before = standing(recipe, job)
        assert before["steps.0.steps.0.steps.0"] == "done"
        await bench.jobs.answer(first.id, value=True, actor=job.by)
        await bench.until(lambda: [it for it in bench.jobs.questions if it.id != first.id])
        assert standing(recipe, job) == before
        assert "steps.0.steps.2" in dict.fromkeys(key for _, key in job.progress.over)
        await bench.jobs.stop(job.id, job.by)
        await bench.over(job)
        assert standing(recipe, job)["steps.0.steps.1"] == "broken"


async def test_a_card_says_what_people_call_the_job_of_its_device(tmp_path: Path) -> None:
    async with browsing(tmp_path) as (bench, client):
        bench.write(ASKS, head=HEAD)
        job = await bench.start(lot="L-3")
        await bench.until_asked()
        assert "작업 시험: 실행 중" in await seen(client, "/", "ko")
        assert "Job A trial: running" in await seen(client, "/devices/psu1")
        assert recalled(remembered(job)).title == "A trial"
        await bench.jobs.stop(job.id, job.by)
        await bench.over(job)

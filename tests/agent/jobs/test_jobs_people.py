"""Questions to people, their answers, and the steps that only say something."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.jobs.states import JobState
from tests.agent.jobs_bench import KIM, jobs_in_memory, toys

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


async def test_fail_ends_the_job_for_its_reason_and_makes_its_devices_safe(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("- set: {supply.output: true}\n- fail: {ko: 그만, en: enough}")
        assert job.state is JobState.FAILED
        assert job.why == f"{bench.recipes}/trial.yaml:7: fail: enough"
        assert bench.sent() == ["outp 1", "outp 0"]
        assert job.safe["psu1"].status == "done"


async def test_a_confirm_is_asked_and_the_answer_recorded_with_the_name(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- confirm: {ko: 준비?, en: Ready?}\n  as: ready\n- log: '{ready}'")
        job = await bench.start()
        question = await bench.until_asked()
        assert (question.job, question.kind, question.ko) == (job.id, "confirm", "준비?")
        await bench.jobs.answer(question.id, False, KIM)
        await bench.over(job)
        assert bench.logged(job) == ["false"]
        assert [(it.value, it.by) for it in job.answers] == [(False, "kim")]
        assert bench.jobs.questions == ()


async def test_a_question_is_shown_as_it_is_put_while_it_waits(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        head = "parameters: {sample: {type: text}}\n"
        bench.write("- confirm: {ko: '{sample} 준비?', en: 'Is {sample} ready?'}", head=head)
        job = await bench.start(sample="R-1")
        question = await bench.until_asked()
        [now] = job.progress.now
        assert now.titles == {"ko": "확인: “R-1 준비?”", "en": "confirm “Is R-1 ready?”"}
        await bench.jobs.answer(question.id, True, KIM)
        await bench.over(job)


async def test_a_no_ends_a_job_that_does_not_want_to_know(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- confirm: Ready?")
        job = await bench.start()
        await bench.jobs.answer((await bench.until_asked()).id, False, KIM)
        assert (await bench.over(job)).state is JobState.FAILED
        assert job.why.endswith("confirm: the answer to “Ready?” is no")


async def test_a_question_that_nobody_answers_fails_in_time_and_is_listed_no_longer(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("- confirm: Ready?\n  within: 0.1")
        assert "nobody answered “Ready?” within 0.1 s" in job.why
        assert bench.jobs.questions == ()


async def test_an_input_that_does_not_fit_is_asked_for_again(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("""
            - input: How many?
              as: many
              value: {type: integer, low: 1, high: 5}
            - log: "{many}"
            """)
        job = await bench.start()
        question = await bench.until_asked()
        with pytest.raises(Exception, match="9 is above 5"):
            await bench.jobs.answer(question.id, 9, KIM)
        await bench.jobs.answer(question.id, 3, KIM)
        await bench.over(job)
        assert bench.logged(job) == ["3"]

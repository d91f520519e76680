"""Steps that say when, how often and what next, run on toys."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.jobs.states import JobState
from tests.agent.jobs_bench import jobs_in_memory, toys

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


async def test_wait_until_waits_for_a_reading(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- wait: {until: supply.temperature > 30, within: 5, steady: 0.1}")
        job = await bench.start()
        await bench.until_at(job, "steps.0")
        bench.station.simulators["psu1"].values["temp"] = 31.0
        assert (await bench.over(job)).state is JobState.DONE


async def test_wait_until_fails_in_words_when_it_does_not_come(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("- wait: {until: supply.temperature > 30, within: 0.1}")
        assert job.state is JobState.FAILED
        assert job.why.endswith(
            "trial.yaml:6: wait: supply.temperature > 30 did not hold within 0.1 s"
        )


async def test_wait_until_goes_on_where_the_recipe_says_so(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("""
            - wait: {until: supply.temperature > 30, within: 0.1, otherwise: go_on}
            - log: went on
            """)
        assert bench.logged(job) == ["went on"]


async def test_a_reading_that_is_lost_holds_nothing_while_it_is_waited_for(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        simulator = bench.station.simulators["psu1"]
        simulator.not_measured = "temp"
        await bench.station.until("psu1", lambda it: "temperature" not in it.samples)
        job = await bench.ran("- wait: {until: supply.temperature < 30, within: 0.15}")
        assert job.state is JobState.FAILED


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("{times: 3, as: n}", ["1", "2", "3"]),
        ("{over: [2.5, 4], as: n}", ["2.5", "4"]),
        ("{while: supply.temperature > 30, most: 3, as: n}", []),
    ],
)
async def test_repeat_runs_its_steps_as_often_as_it_says(
    tmp_path: Path, how: str, said: list[str]
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran(
            f"- set: {{supply.voltage: 1}}\n- repeat: {how}\n  steps:\n    - log: '{{n}}'"
        )
        assert job.state is JobState.DONE
        assert bench.logged(job) == said


async def test_a_while_that_goes_on_for_too_long_fails(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("""
            - repeat: {while: supply.temperature > 20, most: 2, as: n}
              steps:
                - log: "{n}"
            """)
        assert bench.logged(job) == ["1", "2"]
        assert "repeat: supply.temperature > 20 still holds after 2 times" in job.why


async def test_if_takes_one_side(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("""
            - if: supply.temperature > 30
              then:
                - log: hot
              else:
                - log: cold
            """)
        assert bench.logged(job) == ["cold"]


async def test_a_stale_reading_in_an_if_fails_the_job_and_nothing_is_guessed(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.station.simulators["psu1"].unplugged = True
        await bench.station.until("psu1", lambda it: it.samples["temperature"].quality == "stale")
        job = await bench.ran("""
            - if: supply.temperature > 30
              then:
                - log: hot
              else:
                - log: cold
            """)
        assert job.state is JobState.FAILED
        assert (
            "trial.yaml:6: if: supply.temperature > 30: supply.temperature has no value" in job.why
        )
        assert bench.logged(job) == []


async def test_parallel_branches_run_side_by_side_and_their_results_are_known_after_them(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("""
            - parallel:
                one:
                  - do: supply.ramp
                    with: {to: 3, seconds: 0.3}
                    as: first
                two:
                  - do: other.ramp
                    with: {to: 4, seconds: 0.3}
                    as: second
            - log: "{first} {second}"
            """)
        assert bench.logged(job) == ["0 0"]
        assert job.ended is not None
        assert job.began is not None
        assert job.ended - job.began < 0.6


async def test_when_a_branch_fails_the_others_and_their_commands_are_ended(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("""
            - parallel:
                one:
                  - do: supply.ramp
                    with: {to: 3, seconds: 4}
                  - log: never
                two:
                  - wait: 0.1
                  - set: {other.voltage: 1}
                  - fail: enough
            """)
        assert job.state is JobState.FAILED
        assert job.why.endswith("fail: enough")
        assert bench.logged(job) == []
        assert "volt 3" not in bench.sent("psu1")


async def test_call_runs_another_recipe_with_its_own_values_and_its_finally(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write(
            "- set: {supply.voltage: =level}\n- log: 'inner {level}'",
            name="inner",
            head="parameters: {level: {type: number, unit: V, low: 0, high: 8}}\n",
            tail="finally:\n  - log: inner finally",
        )
        job = await bench.ran("""
            - call: inner
              with: {level: 3}
            - log: outer
            """)
        assert bench.logged(job) == ["inner 3", "inner finally", "outer"]
        assert job.claimed == {"psu1"}
        assert bench.sent() == ["volt 3"]


async def test_a_called_recipe_that_fails_runs_its_finally_before_ours(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- fail: bad", name="inner", tail="finally:\n  - log: inner finally")
        job = await bench.ran("- call: inner", tail="finally:\n  - log: outer finally")
        assert bench.logged(job) == ["inner finally", "outer finally"]
        assert "inner.yaml:4: fail: bad" in job.why

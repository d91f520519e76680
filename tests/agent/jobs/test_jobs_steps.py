"""Steps that ask something of devices, run on toys: what they do, and in which words they fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.jobs.states import JobState
from tests.agent.jobs_bench import LEE, jobs_in_memory, toys

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


async def test_set_changes_settings_one_after_the_other(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran(
            "- set: {supply.voltage: =level * 2, supply.output: true}",
            head="parameters: {level: {type: number, unit: V, low: 0, high: 8}}\n",
            level=2.5,
        )
        assert (job.state, job.why) == (JobState.DONE, "")
        assert bench.sent() == ["volt 5", "outp 1"]


async def test_every_setting_is_told_as_an_event_with_the_job_as_its_origin(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        await bench.ran("- set: {supply.voltage: 5}")
        event = next(it for it in bench.station.events.kept if it.kind == "set.done")
        assert (event.data["actor"], event.data["origin"]) == ("lee", "job")


async def test_do_runs_a_command_and_its_result_has_a_name(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("""
            - set: {supply.output: true}
            - do: supply.ramp
              with: {to: 4, seconds: 0.01}
              as: reached
            - log: "reached {reached:.1f} V"
            """)
        assert bench.logged(job) == ["reached 4.0 V"]


async def test_a_ramp_goes_in_even_steps_from_what_is_set_to_its_end(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.station.simulators["psu1"].values["volt"] = 1.0
        job = await bench.ran("""
            - ramp: supply.voltage
              to: 2
              rate: 8 V/s
              every: 50 ms
            """)
        assert job.state is JobState.DONE
        assert bench.sent() == ["volt 1.4", "volt 1.8", "volt 2"]


async def test_a_ramp_goes_down_as_well(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.station.simulators["psu1"].values["volt"] = 1.0
        await bench.ran("- ramp: supply.voltage\n  to: 0.5\n  rate: 5 V/s\n  every: 50 ms")
        assert bench.sent() == ["volt 0.75", "volt 0.5"]


async def test_a_measure_reads_anew_and_keeps_value_and_verdict(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("""
            - measure:
                warm: {value: supply.temperature, low: 20, high: 30}
                double: {value: supply.temperature * 2}
            - log: "{warm} {double}"
            """)
        assert [(it.name, it.value, it.verdict) for it in job.measures] == [
            ("warm", 25.0, "pass"),
            ("double", 50.0, "none"),
        ]
        assert (job.state, job.verdict) == (JobState.DONE, "pass")
        assert bench.logged(job) == ["25 50"]


async def test_a_measure_that_fails_is_a_verdict_and_the_job_goes_on(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("""
            - measure: {warm: {value: supply.temperature, high: 20}}
            - measure: {off: {value: supply.output, equals: false}}
            - measure: {on: {value: supply.output, equals: true}}
            """)
        assert (job.state, job.verdict) == (JobState.DONE, "fail")
        assert [it.reason for it in job.measures] == ["25 °C is above 20 °C", "", "off is not on"]
        assert [it.verdict for it in job.measures] == ["fail", "pass", "fail"]


async def test_a_measure_ends_the_job_where_the_recipe_says_so(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("""
            - measure: {warm: {value: supply.temperature, low: 30}}
              on_fail: end
            - log: never
            """)
        assert job.state is JobState.FAILED
        assert "measure: the verdict is fail: warm: 25 °C is below 30 °C" in job.why
        assert bench.logged(job) == []


async def test_a_value_that_can_not_be_had_fails_its_measure(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.station.simulators["psu1"].not_measured = "temp"
        job = await bench.ran("- measure: {warm: {value: supply.temperature}}")
        [measure] = job.measures
        assert (measure.value, measure.verdict) == (None, "fail")
        assert "supply.temperature has no value" in measure.reason


async def test_record_writes_rows_until_the_end_each_value_with_its_quality(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("""
            - record: [supply.temperature, supply.output]
              every: 50 ms
              as: table
            - wait: 0.22
            """)
        rows = [it.data for it in bench.journal.entries(job.id, "row")]
        assert 4 <= len(rows) <= 6
        assert rows[0]["table"] == "table"
        assert rows[0]["readings"]["supply.temperature"]["value"] == 25.0
        assert rows[0]["readings"]["supply.temperature"]["quality"] == "good"


async def test_record_with_steps_of_its_own_ends_with_them(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("""
            - record: [supply.temperature]
              every: 50 ms
              steps:
                - wait: 0.12
            - wait: 0.2
            """)
        assert 2 <= len(bench.journal.entries(job.id, "row")) <= 4


async def test_a_setting_that_is_refused_ends_the_job_with_file_and_line(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        job = await bench.ran("""
            - set: {supply.voltage: =supply.temperature * 1}
            - log: never
            """)
        assert job.state is JobState.FAILED
        assert f"{bench.recipes}/trial.yaml:6: set: psu1.voltage" in job.why
        assert "above 16 V" in job.why
        assert bench.logged(job) == []


async def test_an_unknown_outcome_ends_the_job_and_is_never_sent_again(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        simulator = bench.station.simulators["psu1"]
        bench.write("- wait: 0.05\n- set: {supply.voltage: 7}\n- log: never")
        job = await bench.start(LEE)
        await bench.until_at(job, "steps.0")
        simulator.silent = True
        await bench.over(job)
        assert job.state is JobState.FAILED
        assert "trial.yaml:7: set:" in job.why
        assert bench.logged(job) == []
        assert bench.sent().count("volt 7") <= 1

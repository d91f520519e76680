"""The folder of a run: what a job leaves in it."""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256
from pathlib import Path

import pytest

from agent.store.run_manifest import sidecar
from agent.store.run_verify import verify
from tests.agent.jobs_bench import LEE, toys
from tests.agent.runs_bench import manifest, names, runs_in_memory, table, whole

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

MEASURE = """
- set: {supply.voltage: =level}
- record: [supply.temperature, other.voltage]
  every: 50 ms
  as: warm_up
  steps:
    - wait: 0.3
- measure: {reached: {value: supply.voltage, low: 2, high: =level + 1, unit: V}}
- measure: {wrong: {value: supply.voltage, high: 1}}
- log: {ko: 끝, en: The end}
"""
HEAD = """\
title: {ko: 시험 절차, en: Trial}
parameters: {level: {type: number, unit: V, low: 0, high: 8}}
"""


async def test_a_job_leaves_a_folder_that_says_everything_of_it(tmp_path: Path) -> None:
    async with runs_in_memory(tmp_path) as bench:
        bench.jobs.write(MEASURE, head=HEAD)
        job = await bench.jobs.start(level=3)
        folder = await bench.folder(job)
        verdict = await whole(folder)
        assert folder.name == f"{job.id}_trial"
        assert list(names(folder)) == [
            *("events.csv", "job.json", "journal.csv", "manifest.json", "manifest.sha256"),
            *("measures.csv", "readings/warm_up.csv", "recipe.yaml"),
        ]
        found = manifest(folder)
        assert (found["state"], found["verdict"], found["by"]["name"]) == ("done", "fail", "lee")
        assert (found["parameters"], found["lost"]) == ({"level": 3.0}, {})
        assert found["recipe"]["titles"]["ko"] == "시험 절차"
        assert (folder / "recipe.yaml").read_bytes() == (
            tmp_path / "recipes" / "trial.yaml"
        ).read_bytes()
        [psu1, psu2] = found["devices"]
        assert (psu1["device"], psu1["roles"], psu2["device"]) == ("psu1", ["supply"], "psu2")
        assert psu1["identity"]["text"]
        assert [(it.sha256, it.job) for it in bench.ledger.told] == [(verdict.sha256, job.id)]


async def test_measured_values_stand_with_their_limits_and_quality(tmp_path: Path) -> None:
    async with runs_in_memory(tmp_path) as bench:
        bench.jobs.write(MEASURE, head=HEAD)
        folder = await bench.folder(await bench.jobs.start(level=3))
        reached, wrong = table(folder / "measures.csv")
        assert [reached[it] for it in ("name (이름)", "value (값)", "unit (단위)")] == [
            *("reached", "3.0", "V")
        ]
        limits = ("low (하한)", "high (상한)", "verdict (판정)", "quality (품질)")
        assert [reached[it] for it in limits] == ["2.0", "4.0", "pass", "good"]
        assert [wrong[it] for it in limits] == ["", "1.0", "fail", "good"]
        assert wrong["reason (사유)"] == "3 V is above 1 V"
        assert reached["time (시각 UTC)"].endswith("+00:00")


async def test_recorded_readings_have_time_unit_and_quality(tmp_path: Path) -> None:
    async with runs_in_memory(tmp_path) as bench:
        bench.jobs.write(MEASURE, head=HEAD)
        folder = await bench.folder(await bench.jobs.start(level=3))
        rows = table(folder / "readings" / "warm_up.csv")
        assert len(rows) >= 4
        seconds = [float(row["seconds (경과 초)"]) for row in rows]
        assert seconds == sorted(seconds)
        assert 0 <= seconds[0] < 2
        for row in rows:
            assert row["supply.temperature [Cel]"] == repr(float(row["supply.temperature [Cel]"]))
            assert row["supply.temperature quality (품질)"] == "good"
            assert row["other.voltage [V]"]
        [described] = manifest(folder)["tables"]
        assert (described["rows"], described["file"]) == (len(rows), "readings/warm_up.csv")
        about = described["columns"][1]
        assert about == {"name": "other.voltage", "device": "psu2", "unit": "V", "type": "number"}


async def test_the_journal_has_steps_words_questions_and_answers_in_their_order(
    tmp_path: Path,
) -> None:
    async with runs_in_memory(tmp_path) as bench:
        bench.jobs.write("- confirm: {ko: 준비되었습니까?, en: Ready?}\n- log: {ko: 끝, en: End}")
        job = await bench.jobs.start()
        question = await bench.jobs.until_asked()
        await bench.jobs.jobs.answer(question.id, value=True, actor=LEE)
        rows = table(await bench.folder(job) / "journal.csv")
        what = [row["what (내용)"] for row in rows]
        assert what == [
            *("state", "step begun", "question", "answer", "step ended"),
            *("step begun", "log", "step ended", "state"),
        ]
        assert rows[2]["text (국문)"] == "준비되었습니까?"
        assert (rows[3]["value (값)"], rows[3]["by (담당자)"]) == ("true", "lee")
        assert (rows[6]["text (영문)"], rows[6]["text (국문)"]) == ("End", "끝")


async def test_recordings_of_faults_of_its_devices_are_kept_with_it(tmp_path: Path) -> None:
    recording = tmp_path / "psu1-20261128T051602.123Z.json"
    recording.write_text('{"lines": []}')
    async with runs_in_memory(tmp_path, recording=recording) as bench:
        bench.jobs.write("- set: {supply.voltage: 1}")
        folder = await bench.folder(await bench.jobs.start())
        await whole(folder)
        assert (folder / "wire" / recording.name).read_text() == '{"lines": []}'
        kinds = [row["kind (종류)"] for row in table(folder / "events.csv")]
        assert {"job.running", "job.done", "set.done", "recording.written"} <= set(kinds)


async def test_a_called_recipe_is_kept_byte_by_byte(tmp_path: Path) -> None:
    async with runs_in_memory(tmp_path) as bench:
        bench.jobs.write("- set: {supply.voltage: 1}", name="inner")
        bench.jobs.write("- call: inner\n- set: {supply.voltage: 2}")
        folder = await bench.folder(await bench.jobs.start())
        await whole(folder)
        kept = (folder / "recipes" / "inner.yaml").read_bytes()
        assert kept == (tmp_path / "recipes" / "inner.yaml").read_bytes()
        [called] = manifest(folder)["called"]
        assert (called["name"], called["file"]) == ("inner", "recipes/inner.yaml")
        assert called["sha256"] == sha256(kept).hexdigest()


async def test_a_manifest_whose_recipes_are_not_those_of_the_folder_is_found_out(
    tmp_path: Path,
) -> None:
    async with runs_in_memory(tmp_path) as bench:
        bench.jobs.write("- set: {supply.voltage: 1}", name="inner")
        bench.jobs.write("- call: inner\n- set: {supply.voltage: 2}")
        folder = await bench.folder(await bench.jobs.start())
    form = manifest(folder)
    form["called"][0]["sha256"] = "0" * 64
    form["recipe"]["file"] = "recipe_of_another.yaml"
    raw = json.dumps(form).encode()
    (folder / "manifest.json").write_bytes(raw)
    (folder / "manifest.sha256").write_bytes(sidecar(sha256(raw).hexdigest()))
    verdict = await asyncio.to_thread(verify, folder)
    assert {str(it) for it in verdict.faults} == {
        "manifest.json: has no file of the recipe trial",
        "recipes/inner.yaml: is not the recipe that ran: its SHA-256 is another",
    }


async def test_a_stopped_job_and_one_that_the_agents_end_cuts_off_are_closed_as_what_they_are(
    tmp_path: Path,
) -> None:
    async with runs_in_memory(tmp_path) as bench:
        bench.jobs.write("- set: {supply.voltage: 1}\n- wait: 20")
        stopped = await bench.jobs.start()
        await bench.jobs.until_at(stopped, "steps.1")
        await bench.jobs.jobs.stop(stopped.id, LEE)
        assert manifest(await bench.folder(stopped))["state"] == "stopped"
        cut_off = await bench.jobs.start()
        await bench.jobs.until_at(cut_off, "steps.1")
    assert manifest(Path(cut_off.folder))["state"] == "interrupted"
    await whole(Path(cut_off.folder))

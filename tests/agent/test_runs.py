"""The folder of a run: what a job leaves in it, and what is left when the disk or the agent fails."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import pytest

from agent.jobs.states import JobState
from agent.store import run_columns
from agent.store.run_writer import RunWriter
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
        assert wrong["reason (사유)"] == "3.0 is above 1"
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


async def test_what_a_killed_agent_left_is_closed_by_the_next_as_interrupted(
    tmp_path: Path,
) -> None:
    async with runs_in_memory(tmp_path) as bench:
        shelf = bench.shelf.folder
        left = RunWriter(shelf / "20260101-000000-1_열_시험", FACTS, 0.0)
        log = {"en": "half", "ko": "반", "level": "info"}
        await asyncio.to_thread(left.begin, {"recipe.yaml": b"name: x\n"})
        await asyncio.to_thread(left.entry, 1.0, "log", log)
    async with runs_in_memory(tmp_path) as bench:
        await bench.jobs.until(lambda: bench.ledger.told)
        folder = shelf / "20260101-000000-1_열_시험"
        found = manifest(folder)
        assert (found["state"], found["ended"]) == ("interrupted", None)
        assert [row["text (국문)"] for row in table(folder / "journal.csv")] == ["반"]
        assert (await whole(folder)).sha256 == bench.ledger.told[0].sha256
        assert not list(folder.glob(".*"))


FACTS: dict[str, Any] = {"job": "20260101-000000-1", "recipe": {"name": "열 시험"}}


class FullDisk:
    """A disk that takes this many more bytes, and then none until a file of this name is removed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        self.room = Path()
        self._write = os.write
        monkeypatch.setattr("agent.store.run_files.os.write", self.write)

    def write(self, descriptor: int, data: Any) -> int:
        if self.left is None or not self.room.exists():
            return self._write(descriptor, data)
        if self.left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = self._write(descriptor, bytes(data)[: self.left])
        self.left -= count
        return count


async def test_a_full_disk_ends_the_job_and_leaves_whole_lines_and_a_manifest_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(monkeypatch)
    async with runs_in_memory(tmp_path) as bench:
        steps = "- record: [supply.temperature]\n  every: 50 ms\n  steps:\n    - wait: 20"
        bench.jobs.write(f"{steps}\n- set: {{supply.voltage: 1}}", tail="finally:\n  - log: last")
        job = await bench.jobs.start()
        await bench.jobs.until_at(job, "steps.0.steps.0")
        disk.room, disk.left = Path(job.folder) / ".room", 10
        await bench.jobs.station.until_event("run.incomplete")
        await bench.jobs.jobs.stop(job.id, LEE)
        folder = await bench.folder(job)
        assert job.state is JobState.STOPPED
        await whole(folder)
        assert manifest(folder)["lost"]["rows"] >= 1
        assert bench.jobs.logged(job) == ["last"]
        for name in ("journal.csv", "events.csv"):
            assert (folder / name).read_bytes().endswith(b"\r\n")


async def test_a_job_whose_folder_can_not_be_made_fails_before_anything_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with runs_in_memory(tmp_path) as bench:
        bench.shelf.folder.parent.mkdir(exist_ok=True)
        bench.shelf.folder.write_text("a file where the folder belongs")
        bench.jobs.write("- set: {supply.voltage: 1}")
        job = await bench.jobs.over(await bench.jobs.start())
        assert job.state is JobState.FAILED
        assert "not recorded: the run folder of job" in job.why
        assert "volt 1" not in bench.jobs.sent()


async def test_a_disk_that_hangs_holds_a_step_up_for_a_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from agent.store import run_thread

    monkeypatch.setattr(run_thread, "LATE_S", 0.2)
    goes_on = threading.Event()
    async with runs_in_memory(tmp_path) as bench:
        bench.jobs.write("- wait: 0.1\n- log: never", tail="finally:\n  - log: last")
        job = await bench.jobs.start()
        await bench.jobs.until_at(job, "steps.0")
        bench.records._thread.later(goes_on.wait, "a disk that hangs")
        async with asyncio.timeout(3):
            await bench.jobs.over(job)
        assert job.state is JobState.FAILED
        assert "did not take it within 0.2 s" in job.why
        assert bench.jobs.logged(job) == ["last"]
        goes_on.set()
        await whole(await bench.folder(job))


async def test_a_library_that_fails_costs_a_run_its_other_forms_and_says_so_in_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> list[str]:
        raise ImportError("libarrow.so: cannot open shared object file")

    monkeypatch.setattr(run_columns, "is_possible", lambda: True)
    monkeypatch.setattr(run_columns, "write", broken)
    async with runs_in_memory(tmp_path, "parquet") as bench:
        bench.jobs.write(MEASURE, head=HEAD)
        folder = await bench.folder(await bench.jobs.start(level=3))
        await whole(folder)
        assert "libarrow.so" in " ".join(manifest(folder)["notes"])


async def test_a_defect_in_closing_a_folder_is_said_and_ends_neither_agent_nor_later_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect of ours")

    async with runs_in_memory(tmp_path) as bench:
        bench.jobs.write("- set: {supply.voltage: 1}")
        with monkeypatch.context() as defect:
            defect.setattr("agent.jobs.run_records.known_at_last", broken)
            job = await bench.jobs.over(await bench.jobs.start())
        text = await bench.jobs.station.until_event("run.failed")
        assert f"{job.folder} could not be closed: a defect of the agent" in text
        assert "the next start of the agent closes it" in text
        await whole(await bench.folder(await bench.jobs.start()))

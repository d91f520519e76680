"""The stop of a job is answered within a second: each of its devices by name, and what hangs as tried."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.fleet.samples import Cause, Outcome, Status
from agent.jobs import jobs
from agent.jobs.job import Job
from agent.jobs.states import JobState
from tests.agent.cli.test_cli_jobs import ask, bench
from tests.agent.cli_bench import Command
from tests.agent.jobs_bench import KIM, VISITOR, JobsBench, toys
from tests.agent.mqtt.test_mqtt_jobs import desk
from tests.agent.safety.test_stop_answers import Slow
from tests.agent.web.test_web_jobs import asked
from tests.agent.web_bench import problem

pytestmark = [pytest.mark.usefixtures(toys.__name__), pytest.mark.lab]
__all__ = ["ask", "bench", "toys"]

STEPS = "- set: {supply.output: true}\n- set: {other.output: true}\n- wait: 90"
SAFE = Outcome(status=Status.DONE, message="psu2 was made safe")
UNSAFE = Outcome(status=Status.UNKNOWN, message="psu2: not confirmed safe within 3 s")


@dataclass
class Hung:
    """A job on two devices, of which the second hangs when it is stopped."""

    bench: JobsBench
    job: Job
    slow: Slow

    async def over(self) -> Job:
        self.slow.let_go.set()
        return await self.bench.over(self.job)


async def hung(bench: JobsBench, patch: pytest.MonkeyPatch, ends_with: Outcome = SAFE) -> Hung:
    slow = Slow(ends_with)
    bench.write(STEPS)
    job = await bench.start()
    await bench.until_at(job, "steps.2")
    quick = Slow()
    quick.let_go.set()  # at once, however loaded the machine is
    patch.setattr(bench.station.station.workers["psu1"], "stop", quick.stop)
    patch.setattr(bench.station.station.workers["psu2"], "stop", slow.stop)
    return Hung(bench, job, slow)


async def test_over_http_it_names_what_is_confirmed_and_what_is_tried_and_get_tells_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asked(tmp_path) as (bench, client):
        its = await hung(bench, monkeypatch)
        where = f"/jobs/{its.job.id}"
        body = problem(await client.post(f"{where}/stop", json={}), 504, "still-trying")
        assert body["detail"].startswith("not confirmed safe: psu2; go and look")
        assert (body["job"], body["state"]) == (its.job.id, "stopping")
        assert body["trying"] == ["psu2"]
        assert body["devices"]["psu1"]["status"] == "done"
        found = (await client.get(where)).json()
        assert (found["state"], found["safe"]["psu2"]["status"]) == ("stopping", "unknown")
        assert "is still being tried" in found["safe"]["psu2"]["message"]
        assert (await client.get("/devices/psu2/stop")).json()["trying"]
        await its.over()
        found = (await client.get(where)).json()
        assert found["state"] == "stopped"
        assert {name: it["status"] for name, it in found["safe"].items()} == {
            "psu1": "done",
            "psu2": "done",
        }
        kinds = [it.kind for it in bench.station.events.kept if it.device == "psu2"]
        assert "stop.done" in kinds


async def test_a_stop_of_all_that_is_confirmed_in_time_is_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "ANSWERED_WITHIN_S", 30.0)
    async with asked(tmp_path) as (bench, client):
        bench.write(STEPS)
        job = await bench.start()
        await bench.until_at(job, "steps.2")
        answer = await client.post(f"/jobs/{job.id}/stop", json={})
        assert (answer.status_code, answer.json()["job"]) == (200, job.id)
        assert bench.station.simulators["psu1"].values["outp"] == 0


async def test_over_mqtt_its_value_has_each_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk(tmp_path) as at:
        its = await hung(at.bench, monkeypatch)
        reply = await at.ask("job.stop", job=its.job.id)
        assert reply["status"] == "unknown"
        assert reply["value"] == {
            "job": its.job.id,
            "state": "stopping",
            "devices": {"psu1": "done", "psu2": "trying"},
        }
        assert reply["message"].startswith("not confirmed safe: psu2; go and look")
        assert (await its.over()).state is JobState.STOPPED


@pytest.mark.parametrize(("ends_with", "code"), [(SAFE, 0), (UNSAFE, 3)])
async def test_the_command_tells_first_what_is_confirmed_and_then_the_rest(
    bench: JobsBench,
    ask: Command,
    monkeypatch: pytest.MonkeyPatch,
    ends_with: Outcome,
    code: int,
) -> None:
    its = await hung(bench, monkeypatch, ends_with)
    gate, waiting = bench.station.station.gate, bench.station.station.gate.end_of_stops

    async def looked(device: str, within: float | None = None) -> None:
        if within is not None:  # it is the command that looks, and so after the first answer
            its.slow.let_go.set()
        await waiting(device, within)

    monkeypatch.setattr(gate, "end_of_stops", looked)
    told = await ask("job", "stop", its.job.id)
    first, second, last = told.out.splitlines()
    assert first == "psu1: stopped and safe"
    assert second.startswith("psu2: stopped and safe" if code == 0 else "psu2: NOT CONFIRMED SAFE")
    assert last.startswith(f"job {its.job.id} (trial) is ")
    assert told.code == code
    await its.over()


async def test_a_device_that_somebody_else_is_stopping_is_named_as_well(
    bench: JobsBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    its = await hung(bench, monkeypatch, UNSAFE)
    assert (await bench.station.station.gate.stop_soon(VISITOR, "psu2")).cause is Cause.STILL_TRYING
    stopped = await bench.jobs.stop(its.job.id, KIM)
    assert stopped.devices["psu2"].cause is Cause.STILL_TRYING
    assert stopped.devices["psu1"].status is Status.DONE
    its.slow.let_go.set()
    await bench.until(lambda: its.job.safe["psu2"].cause is None)
    assert its.job.safe["psu2"].status is Status.UNKNOWN
    await its.over()


async def test_an_agent_that_ends_meanwhile_says_that_it_was_not_confirmed(
    bench: JobsBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    its = await hung(bench, monkeypatch)
    await bench.jobs.stop(its.job.id, KIM)
    async with asyncio.timeout(5):
        await bench.jobs.end()
    assert its.job.state is JobState.INTERRUPTED
    assert its.job.safe["psu2"].message == "psu2: the agent ended before its stop did: look at it"
    assert its.job.safe["psu1"].status is Status.DONE
    its.slow.let_go.set()
    await bench.station.station.gate.end_of_stops("psu2")

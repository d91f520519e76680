"""Jobs over HTTP: started, followed, stopped without a token, answered; and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from agent.jobs.states import JobState
from agent.web.api import build_api
from tests.agent.jobs_bench import JobsBench, jobs_in_memory, toys
from tests.agent.web_bench import SETTINGS, TOKEN, problem

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@asynccontextmanager
async def asked(folder: Path) -> AsyncIterator[tuple[JobsBench, httpx.AsyncClient]]:
    """Jobs, and a client of their API."""
    async with jobs_in_memory(folder) as bench:
        api = build_api(bench.station.station, SETTINGS, TOKEN)

        async def served(scope: Scope, receive: Receive, send: Send) -> None:
            await api({**scope, "state": {}}, receive, send)

        over = httpx.ASGITransport(app=served)
        base = "http://127.0.0.1:8080/api/v1"
        async with httpx.AsyncClient(transport=over, base_url=base, headers=BEARER) as client:
            yield bench, client


async def test_a_job_is_started_followed_and_has_what_came_out(tmp_path: Path) -> None:
    async with asked(tmp_path) as (bench, client):
        head = "parameters: {level: {type: number, unit: V, low: 0, high: 8}}\n"
        steps = "- set: {supply.voltage: =level}\n- measure: {it: {value: supply.voltage, high: 9}}"
        bench.write(steps, head=head)
        begun = await client.post("/jobs", json={"recipe": "trial", "arguments": {"level": 3}})
        assert begun.status_code == 200, begun.text
        name = begun.json()["job"]
        await bench.over(bench.jobs.get(name))
        found = (await client.get(f"/jobs/{name}")).json()
        assert (found["state"], found["verdict"], found["by"]) == ("done", "pass", "token")
        assert [(it["name"], it["value"]) for it in found["measures"]] == [("it", 3.0)]
        [listed] = (await client.get("/jobs")).json()["jobs"]
        assert listed["job"] == name


async def test_a_job_is_stopped_by_anybody_also_without_a_token(tmp_path: Path) -> None:
    async with asked(tmp_path) as (bench, client):
        bench.write("- set: {supply.output: true}\n- wait: 5")
        name = (await client.post("/jobs", json={"recipe": "trial"})).json()["job"]
        job = bench.jobs.get(name)
        await bench.until_at(job, "steps.1")
        del client.headers["Authorization"]
        problem(await client.post(f"/jobs/{name}/pause", json={}), 401, "no-token")
        stopped = await client.post(f"/jobs/{name}/stop", json={})
        assert stopped.status_code == 200, stopped.text
        assert bench.station.simulators["psu1"].values["outp"] == 0
        assert (await bench.over(job)).state is JobState.STOPPED
        again = problem(await client.post(f"/jobs/{name}/stop", json={}), 409, "refused")
        assert "is stopped already" in again["detail"]


async def test_a_question_is_listed_and_answered_over_http(tmp_path: Path) -> None:
    async with asked(tmp_path) as (bench, client):
        bench.write(
            "- input: How many?\n  as: many\n  value: {type: integer, high: 5}\n- log: '{many}'"
        )
        name = (await client.post("/jobs", json={"recipe": "trial"})).json()["job"]
        question = await bench.until_asked()
        [listed] = (await client.get("/questions")).json()["questions"]
        assert (listed["texts"]["en"], listed["value"]["high"]) == ("How many?", 5)
        where = f"/questions/{question.id}/answer"
        problem(await client.post(where, json={"value": 9}), 422, "bad-value")
        assert (await client.post(where, json={"value": 4})).status_code == 200
        job = await bench.over(bench.jobs.get(name))
        assert bench.logged(job) == ["4"]
        problem(await client.post(where, json={"value": 4}), 404, "no-such")


async def test_a_job_is_paused_resumed_held_and_released_over_http(tmp_path: Path) -> None:
    async with asked(tmp_path) as (bench, client):
        bench.write("- set: {supply.voltage: 1}\n- wait: 0.2")
        name = (await client.post("/jobs", json={"recipe": "trial", "held": True})).json()["job"]
        assert bench.jobs.get(name).state is JobState.HELD
        assert (await client.post(f"/jobs/{name}/release", json={})).json()["state"] == "running"
        await client.post(f"/jobs/{name}/pause", json={})
        await bench.until_state(bench.jobs.get(name), JobState.PAUSED)
        assert (await client.post(f"/jobs/{name}/resume", json={})).json()["state"] == "running"
        problem(await client.post(f"/jobs/{name}/hold", json={}), 409, "refused")


async def test_what_is_wrong_is_a_problem_in_words(tmp_path: Path) -> None:
    async with asked(tmp_path) as (bench, client):
        bench.write("- set: {supply.voltage: 99}")
        answer = problem(await client.post("/jobs", json={"recipe": "trial"}), 422, "bad-value")
        assert "trial.yaml:6" in answer["detail"]
        problem(await client.post("/jobs", json={"recipe": "trail"}), 404, "no-such")
        problem(await client.get("/jobs/x"), 404, "no-such")
        [recipe] = (await client.get("/recipes")).json()["recipes"]
        assert (recipe["recipe"], recipe["devices"]) == ("trial", {"supply": "psu1"})


async def test_a_request_with_a_key_begins_one_job_and_another_with_it_is_a_conflict(
    tmp_path: Path,
) -> None:
    async with asked(tmp_path) as (bench, client):
        bench.write("- log: x")
        key = {"Idempotency-Key": "5f0c2a3e"}
        body = {"recipe": "trial", "held": True}
        first, again = [await client.post("/jobs", json=body, headers=key) for _ in range(2)]
        assert first.json()["job"] == again.json()["job"]
        other = await client.post("/jobs", json={"recipe": "trial"}, headers=key)
        assert first.json()["job"] in problem(other, 409, "key-conflict")["detail"]
        await client.post("/jobs", json=body)
        assert len(bench.jobs.listing) == 2
        problem(
            await client.post("/jobs", json=body, headers={"Idempotency-Key": "a b"}),
            422,
            "bad-value",
        )
        late = {**body, "not_before": "tomorrow"}
        assert (
            "with its zone"
            in problem(await client.post("/jobs", json=late), 422, "bad-value")["detail"]
        )

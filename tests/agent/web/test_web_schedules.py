"""Schedules over HTTP: listed with their next times, and switched by whoever may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from agent.settings import Api, Schedule
from agent.web.api import build_api
from drivers import Role
from tests.agent.jobs_bench import toys
from tests.agent.schedule_bench import HOUR, ScheduleBench, schedule, schedules_in_memory
from tests.agent.web_bench import SETTINGS, TOKEN, problem

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@asynccontextmanager
async def asked(
    folder: Path, *wanted: Schedule, settings: Api = SETTINGS
) -> AsyncIterator[tuple[ScheduleBench, httpx.AsyncClient]]:
    """Schedules, and a client of their API."""
    async with schedules_in_memory(folder, *wanted) as bench:
        station = replace(bench.jobs.station.station, schedules=bench.schedules)
        api = build_api(station, settings, TOKEN)

        async def served(scope: Scope, receive: Receive, send: Send) -> None:
            await api({**scope, "state": {}}, receive, send)

        over = httpx.ASGITransport(app=served)
        base = "http://127.0.0.1:8080/api/v1"
        async with httpx.AsyncClient(transport=over, base_url=base, headers=BEARER) as client:
            yield bench, client


async def test_a_schedule_is_listed_with_its_next_times_in_utc_and_in_its_zone(
    tmp_path: Path,
) -> None:
    async with asked(tmp_path, schedule(arguments={"level": 3})) as (bench, client):
        [found] = (await client.get("/schedules", params={"next": 3})).json()["schedules"]
        assert (found["schedule"], found["recipe"], found["arguments"]) == (
            "hourly",
            "trial",
            {"level": 3},
        )
        assert (found["enabled"], found["off_by"], found["fired"]) == (True, None, None)
        assert [it["local"][11:] for it in found["next"]] == [
            "19:00:00+09:00",
            "20:00:00+09:00",
            "21:00:00+09:00",
        ]
        assert found["next"][0]["time"] == "2026-06-01T10:00:00.000Z"
        bench.jobs.write("- log: hello")
        bench.wanted = {"hourly": schedule()}
        await bench.passes(1)
        await bench.passes(HOUR)
        await bench.until_told("schedule.fired")
        await bench.passes(1)
        [found] = (await client.get("/schedules")).json()["schedules"]
        assert found["fired"]["local"] == "2026-06-01T19:00:00+09:00"
        assert found["job"] == bench.jobs.jobs.listing[0].id


async def test_a_schedule_is_switched_off_and_on(tmp_path: Path) -> None:
    async with asked(tmp_path, schedule(), schedule("resting", enabled=False)) as (bench, client):
        off = (await client.post("/schedules/hourly/disable", json={})).json()
        assert (off["enabled"], off["off_by"], off["next"]) == (False, "person", [])
        assert "was disabled by token (api)" in bench.told("schedule.disabled")[0]
        on = (await client.post("/schedules/hourly/enable", json={})).json()
        assert (on["enabled"], on["off_by"], len(on["next"])) == (True, None, 1)
        refused = await client.post("/schedules/resting/enable", json={})
        assert "config has it switched off" in problem(refused, 409, "refused")["detail"]


async def test_switching_needs_a_token_a_role_and_a_schedule_of_this_name(tmp_path: Path) -> None:
    observer = SETTINGS.model_copy(update={"role": Role.OBSERVER})
    async with asked(tmp_path, schedule(), settings=observer) as (bench, client):
        refused = await client.post("/schedules/hourly/disable", json={})
        problem(refused, 403, "not-allowed")
        bare = {"Authorization": ""}
        refused = await client.post("/schedules/hourly/disable", json={}, headers=bare)
        problem(refused, 401, "no-token")
        assert bench.schedules.listing[0].is_on
    async with asked(tmp_path, schedule()) as (_, client):
        problem(await client.post("/schedules/hourli/enable", json={}), 404, "no-such")
        problem(await client.get("/schedules", params={"next": 0}), 422, "bad-value")
        problem(await client.get("/schedules", params={"next": 101}), 422, "bad-value")

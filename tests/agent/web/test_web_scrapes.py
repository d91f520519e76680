"""The metrics page at the door to other machines: who may read it, and what else that opens."""

from __future__ import annotations

import base64
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from agent.metrics import StationPage, metrics_app
from agent.web.api import api_of, doors_of
from agent.web.scrapes import ScraperToken, open_to_scrapers, with_metrics
from tests.agent.people_bench import ROOT, House, house
from tests.agent.web_bench import SETTINGS, TOKEN, problem

NAME = "bench-1.lab.example"
SECRET = "a-secret-of-the-scraper-alone"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "scraper.token"
    path.write_text(f"{SECRET}\n")
    return path


@asynccontextmanager
async def scraping(lab: House, token_file: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody on another machine."""
    station = replace(lab.bench.station, people=lab.people, clock=lab.clock)
    page = metrics_app(StationPage(station.board, station.workers))
    inner = with_metrics(api_of(station, SETTINGS), page)
    doors = doors_of(inner, station, SETTINGS, TOKEN, network=(NAME,))
    app = open_to_scrapers(doors, page, ScraperToken(token_file), (NAME,))

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": {}}, receive, send)

    transport = httpx.ASGITransport(served, client=("192.0.2.9", 4000))
    async with httpx.AsyncClient(transport=transport, base_url=f"https://{NAME}") as client:
        yield client


def basic(password: str) -> dict[str, str]:
    pair = base64.b64encode(f"prometheus:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


WRONG: tuple[dict[str, str], ...] = (
    {},
    bearer("wrong"),
    bearer(""),
    basic("wrong"),
    basic(""),
    {"Authorization": "Basic ???"},
    {"Authorization": f"Digest {SECRET}"},
    bearer(TOKEN),
)


async def test_a_scraper_with_the_token_of_the_file_reads_the_page_and_nothing_else(
    tmp_path: Path, token_file: Path
) -> None:
    async with house(tmp_path, "kim") as lab, scraping(lab, token_file) as client:
        for shown in (bearer(SECRET), basic(SECRET)):
            answer = await client.get("/metrics", headers=shown)
            assert answer.status_code == 200
            assert 'labkeeper_device_up{device="psu1"} 1.0' in answer.text
            problem(await client.get("/api/v1/devices", headers=shown), 401, "no-token")
            stop = await client.post("/api/v1/stop", json={}, headers=shown)
            problem(stop, 401, "no-token")
        for shown in WRONG:
            problem(await client.get("/metrics", headers=shown), 401, "no-token")
        elsewhere = {**bearer(SECRET), "Host": "evil.example"}
        problem(await client.get("/metrics", headers=elsewhere), 421, "wrong-host")


async def test_a_token_of_the_station_that_may_read_reads_the_page_as_well(
    tmp_path: Path, token_file: Path
) -> None:
    async with house(tmp_path) as lab, scraping(lab, token_file) as client:
        token, _ = await lab.people.tokens.add(ROOT, "prometheus", "read", 30)
        assert (await client.get("/metrics", headers=bearer(token))).status_code == 200
        await lab.people.tokens.revoke(ROOT, "prometheus")
        problem(await client.get("/metrics", headers=bearer(token)), 401, "no-token")


async def test_a_new_token_counts_at_once_and_a_file_that_is_none_is_told_once(
    tmp_path: Path, token_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "labkeeper")
    async with house(tmp_path) as lab, scraping(lab, token_file) as client:
        token_file.write_text("another-secret-of-scrapers\n")
        problem(await client.get("/metrics", headers=bearer(SECRET)), 401, "no-token")
        newer = await client.get("/metrics", headers=bearer("another-secret-of-scrapers"))
        assert newer.status_code == 200
        token_file.write_text("short\n")
        for _ in range(2):
            problem(await client.get("/metrics", headers=bearer("short")), 401, "no-token")
        token_file.unlink()
        problem(await client.get("/metrics", headers=bearer("short")), 401, "no-token")
    told = [it.getMessage() for it in caplog.records if "metrics.token_file" in it.getMessage()]
    assert len(told) == 2
    assert "fewer than 16 letters, and lets nobody in" in told[0]
    assert "can't be read" in told[1]

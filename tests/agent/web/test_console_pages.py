"""Schedules, the ledger and what the agent is: their pages as they leave the agent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from agent.store.entries import EventEntry, JobEntry, Stage
from agent.store.ledger import Ledger
from agent.store.ledger_pages import LedgerPages
from agent.web.console.assets import VENDORED
from agent.web.console.health import health_lines
from tests.agent.api_bench import looking
from tests.agent.bench import station_in_memory
from tests.agent.jobs_bench import toys
from tests.agent.ledger_bench import KIM, LEE, opened
from tests.agent.schedule_bench import HOUR, ScheduleBench, schedule, schedules_in_memory

__all__ = ["toys"]


@asynccontextmanager
async def with_ledger(folder: Path) -> AsyncIterator[tuple[Ledger, httpx.AsyncClient]]:
    """A ledger in which two people have left something, and a browser."""
    async with opened(folder) as ledger, station_in_memory(folder=folder) as bench:
        intent = await ledger.intend(KIM, "set", "psu1.voltage", before=5.0, after=6.5, job="j-7")
        await ledger.ended(intent, Stage.CONFIRMED, after=6.5)
        said = "<b>the lamp</b> went dim"
        await ledger.record(LEE, EventEntry(action="device.said", target="oven1", reason=said))
        station = replace(bench.station, ledger=ledger, ledger_pages=LedgerPages(folder))
        async with looking(station) as browser:
            yield ledger, browser


def rows(text: str) -> list[str]:
    """The rows of the ledger's page, each with what is seen when it is opened."""
    return text.split('<details class="entry"')[1:]


async def test_a_row_says_who_did_what_and_opened_what_was_before_and_why(tmp_path: Path) -> None:
    async with with_ledger(tmp_path) as (_, browser):
        said, done, intent, _ = rows((await browser.get("/ledger")).text)
        assert "&lt;b&gt;the lamp&lt;/b&gt; went dim" in said
        assert "program (API)" in said
        assert "psu1.voltage" in intent
        assert "김하나" in intent
        assert "about to be done" in intent
        assert '<dd class="was">5.0</dd>' in intent
        assert '<dd class="is">6.5</dd>' in intent
        assert 'href="/jobs/j-7"' in intent
        assert 'data-stage="confirmed"' in done


async def test_a_row_is_in_the_language_of_whoever_reads_it(tmp_path: Path) -> None:
    korean = {"Accept-Language": "ko"}
    async with with_ledger(tmp_path) as (ledger, browser):
        why = "a.gcode: it is empty"
        gone = EventEntry(action="files.removed", target="a.gcode", before=True, reason=why)
        await ledger.record(KIM, gone)
        await ledger.record(KIM, JobEntry(action="held", target="trial", after="held"))
        held, row, *_ = rows((await browser.get("/ledger", headers=korean)).text)
        assert "보류 <strong>trial</strong>" in held
        assert '<dd class="is">보류</dd>' in held
        assert "파일 삭제 <strong>a.gcode</strong>" in row
        assert '<dd class="was">켜짐</dd>' in row
        assert "a.gcode: 파일이 비어 있습니다" in row
        assert "<code>files.removed</code>" in row
        found = (await browser.get("/api/v1/ledger?limit=2", headers=korean)).json()["rows"][1]
        assert found["entry"]["reason"] == why
        assert found["said"] == {
            "kind": "사건",
            "action": "파일 삭제",
            "stage": "",
            "reason": "a.gcode: 파일이 비어 있습니다",
        }
        english = (await browser.get("/api/v1/ledger?action=set&limit=1")).json()["rows"][0]
        assert english["said"] | {"reason": ""} == {
            "kind": "command or setting",
            "action": "set",
            "stage": "done",
            "reason": "",
        }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("who=lee", 1),
        ("device=psu1&action=set", 2),
        ("job=j-7&origin=cli", 2),
        ("kind=event&text=LAMP", 1),
        ("who=%20lee%20", 1),
        ("who=nobody", 0),
        ("since=2000-01-01T00:00", 4),
        ("until=2000-01-01T00:00", 0),
        ("cursor=2", 2),
    ],
)
async def test_rows_are_chosen_by_the_form_and_the_export_takes_the_same(
    tmp_path: Path, query: str, found: int
) -> None:
    async with with_ledger(tmp_path) as (_, browser):
        text = (await browser.get(f"/ledger?{query}")).text
        assert len(rows(text)) == found
        if "cursor" not in query:
            export = text.partition('href="/api/v1/ledger/export?format=jsonl')[2]
            address = export.partition('"')[0].replace("&amp;", "&")
            answer = await browser.get(f"/api/v1/ledger/export?format=jsonl{address}")
            assert len(answer.text.splitlines()) == found


async def test_a_time_is_one_of_the_stations_zone(tmp_path: Path) -> None:
    async with with_ledger(tmp_path) as (_, browser):
        text = (await browser.get("/ledger?since=2026-11-28T09:00")).text
        assert "since=2026-11-28T00%3A00%3A00.000000" in text
        assert 'value="2026-11-28T09:00"' in text
        answer = await browser.get("/ledger?since=tomorrow", headers={"Accept": "text/html"})
        assert answer.status_code == 422
        assert "is no time, such as 2026-11-28T09:00" in answer.text


async def test_without_a_ledger_its_page_says_so(tmp_path: Path) -> None:
    async with station_in_memory(folder=tmp_path) as bench, looking(bench.station) as browser:
        assert "No ledger is kept here." in (await browser.get("/ledger")).text


@asynccontextmanager
async def with_schedules(folder: Path) -> AsyncIterator[tuple[ScheduleBench, httpx.AsyncClient]]:
    """One schedule that fires each hour, one that config has switched off, and a browser."""
    off = schedule("resting", enabled=False)
    async with schedules_in_memory(folder, schedule(), off) as bench:
        station = replace(bench.jobs.station.station, schedules=bench.schedules)
        async with looking(station) as browser:
            yield bench, browser


@pytest.mark.usefixtures(toys.__name__)
async def test_a_schedule_says_when_it_fires_next_and_what_became_of_the_last_time(
    tmp_path: Path,
) -> None:
    async with with_schedules(tmp_path) as (bench, browser):
        [hourly, resting] = (await browser.get("/schedules")).text.split("data-schedule=")[1:]
        assert "Each hour" in hourly
        assert [f"{hour}:00:00" in hourly for hour in (19, 20, 21, 22)] == [True] * 3 + [False]
        assert "never yet" in hourly
        assert 'data-deed="/api/v1/schedules/hourly/disable"' in hourly
        assert "the config has it switched off" in resting
        assert "data-deed" not in resting
        bench.jobs.write("- log: hello")
        await bench.passes(HOUR)
        await bench.until_told("schedule.fired")
        job = bench.jobs.jobs.listing[0].id
        text = (await browser.get("/parts/schedule-list")).text
        assert f'href="/jobs/{job}"' in text


@pytest.mark.usefixtures(toys.__name__)
async def test_a_schedule_that_was_switched_off_or_refused_says_so(tmp_path: Path) -> None:
    async with with_schedules(tmp_path) as (bench, browser):
        await bench.passes(HOUR)  # there is no such recipe
        await bench.until_told("schedule.refused")
        await browser.post("/api/v1/schedules/hourly/disable", json={})
        text = (await browser.get("/schedules")).text
        assert "Last trouble" in text
        assert "somebody has switched it off" in text
        assert 'data-deed="/api/v1/schedules/hourly/enable"' in text


async def test_about_says_versions_config_health_and_licences(tmp_path: Path) -> None:
    async with with_ledger(tmp_path) as (_, browser):
        text = (await browser.get("/about")).text
        assert "What is done goes on record" in text
        assert "None is configured, and none is needed" in text
        for name, file in VENDORED.items():
            assert name in text
            assert file.sha256[:16] in text
        assert "Permission to use, copy, modify" in text
        assert "siglent.spd1000x" in text


RIGHT = {
    "uptime": 90_061.0,
    "loop_lag": 0.001,
    "database": {"recording": True, "readable": True, "why": ""},
    "disk": {"free": 81e9, "ratio": 0.63},
    "broker": "connected",
    "clock_synced": True,
}


def test_health_that_is_right_asks_for_nothing() -> None:
    lines = health_lines(RIGHT)
    assert {it.kind for it in lines} == {"good"}
    assert [it for it in lines if it.todo] == []
    assert lines[0].text == "1 d 1 h 1 min"


@pytest.mark.parametrize(
    ("wrong", "name", "kind"),
    [
        ({"loop_lag": 0.4}, "Response", "doubt"),
        ({"database": {"recording": False, "readable": True, "why": ""}}, "Recording", "bad"),
        ({"database": {"recording": True, "readable": False, "why": "x"}}, "Database", "bad"),
        ({"disk": {"free": 1e9, "ratio": 0.04}}, "Disk", "doubt"),
        ({"disk": None}, "Disk", "doubt"),
        ({"broker": "disconnected"}, "Broker", "doubt"),
        ({"clock_synced": False}, "Clock", "bad"),
        ({"clock_synced": None}, "Clock", "doubt"),
    ],
)
def test_what_is_wrong_says_so_and_what_to_do(
    wrong: dict[str, object], name: str, kind: str
) -> None:
    [line] = [it for it in health_lines(RIGHT | wrong) if it.kind != "good"]
    assert (line.name, line.kind) == (name, kind)
    assert line.todo

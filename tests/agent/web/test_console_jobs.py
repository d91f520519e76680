"""The pages of jobs as they leave the agent: started, followed, asked and queued, in both languages."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from agent.jobs.states import JobState
from agent.jobs.time_left import TimeLeft
from agent.languages.catalogues import in_language
from agent.store.run_shelf import RunShelf
from agent.web.api import build_api
from agent.web.console.job_items import part_done
from agent.web.console.job_words import RUNS, VERDICTS, duration, left_said
from agent.web.console.steps_shown import recipe_of, standing
from tests.agent.api_bench import client_of
from tests.agent.jobs_bench import JobsBench, jobs_in_memory, toys
from tests.agent.runs_bench import closed_folder
from tests.agent.web_bench import SETTINGS, TOKEN, problem

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

HEAD = """
title: {ko: 시험, en: A trial}
about: {en: Sets a voltage.}
parameters:
  level: {type: number, unit: V, low: 0, high: 8, default: 3, title: {ko: 전압, en: Level}}
  lot: {type: lot, title: {ko: 로트, en: Lot}}
"""
ASKS = """
- confirm: {ko: '준비됐습니까?', en: '<Ready>?'}
- repeat: {times: 2}
  title: {ko: 반복, en: Turns}
  steps:
    - set: {supply.voltage: =level}
    - wait: 30
"""


@asynccontextmanager
async def browsing(folder: Path) -> AsyncIterator[tuple[JobsBench, httpx.AsyncClient]]:
    """Jobs, and a browser that has the token."""
    async with jobs_in_memory(folder) as bench:
        api = build_api(bench.station.station, SETTINGS, TOKEN)

        async def served(scope: Scope, receive: Receive, send: Send) -> None:
            await api({**scope, "state": {}}, receive, send)

        over = httpx.ASGITransport(app=served)
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept-Language": "en"}
        base = "http://127.0.0.1:8080"
        async with httpx.AsyncClient(transport=over, base_url=base, headers=headers) as client:
            yield bench, client


async def seen(client: httpx.AsyncClient, path: str, language: str = "en") -> str:
    answer = await client.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_a_recipe_is_a_card_in_the_language_of_whoever_looks(tmp_path: Path) -> None:
    async with browsing(tmp_path) as (bench, client):
        bench.write("- wait: 1", head=HEAD)
        (bench.recipes / "broken.yaml").write_text("name: broken\n")
        for language, title in (("en", "A trial"), ("ko", "시험")):
            page = await seen(client, "/jobs", language)
            assert f"<strong>{title}</strong>" in page
            assert 'href="/jobs/start/trial"' in page
            assert "Sets a voltage." in page  # better in another language than not at all
            assert "broken.yaml" in page


async def test_the_form_has_every_parameter_with_its_rules_and_every_role(tmp_path: Path) -> None:
    async with browsing(tmp_path) as (bench, client):
        bench.write("- set: {supply.voltage: =level}", head=HEAD)
        page = await seen(client, "/jobs/start/trial")
        [level] = re.findall(r'<input id="take-level"[^>]*>', page)
        assert 'data-low="0.0"' in level
        assert 'data-high="8.0"' in level
        assert 'value="3"' in level
        [lot] = re.findall(r'<input id="take-lot"[^>]*>', page)
        assert "data-pattern=" in lot
        assert "value=" not in lot
        assert '<option value="psu1" selected>' in page
        assert "printer1" not in page.partition('id="role-supply"')[2].partition("</select>")[0]
        problem(await client.get("/jobs/start/nothing"), 404, "no-such")


async def test_what_is_wrong_with_a_parameter_is_said_by_its_name_in_korean(tmp_path: Path) -> None:
    async with browsing(tmp_path) as (bench, client):
        bench.write("- wait: 1", head=HEAD)
        asked = {"recipe": "trial", "arguments": {"level": 9}}
        answer = await client.post("/api/v1/jobs", json=asked, headers={"Accept-Language": "ko"})
        said = problem(answer, 422, "bad-value")
        parts = {it["where"]: it["text"] for it in said["errors"]}
        assert parts.keys() == {"body.arguments.level", "body.arguments.lot"}
        assert "상한" in parts["body.arguments.level"]
        assert "9 V" in parts["body.arguments.level"]
        asked = {"recipe": "trial", "not_before": "soon"}
        said = problem(await client.post("/api/v1/jobs", json=asked), 422, "bad-value")
        assert [it["where"] for it in said["errors"]] == ["body.not_before"]


async def test_a_question_is_first_on_its_page_and_a_banner_on_every_other(tmp_path: Path) -> None:
    async with browsing(tmp_path) as (bench, client):
        bench.write(ASKS, head=HEAD)
        job = await bench.start(lot="L-3")
        question = await bench.until_asked()
        page = await seen(client, f"/jobs/{job.id}")
        main = page.partition("<main")[2]
        assert main.index("&lt;Ready&gt;?") < main.index("<h1>")
        assert f'data-answer="/api/v1/questions/{question.id}/answer"' in page
        for path in ("/", "/devices/psu1", "/jobs", "/jobs/start/trial"):
            banner = (await seen(client, path, "ko")).partition('id="questions"')[2]
            assert f'<a href="/jobs/{job.id}">' in banner.partition("</section>")[0]
            assert "준비됐습니까?" in banner
        await bench.jobs.answer(question.id, value=True, actor=job.by)
        assert "Ready" not in (await seen(client, "/parts/questions"))
        log = (await seen(client, f"/jobs/{job.id}", "ko")).partition('id="job-log"')[2]
        assert "준비됐습니까?" in log.partition("</section>")[0]


async def test_a_file_that_the_store_does_not_have_is_not_chosen_for_anybody(
    tmp_path: Path,
) -> None:
    head = "parameters:\n  part: {type: file, default: gone.gcode}\n"
    async with browsing(tmp_path) as (bench, client):
        bench.write("- wait: 1", head=head)
        (tmp_path / "files" / "cube.gcode").write_text("G28\n")
        field = (await seen(client, "/jobs/start/trial")).partition('id="take-part"')[2]
        options = field.partition("</select>")[0]
        assert options.index('<option value="">') < options.index("cube.gcode")
        assert " selected" not in options


async def test_a_page_says_which_step_runs_which_turn_and_what_is_done(tmp_path: Path) -> None:
    async with browsing(tmp_path) as (bench, client):
        bench.write(ASKS, head=HEAD)
        job = await bench.start(lot="L-3")
        question = await bench.until_asked()
        await bench.jobs.answer(question.id, value=True, actor=job.by)
        await bench.until_at(job, "steps.1.steps.1")
        recipe = recipe_of(job, await bench.jobs.library())
        assert recipe is not None
        assert standing(recipe, job) == {
            "steps.0": "done",
            "steps.1": "now",
            "steps.1.steps.0": "done",
            "steps.1.steps.1": "now",
        }
        page = await seen(client, f"/jobs/{job.id}", "ko")
        assert "반복" in page
        assert "2회 중 1회째" in page
        assert 'data-do="/api/v1/jobs/' + job.id + '/pause"' in page
        await bench.jobs.pause(job.id, job.by)
        await bench.until_state(job, JobState.PAUSED)
        assert "/resume" in await seen(client, f"/parts/jobs/{job.id}/job-controls")
        answer = await client.get("/jobs/of/psu1")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/jobs/{job.id}")
        assert (await client.get("/jobs/of/psu2")).headers["location"] == "/jobs"
        await bench.jobs.stop(job.id, job.by)
        await bench.over(job)
        over = await seen(client, f"/parts/jobs/{job.id}/job-controls")
        assert "confirmed safe" in over
        assert "data-do" not in over


async def test_a_live_page_hears_of_a_question_whatever_it_shows(tmp_path: Path) -> None:
    async with browsing(tmp_path) as (bench, _):
        from agent.web.console.frame import frame
        from agent.web.console.live import Feeds, Seen

        station = bench.station.station
        feeds = Feeds(station.clock, partial(frame, station))
        page = feeds.pieces("any", "en", lambda: Seen({}, {}))
        try:
            bench.write(ASKS, head=HEAD)
            await anext(page)
            await anext(page)
            await bench.start(lot="L-3")
            async with asyncio.timeout(5):
                async for piece in page:
                    if b"changes" in piece:
                        break
            data = json.loads(piece.decode().partition("data: ")[2])
            assert data["parts"] == ["questions"]
        finally:
            await page.aclose()


async def test_the_queue_says_who_waits_why_and_who_holds_it(tmp_path: Path) -> None:
    async with browsing(tmp_path) as (bench, client):
        bench.write("- set: {supply.voltage: 1}\n- wait: 30")
        first, second = await bench.start(), await bench.start()
        await bench.until_state(first, JobState.RUNNING)
        part = await seen(client, "/parts/jobs/queue", "ko")
        assert f'data-job="{second.id}"' in part
        assert f"다른 작업이 사용 중입니다 ({first.id})" in part
        answer = await client.post("/api/v1/queue/hold", json={"reason": "cleaning"})
        assert answer.status_code == 200, answer.text
        part = await seen(client, "/parts/jobs/queue")
        assert "The queue is held" in part
        assert "cleaning" in part
        assert "/api/v1/queue/release" in part


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (None, ""),
        (TimeLeft(), "남은 시간을 알 수 없음"),
        (TimeLeft(kind="at_least", seconds=90), "최소 1분 30초 남음"),
        (TimeLeft(kind="about", seconds=3700, runs=5), "약 1시간 1분 남음 (최근 5회 실행 기준)"),
        (TimeLeft(kind="about", seconds=9.6, runs=1), "약 10초 남음 (직전 실행 기준)"),
    ],
)
def test_the_time_left_says_how_it_is_known(left: TimeLeft | None, said: str) -> None:
    assert in_language(left_said(left), "ko") == said


def test_every_state_and_verdict_has_a_word() -> None:
    assert RUNS.keys() == {*JobState, "open"}
    assert VERDICTS.keys() == {"pass", "fail", "none"}
    assert duration(59.6) == "1 min 0 s"


@asynccontextmanager
async def runs(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on a station with three runs that have ended."""
    shelf = folder / "runs"
    for number in (1, 2, 3):
        ending = {"verdict": "fail" if number == 2 else "pass", "began": f"2026-11-2{number}T15:30"}
        await asyncio.to_thread(closed_folder, shelf, f"2026112{number}-153000-{number}", ending)
    async with jobs_in_memory(folder) as bench:
        station = replace(bench.station.station, runs=RunShelf(shelf))
        async with client_of(station) as client:
            client.base_url = httpx.URL("http://127.0.0.1:8080")
            yield client


async def test_the_history_is_searched_by_days_of_the_station_and_by_words(tmp_path: Path) -> None:
    async with runs(tmp_path) as client:

        async def found(query: str) -> list[str]:
            page = await seen(client, f"/jobs/history?{query}")
            return re.findall(r'href="/jobs/2026112(\d)-\d+-\d/run"', page)

        assert await found("") == ["3", "2", "1"]
        assert await found("verdict=fail") == ["2"]
        # 15:30 UTC is half past midnight of the next day in Seoul.
        assert await found("since=2026-11-23&until=2026-11-23") == ["2"]
        assert await found("text=l-3&by=kim&state=done") == ["3", "2", "1"]
        assert await found("text=nothing") == []
        assert "No run is like this." in await seen(client, "/jobs/history?text=nothing")
        problem(await client.get("/jobs/history?since=2026-02-30"), 422, "bad-value")


async def test_a_runs_page_has_its_verdict_its_values_and_every_file(tmp_path: Path) -> None:
    async with runs(tmp_path) as client:
        page = await seen(client, "/jobs/20261122-153000-2/run", "ko")
        assert 'class="verdict" data-kind="fail">불합격' in page
        assert "L-3" in page
        for file in ("measures.csv", "manifest.json", "manifest.sha256", "recipe.yaml"):
            [address] = re.findall(rf'href="(/api/v1/jobs/[^"]*{file})" download', page)
            assert (await client.get(address)).status_code == 200
        assert 'data-do="/api/v1/jobs/20261122-153000-2/run/verify"' in page
        moved = await client.get("/jobs/20261122-153000-2")
        assert (moved.status_code, moved.headers["location"]) == (
            303,
            "/jobs/20261122-153000-2/run",
        )
        problem(await client.get("/jobs/20261122-153000-9/run"), 404, "no-such")


async def test_the_bar_follows_the_time_and_is_hidden_where_nobody_knows(tmp_path: Path) -> None:
    async with browsing(tmp_path) as (bench, _):
        job = await bench.ran("- wait: 0.1")
        assert part_done(job) == 100
        running = replace(
            job,
            state=JobState.RUNNING,
            left=lambda: TimeLeft(kind="about", seconds=30.0, runs=2),
            elapsed=lambda: 10.0,
        )
        assert part_done(running) == 25
        assert part_done(replace(running, left=TimeLeft)) is None
        assert part_done(replace(running, left=lambda: None)) is None

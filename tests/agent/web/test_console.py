"""The console's pages as they leave the agent: what they may do, and how they are kept up to date."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from agent.fleet.states import DeviceState
from agent.web.console.assets import FILES, FOLDER, VENDORED, address
from tests.agent.web_bench import Web, problem, served, sse


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with served(folder=tmp_path) as found:
        yield found


@pytest.fixture
async def browser(web: Web) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{web.port}") as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/devices/psu1", "/?kiosk"])
async def test_a_page_runs_our_own_files_alone_and_is_kept_by_nobody(
    browser: httpx.AsyncClient, path: str
) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 200
    rules = answer.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'"} <= set(rules)
    assert not any("unsafe" in rule for rule in rules)
    assert answer.headers["cache-control"] == "no-store"
    assert re.findall(r'(?:src|href)="(?:https?:)?//', answer.text) == []


async def test_a_first_visit_is_small(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/devices/psu1")
    files = set(re.findall(r'"(/static/[^"]+)"', page.text))
    assert len(files) > 5
    sizes = [int((await browser.get(file)).headers["content-length"]) for file in files]
    assert sum(sizes) + len(page.content) < 150_000


async def test_an_api_answer_may_still_do_nothing_in_a_browser(web: Web) -> None:
    answer = await web.tcp.get("/station")
    expected = "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["content-security-policy"] == expected


@pytest.mark.parametrize(
    ("headers", "query", "language"),
    [
        ({}, "", "ko"),
        ({"Accept-Language": "en-US,en"}, "", "en"),
        ({"Accept-Language": "en", "Cookie": "language=ko"}, "", "ko"),
        ({"Accept-Language": "en", "Cookie": "language=xx"}, "", "en"),
        ({"Cookie": "language=ko"}, "?language=en", "en"),
    ],
)
async def test_a_page_speaks_the_language_that_was_chosen(
    browser: httpx.AsyncClient, headers: dict[str, str], query: str, language: str
) -> None:
    page = await browser.get(f"/{query}", headers=headers)
    assert f'<html lang="{language}">' in page.text
    assert ("전체 정지" in page.text) is (language == "ko")
    assert ("set-cookie" in page.headers) is bool(query)


async def test_what_a_device_says_is_text_and_never_markup(
    browser: httpx.AsyncClient, web: Web
) -> None:
    evil = "<img src=x onerror=alert(1)>"
    web.bench.events.add("device.fault", evil, device="psu1")
    page = (await browser.get("/devices/psu1")).text
    assert evil not in page
    assert "&lt;img src=x" in page


async def test_stop_by_a_plain_form_needs_nobody_and_says_what_is_safe(
    browser: httpx.AsyncClient, web: Web
) -> None:
    form = {
        "Accept-Language": "en",
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": f"http://127.0.0.1:{web.port}",
    }
    answer = await browser.post("/stop", headers=form)
    assert answer.status_code == 200
    assert "Every device is confirmed safe." in answer.text
    assert "confirmed safe" in answer.text.partition("psu1")[2]


async def test_stop_by_a_form_of_another_site_is_refused(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/stop", headers={"Origin": "http://evil.example"})
    problem(answer, 403, "wrong-origin")


@pytest.mark.parametrize("name", sorted(VENDORED))
def test_a_file_of_somebody_elses_is_what_it_was_and_has_its_licence(name: str) -> None:
    file = VENDORED[name]
    assert sha256((FOLDER / name).read_bytes()).hexdigest() == file.sha256
    assert len((FOLDER / file.licence_file).read_text("utf-8")) > 500
    assert re.fullmatch(r"\d+\.\d+\.\d+", file.version)


def test_every_file_of_somebody_elses_is_on_the_list() -> None:
    assert {name for name in FILES if name.startswith("vendor/")} == set(VENDORED)


async def test_a_file_is_kept_for_good_and_comes_compressed(browser: httpx.AsyncClient) -> None:
    for encoding in ("gzip", "identity"):
        answer = await browser.get(address("console.css"), headers={"Accept-Encoding": encoding})
        assert "immutable" in answer.headers["cache-control"]
        assert answer.content == FILES["console.css"].plain
    assert gzip.decompress(FILES["console.css"].gzipped) == FILES["console.css"].plain


@pytest.mark.parametrize(
    "path",
    [
        "/static/x/../page.py",
        "/static/x/%2e%2e/page.py",
        "/static/x/",
        "/static/x/vendor",
        "/static/x//etc/passwd",
    ],
)
async def test_no_other_file_is_served(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 404


async def test_a_live_page_hears_everything_once_and_then_what_changes(
    browser: httpx.AsyncClient, web: Web
) -> None:
    async with browser.stream("GET", "/live/devices/psu1?language=en") as stream:
        events = sse(stream)
        kind, hello, _ = await anext(events)
        assert (kind, hello["files"] in address("console.css")) == ("hello", True)
        _, first, _ = await anext(events)
        assert first["items"]["state:psu1"][:2] == ["Ready", "ready"]
        web.bench.simulators["psu1"].unplugged = True
        async with asyncio.timeout(5.0):
            async for kind, data, _ in events:
                if kind == "changes" and data["items"].get("state:psu1", [""])[0] == "Offline":
                    break
    await web.bench.until_state("psu1", DeviceState.OFFLINE)


async def test_a_page_and_a_refusal_say_in_korean_what_became_of_a_device(
    browser: httpx.AsyncClient, web: Web
) -> None:
    page = await browser.get("/devices/psu1", headers={"Accept-Language": "ko"})
    assert "psu1: 응답합니다 (Toy T1" in page.text.replace("Toy,T1,S1,1.0", "Toy T1")
    web.bench.simulators["psu1"].unplugged = True
    await web.bench.until_state("psu1", DeviceState.OFFLINE)
    set_it = "/devices/psu1/settings/voltage"
    said = await web.token.put(set_it, json={"value": 1}, headers={"Accept-Language": "ko-KR"})
    assert "응답 없음" in said.json()["detail"]
    assert "보낸 것이 없습니다" in said.json()["detail"]
    stopped = await web.tcp.post("/stop", json={}, headers={"Accept-Language": "ko-KR"})
    assert "보낸 것이 없습니다" in stopped.json()["devices"]["psu1"]["message"]
    said = await web.token.put(set_it, json={"value": 1})
    assert "nothing was sent" in said.json()["detail"]

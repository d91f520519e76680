"""What the doors do for pages of the agent's own: their policy, their forms, and how often one may ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from agent.web import limits
from agent.web.doors import POLICY_OF_PAGES, Doors
from agent.web.limits import Limits
from agent.web.listeners import bind_tcp
from agent.web.problems import Problem
from tests.agent.people_bench import HandClock, House, house
from tests.agent.web_bench import SETTINGS, TOKEN, problem, serving

pytestmark = pytest.mark.lab

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def page(_: Request) -> Response:
    return HTMLResponse("<p>a page</p>")


async def kept(_: Request) -> Response:
    return Response(
        b"/* a style */", headers={"Cache-Control": "max-age=60"}, media_type="text/css"
    )


async def act(request: Request) -> Response:
    body = (await request.body()).decode()
    return JSONResponse({"actor": request.state.actor.name, "body": body})


def site() -> Starlette:
    """Some pages as the console has them."""
    paths = ("/act", "/stop", "/api/v1/act", "/sign-in")
    acts = [Route(path, act, methods=["POST"]) for path in paths]
    return Starlette(routes=[Route("/", page), Route("/static/a.css", kept), *acts])


@asynccontextmanager
async def served(lab: House, kim: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """The pages behind their doors, on a port of their own, and a browser with the session of kim."""
    doors = Doors(site(), SETTINGS, TOKEN, lab.people, clock=lab.clock)
    sock = bind_tcp("127.0.0.1:0", "api.listen")
    port = sock.getsockname()[1]
    [cookie] = kim.cookies.jar
    own = {"Cookie": f"labkeeper-{port}={cookie.value}"}
    async with serving(doors, sock):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=own) as client:
            yield client


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with AsyncExitStack() as stack:
        lab = await stack.enter_async_context(house(tmp_path, "kim"))
        kim = await lab.browser("kim")
        client = await stack.enter_async_context(served(lab, kim))
        client.headers["X-Csrf-Of-Kim"] = kim.headers["X-CSRF-Token"]
        yield client


def own(client: httpx.AsyncClient) -> dict[str, str]:
    return {**FORM, "Origin": str(client.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}


async def test_pages_run_no_code_that_stands_in_them_and_stand_in_no_frame(
    browser: httpx.AsyncClient,
) -> None:
    found = await browser.get("/")
    assert found.headers["content-security-policy"] == POLICY_OF_PAGES
    for word in ("unsafe-inline", "unsafe-eval", "*", "http:", "https:"):
        assert word not in POLICY_OF_PAGES
    assert found.headers["cache-control"] == "no-store"
    style = await browser.get("/static/a.css")
    assert style.headers["cache-control"] == "max-age=60"
    assert style.headers["content-security-policy"].startswith("default-src 'none'")


async def test_a_form_of_our_own_page_acts_with_the_token_in_it(browser: httpx.AsyncClient) -> None:
    csrf = browser.headers["X-Csrf-Of-Kim"]
    body = f"value=1&csrf={csrf}"
    found = await browser.post("/act", content=body, headers=own(browser))
    assert found.json() == {"actor": "kim", "body": body}
    headers = {**own(browser), "X-CSRF-Token": csrf}
    assert (await browser.post("/act", content="value=1", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        "value=1",
        "csrf=",
        "csrf=0",
        "csrf={csrf}&csrf={csrf}",
        "csrf={csrf}x",
        "\xff",
        "a=1&" * 2000,
    ],
)
async def test_a_form_without_its_token_does_nothing(browser: httpx.AsyncClient, body: str) -> None:
    content = body.format(csrf=browser.headers["X-Csrf-Of-Kim"]).encode("latin-1")
    problem(await browser.post("/act", content=content, headers=own(browser)), 403, "no-csrf")


async def test_a_form_says_where_it_comes_from_and_the_api_takes_none(
    browser: httpx.AsyncClient,
) -> None:
    body = f"csrf={browser.headers['X-Csrf-Of-Kim']}"
    problem(await browser.post("/act", content=body, headers=FORM), 403, "wrong-origin")
    problem(await browser.post("/stop", content=body, headers=FORM), 403, "wrong-origin")
    answer = await browser.post("/api/v1/act", content=body, headers=own(browser))
    problem(answer, 415, "not-json")


async def test_stop_and_signing_in_by_a_form_are_open_to_everybody(
    browser: httpx.AsyncClient,
) -> None:
    for path in ("/stop", "/sign-in"):
        found = await browser.post(path, content="a=1", headers=own(browser))
        assert found.json()["actor"] == "no token"  # without the token of the page nobody is kim
        del browser.headers["Cookie"]
        assert (await browser.post(path, content="a=1", headers=own(browser))).status_code == 200
        browser.headers["Cookie"] = ""
    problem(await browser.post("/act", content="a=1", headers=own(browser)), 401, "no-token")


def test_who_asks_too_often_is_asked_to_wait_and_nobody_else_is() -> None:
    clock = HandClock()
    bucket = Limits(clock, rate=10.0, burst=5.0)
    clock.monotonic = lambda: clock.ahead  # type: ignore[method-assign]
    for _ in range(5):
        bucket.check_rate("kim")
    with pytest.raises(Problem) as refused:
        bucket.check_rate("kim")
    assert refused.value.kind == "too-many"
    assert refused.value.headers["Retry-After"] == "1"
    bucket.check_rate("lee")
    clock.wind(0.1)
    bucket.check_rate("kim")
    with pytest.raises(Problem):
        bucket.check_rate("kim")


def test_streams_are_counted_while_they_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_STREAMS_OF_ONE", 2)
    monkeypatch.setattr(limits, "MOST_STREAMS", 3)
    bucket = Limits(HandClock())
    with ExitStack() as open_:
        for _ in range(2):
            open_.enter_context(bucket.stream("kim", "/api/v1/events/stream"))
        with bucket.stream("kim", "/api/v1/devices"):
            pass
        with pytest.raises(Problem, match="close one"), bucket.stream("kim", "/x/stream"):
            raise AssertionError("unreachable")
        with bucket.stream("lee", "/x/stream"):
            with pytest.raises(Problem), bucket.stream("park", "/x/stream"):
                raise AssertionError("unreachable")
    with bucket.stream("kim", "/x/stream"):
        pass


async def test_stop_is_taken_also_from_who_asks_too_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path) as lab:
        nobody = await lab.browser()
        monkeypatch.setattr(Limits, "check_rate", _always_too_often)
        problem(await nobody.get("/devices"), 429, "too-many")
        assert (await nobody.post("/stop", json={})).status_code == 200


def _always_too_often(*_: object) -> None:
    raise Problem("too-many", "ask less often")

"""Every route there is, with no, wrong, ended and low credentials, from this machine and from others."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.web.api import api_of, doors_of
from agent.web.limits import STREAMS
from agent.web.listeners import bind_tcp
from tests.agent.people_bench import House, house
from tests.agent.web.test_web_contract import GOLDEN
from tests.agent.web.test_web_doors import NAMES
from tests.agent.web_bench import SETTINGS, TOKEN, serving

pytestmark = pytest.mark.lab

FILE = "/files/part.gcode"
NETWORK = "bench-1.lab.example"
BEGINNINGS = {("post", "/session"), ("post", "/first-administrator")}
"""Where somebody begins to be known."""
OF_PEOPLE = ("/users", "/tokens", "/first-administrator/code")
OWN = {"/session", "/session/unlock", "/session/password", "/session/language"}
"""What everybody who has signed in may do."""
CREDENTIALS = [
    *("none", "wrong token", "other scheme", "two tokens"),
    *("ended token", "revoked token", "token of one who is out"),
    *("forged cookie", "ended session", "signed out", "session of one who is out"),
]


def operations() -> Iterator[tuple[str, str, Any]]:
    """Method, path and an example of the body of every route, from the document that is published."""
    document = json.loads(GOLDEN.read_text("utf-8"))
    for path, methods in document["paths"].items():
        for method, it in methods.items():
            content = it.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            name = schema.get("$ref", "").rpartition("/")[2]
            body = document["components"]["schemas"][name]["examples"][0] if name else {}
            if (method, path) == ("post", "/api/v1/session"):
                body = {"name": "no-one", "password": "guessed password"}
            filled = path.removeprefix("/api/v1").format(**NAMES)
            yield method, filled.replace("/files/last", FILE), body


OPERATIONS = list(operations())


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, "ob", "kim", "lee", "park") as found:
        yield found


async def credential(lab: House, which: str) -> list[tuple[str, str]]:
    """Headers that are not, or no longer, good for anything."""
    match which:
        case "none":
            return []
        case "wrong token":
            return [("Authorization", f"Bearer {TOKEN}x")]
        case "other scheme":
            return [("Authorization", f"Basic {TOKEN}")]
        case "two tokens":
            return [("Authorization", f"Bearer {TOKEN}")] * 2
        case "forged cookie":
            return [("Cookie", f"labkeeper-{lab.port}={'A' * 43}"), ("X-CSRF-Token", "0" * 64)]
    if "token" in which:
        return [("Authorization", f"Bearer {await _spoilt_token(lab, which)}")]
    return await _spoilt_session(lab, which)


async def _spoilt_token(lab: House, which: str) -> str:
    park = await lab.browser("park")
    body = {"name": "t", "scope": "engineer", "days": 1}
    token: str = (await park.post("/tokens", json=body)).json()["token"]
    if which == "ended token":
        lab.clock.wind(86_400.0)
    elif which == "revoked token":
        await park.request("DELETE", "/tokens/t", json={})
    else:
        await lab.unix.post("/users/kim/role", json={"role": "administrator"})
        await lab.unix.post("/users/park/disable", json={})
    return token


async def _spoilt_session(lab: House, which: str) -> list[tuple[str, str]]:
    lee = await lab.browser("lee")
    [cookie] = lee.cookies.jar
    given = [
        ("Cookie", f"{cookie.name}={cookie.value}"),
        ("X-CSRF-Token", lee.headers["X-CSRF-Token"]),
    ]
    if which == "ended session":
        lab.clock.wind(lab.people.sessions.rules.longest)
    elif which == "signed out":
        await lee.request("DELETE", "/session", json={})
    else:
        await lab.unix.post("/users/lee/disable", json={})
    return given


async def status(
    client: httpx.AsyncClient, method: str, path: str, body: Any, headers: list[tuple[str, str]]
) -> int:
    """The status of the answer, whose end is not waited for: some have none."""
    content = None if method == "get" else json.dumps(body).encode()
    kind = "application/octet-stream" if (method, path) == ("put", FILE) else "json"
    more = [("Content-Type", kind if "/" in kind else f"application/{kind}")]
    request = client.build_request(
        method, path, content=content, headers=[*headers, *(more if content else [])]
    )
    async with AsyncExitStack() as stack:
        answer = await client.send(request, stream=True)
        stack.push_async_callback(answer.aclose)
        return answer.status_code


def changes_of(lab: House) -> list[str]:
    return [it for it in lab.bench.simulators["psu1"].asked if it.startswith("volt ")]


@pytest.mark.parametrize("which", CREDENTIALS)
async def test_bad_credentials_are_as_good_as_none_on_every_route(lab: House, which: str) -> None:
    given = await credential(lab, which)
    nobody = await lab.browser()
    for method, path, body in OPERATIONS:
        found = await status(nobody, method, path, body, given)
        if path.endswith("/stop"):
            expected = {200, 404}
        elif (method, path) in BEGINNINGS:
            expected = {401}  # which has its own reason: this name and password are nobody's
        elif method == "get":
            expected = {401} if path.startswith(OF_PEOPLE) else {200, 404, 409, 503}
        else:
            expected = {401}
        assert found in expected, (method, path, found)
    assert changes_of(lab) == []


@pytest.mark.parametrize("which", CREDENTIALS)
async def test_from_another_machine_they_open_nothing_at_all(lab: House, which: str) -> None:
    given = await credential(lab, which)
    station = replace(lab.bench.station, people=lab.people, clock=lab.clock)
    doors = doors_of(api_of(station, SETTINGS), station, SETTINGS, TOKEN, network=(NETWORK,))
    sock = bind_tcp("127.0.0.1:0", "api.network.listen")
    async with serving(doors, sock), httpx.AsyncClient() as client:
        client.base_url = f"http://127.0.0.1:{sock.getsockname()[1]}/api/v1"
        client.headers["Host"] = NETWORK
        for method, path, body in OPERATIONS:
            found = await status(client, method, path, body, given)
            is_open = path == "/session" and method == "get"
            assert found == (200 if is_open else 401), (method, path, found)
    assert changes_of(lab) == []
    assert "outp 0" not in lab.bench.simulators["psu1"].asked


async def test_an_observer_changes_nothing_but_what_is_their_own(lab: House) -> None:
    observer = await lab.browser("ob")
    before = lab.people.accounts.listing
    for method, path, body in OPERATIONS:
        if method == "get" or path in OWN or path.endswith("/stop"):
            continue
        found = await status(observer, method, path, body, [])
        if path.startswith(OF_PEOPLE):
            assert found == 403, (method, path)
        assert found in {401, 403, 404, 409}, (method, path, found)
    assert changes_of(lab) == []
    assert lab.people.accounts.listing == before
    assert lab.people.tokens.listing == ()


def test_every_endless_answer_has_a_path_by_which_it_is_counted() -> None:
    document = json.loads(GOLDEN.read_text("utf-8"))
    streams = [
        path
        for path, methods in document["paths"].items()
        for it in methods.values()
        if "text/event-stream" in it["responses"]["200"]["content"]
    ]
    assert len(streams) == 2
    assert all(STREAMS.fullmatch(path) for path in streams)

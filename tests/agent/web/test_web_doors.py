"""Who may come in: a program with the token, the kernel's word on the socket, and no web page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from agent.web import bodies
from agent.web.api import api_of
from agent.web.bodies import LARGEST_BODY
from tests.agent.web_bench import TOKEN, Web, problem, said, served

pytestmark = pytest.mark.lab

JSON = {"Content-Type": "application/json"}
SET = "/devices/psu1/settings/voltage"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with served(folder=tmp_path) as found:
        yield found


NAMES = {
    "device": "psu1",
    "reading": "voltage",
    "setting": "voltage",
    "command": "ramp",
    "name": "last",
    "digest": "0",
    "file": "measures.csv",
    "record": "warm_up",
    "job": "j1",
    "recipe": "trial",
    "part": "job-log",
    "question": "j1.q1",
    "schedule": "nightly",
    "alarm": "oven-too-hot",
}
BEGINNINGS = (
    *("/session", "/first-administrator", "/sign-in", "/sign-in/first"),
    *("/sign-in/provider", "/sign-in/provider/back"),
)
"""Where somebody begins to be known."""


def routes(web: Web) -> Iterator[tuple[str, str]]:
    """Method and path of every route, with names filled in."""
    for context in iter_route_contexts(api_of(web.bench.station).routes):
        for method in sorted(context.methods or ()):
            path = str(context.path).replace(":path", "").format(**NAMES)
            of_api = path.removeprefix("/api/v1")
            yield method, of_api if of_api != path else f"http://127.0.0.1:{web.port}{path}"


async def test_every_route_that_changes_refuses_without_the_token_and_stop_alone_does_not(
    web: Web,
) -> None:
    found = [(method, path) for method, path in routes(web) if method not in {"GET", "HEAD"}]
    assert len(found) == 51
    for method, path in found:
        for headers in ({}, {"Authorization": f"Bearer {TOKEN}x"}):
            answer = await web.tcp.request(method, path, json={}, headers=headers)
            if method == "POST" and path.endswith(BEGINNINGS):
                problem(answer, 500, "not-kept")  # it came as far as there are no people here
            elif path == "/jobs/j1/stop":
                problem(answer, 404, "no-such")  # it came as far as there is no such job
            elif path.endswith("/stop"):
                assert answer.status_code == 200
            else:
                assert "api.token_file" in problem(answer, 401, "no-token")["detail"]
                assert answer.headers["www-authenticate"].startswith("Bearer")
    assert not [sent for sent in web.bench.simulators["psu1"].asked if sent.startswith("volt ")]


async def test_what_has_no_route_needs_the_token_before_it_is_said_to_be_missing(web: Web) -> None:
    for path in (
        "/nothing",
        "/devices/psu1/commands/stop",
        "/devices/a/b/stop",
        "/stop/",
        "//stop",
    ):
        problem(await web.tcp.post(path, json={}), 401, "no-token")
    problem(await web.tcp.request("BREW", "/stop2", json={}), 401, "no-token")


@pytest.mark.parametrize(
    "given",
    [
        TOKEN,
        f"Basic {TOKEN}",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        "Bearer",
        b"Bearer \xff\xfe",
    ],
)
async def test_a_wrong_token_is_as_good_as_none(web: Web, given: str | bytes) -> None:
    none = await web.tcp.put(SET, json={"value": 1})
    header = given if isinstance(given, bytes) else given.encode()
    wrong = await web.tcp.put(SET, json={"value": 1}, headers={b"Authorization": header})
    problem(wrong, 401, "no-token")
    assert wrong.content == none.content


async def test_two_tokens_are_none(web: Web) -> None:
    both = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", f"Bearer {TOKEN}")]
    problem(await web.tcp.put(SET, json={"value": 1}, headers=both), 401, "no-token")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost.evil.example:{port}",
        "127.0.0.1:{port}.evil.example",
        "evil.example#127.0.0.1:{port}",
        "tunnel.lab",
        "tunnel.lab:{port}",
        "xbench.lab",
        "bench.lab.",
        "",
        "127.0.0.1:{port}, evil.example",
    ],
)
async def test_a_request_for_another_host_is_misdirected(web: Web, host: str) -> None:
    headers = {"Host": host.format(port=web.port)}
    for client in (web.tcp, web.token):
        answer = await client.get("/station", headers=headers)
        assert "bench.lab" in problem(answer, 421, "wrong-host")["detail"]
    problem(await web.tcp.post("/stop", json={}, headers=headers), 421, "wrong-host")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:{port}",
        "LOCALHOST:{port}",
        "[::1]:{port}",
        "bench.lab",
        "bench.lab:{port}",
        "tunnel.lab:9000",
    ],
)
async def test_the_names_of_loopback_and_of_config_are_the_agents_own(web: Web, host: str) -> None:
    headers = {"Host": host.format(port=web.port)}
    assert (await web.tcp.get("/station", headers=headers)).status_code == 200


async def test_the_socket_goes_by_names_of_its_own(web: Web) -> None:
    for host in ("127.0.0.1", "evil.example", f"localhost:{web.port}"):
        problem(await web.unix.get("/station", headers={"Host": host}), 421, "wrong-host")
    assert (await web.unix.get("/station", headers={"Host": "labkeeper"})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1:{port}.evil.example"},
        {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_page_of_another_site_may_neither_read_nor_change_nor_stop(
    web: Web, headers: dict[str, str]
) -> None:
    filled = {name: value.format(port=web.port) for name, value in headers.items()}
    problem(await web.tcp.get("/devices", headers=filled), 403, "wrong-origin")
    problem(await web.token.put(SET, json={"value": 1}, headers=filled), 403, "wrong-origin")
    problem(await web.tcp.post("/stop", json={}, headers=filled), 403, "wrong-origin")
    assert "outp 0" not in web.bench.simulators["psu1"].asked


async def test_a_page_of_the_agents_own_may_read(web: Web) -> None:
    own = {"Origin": f"http://127.0.0.1:{web.port}", "Sec-Fetch-Site": "same-origin"}
    assert (await web.tcp.get("/station", headers=own)).status_code == 200


async def test_no_page_is_ever_told_that_it_may_ask_from_elsewhere(web: Web) -> None:
    asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "*"}
    for origin in ("http://evil.example", f"http://127.0.0.1:{web.port}"):
        answer = await web.tcp.options("/stop", headers={"Origin": origin, **asking})
        assert answer.status_code in {403, 405}
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json-patch+json",
        "text/plain; application/json",
        "application/jsonx",
    ],
)
async def test_what_a_form_of_a_page_can_send_is_not_taken(web: Web, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    for client, path in ((web.tcp, "/stop"), (web.token, "/devices/psu1/stop")):
        answer = await client.post(path, content=b"{}", headers=headers)
        problem(answer, 415, "not-json")
    problem(await web.token.put(SET, content=b'{"value":1}', headers=headers), 415, "not-json")
    problem(await web.unix.put(SET, content=b'{"value":1}', headers=headers), 415, "not-json")


async def test_stop_on_the_socket_needs_nothing_at_all(web: Web) -> None:
    assert (await web.unix.post("/stop")).status_code == 200
    assert (await web.unix.post("/devices/psu1/stop")).status_code == 200


@pytest.mark.parametrize("size", [LARGEST_BODY + 1, 4_000_000])
async def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(
    web: Web, size: int
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(0, size, 65_536):
            yield b" " * 65_536

    for content in (b" " * size, pieces()):
        try:
            answer = await web.token.put(SET, content=content, headers=JSON)
        except httpx.TransportError:
            assert size > bodies.LARGEST_LEFTOVER  # the agent had hung up while we still sent
        else:
            problem(answer, 413, "too-large")
    assert (await web.token.put(SET, json={"value": 1})).status_code == 200


async def test_the_largest_body_is_taken(web: Web) -> None:
    body = b'{"value": 1}'.ljust(LARGEST_BODY)
    assert (await web.token.put(SET, content=body, headers=JSON)).status_code == 200


async def test_a_body_that_does_not_arrive_is_not_waited_for(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_WITHIN_S", 0.05)

    head = f"PUT /api/v1{SET} HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nContent-Length: 9\r\n"
    head += f"Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n\r\n"
    answer = await said(web.port, head.encode() + b"{")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the body was not complete after 0.05 s" in answer


async def test_every_answer_may_be_kept_by_nobody_and_shown_in_no_frame(web: Web) -> None:
    answers: list[Any] = [
        await web.tcp.get("/station"),
        await web.tcp.get("/nothing"),
        await web.tcp.put(SET, json={"value": 1}),
    ]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers

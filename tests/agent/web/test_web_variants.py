"""One request in many disguises: names, origins, paths and bodies that others have been taken in by.

Each is sent as bytes, so that no client mends it. Sources of the lessons: bypasses of OctoPrint
(forwarded addresses, upload fields), Jupyter (origins by pattern), Grafana (literal and encoded
paths), MCP servers (DNS rebinding).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.agent.people_bench import House, house
from tests.agent.web_bench import TOKEN, said

pytestmark = pytest.mark.lab

SET = "/api/v1/devices/psu1/settings/voltage"
BODY = b'{"value": 1.5}'


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[House]:
    (tmp_path / "secret.gcode").write_bytes(b"a secret")
    async with house(tmp_path, "kim") as found:
        yield found


async def ask(
    lab: House,
    target: str,
    *headers: str,
    method: str = "GET",
    body: bytes = b"",
    host: str | None = None,
) -> tuple[int, bytes]:
    """Send one request as it is written, and return status and what came with it."""
    lines = [
        f"{method} {target} HTTP/1.1",
        *([] if host == "" else [f"Host: {host or f'127.0.0.1:{lab.port}'}"]),
        *headers,
        *([f"Content-Length: {len(body)}"] if body else []),
        "Connection: close",
    ]
    answer = await said(lab.port, "\r\n".join([*lines, "", ""]).encode("latin-1") + body)
    head, _, rest = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), rest


def changes(lab: House) -> list[str]:
    return [it for it in lab.bench.simulators["psu1"].asked if it.startswith("volt ")]


AS_KNOWN = (f"Authorization: Bearer {TOKEN}", "Content-Type: application/json")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:0{port}",
        "127.0.0.1:{port}@evil.example",
        "evil.example@127.0.0.1:{port}",
        "127.0.0.1:{port}#evil.example",
        "127.0.0.1.evil.example:{port}",
        "127.1:{port}",
        "2130706433:{port}",
        "0x7f000001:{port}",
        "0177.0.0.1:{port}",
        "[::ffff:127.0.0.1]:{port}",
        "[::1%25lo]:{port}",
        "localhost.:{port}",
        "localhost.evil.example:{port}",
        "\u24db\u24de\u24d2alhost:{port}",
        "127.0.0.1:{port}/",
        "127.0.0.1:{port},127.0.0.1:{port}",
        "0.0.0.0:{port}",
        "http://127.0.0.1:{port}",
        "bench.lab:1",
        "xbench.lab",
        "bench-lab",
    ],
)
async def test_a_name_that_is_not_exactly_one_of_ours_is_refused(lab: House, host: str) -> None:
    named = host.format(port=lab.port).encode("utf-8").decode("latin-1")
    for method, target in (("GET", "/api/v1/devices"), ("POST", "/api/v1/stop")):
        body = b"{}" if method == "POST" else b""
        status, _ = await ask(lab, target, *AS_KNOWN, method=method, body=body, host=named)
        assert status in {400, 421}
    assert "outp 0" not in lab.bench.simulators["psu1"].asked


async def test_no_name_or_two_names_are_refused(lab: House) -> None:
    assert (await ask(lab, "/api/v1/devices", host=""))[0] in {400, 421}
    own = f"Host: 127.0.0.1:{lab.port}"
    assert (await ask(lab, "/api/v1/devices", own))[0] in {400, 421}
    assert (await ask(lab, "/api/v1/devices", "Host: evil.example"))[0] in {400, 421}


async def test_a_target_with_a_name_of_its_own_changes_nothing_of_that(lab: House) -> None:
    for name in ("evil.example", f"127.0.0.1:{lab.port}"):
        status, _ = await ask(lab, f"http://{name}/api/v1/devices", host="evil.example")
        assert status in {400, 404, 421}


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:{port}.evil.example",
        "http://127.0.0.1:{port}@evil.example",
        "http://evil.example#http://127.0.0.1:{port}",
        "http://127.0.0.1:{port}/",
        "ftp://127.0.0.1:{port}",
        "file://127.0.0.1:{port}",
        "http:127.0.0.1:{port}",
        "127.0.0.1:{port}",
        "http://xbench.lab",
        "http://bench.lab.evil.example",
        "http://benchxlab",
        "http://127.0.0.1:{port} http://evil.example",
    ],
)
async def test_a_page_from_elsewhere_may_not_ask_whoever_it_asks_as(
    lab: House, origin: str
) -> None:
    given = f"Origin: {origin.format(port=lab.port)}"
    for method, target, body in (
        ("GET", "/api/v1/devices", b""),
        ("GET", "/api/v1/session", b""),
        ("POST", "/api/v1/stop", b"{}"),
        ("PUT", SET, BODY),
        ("POST", "/api/v1/session", b'{"name": "kim", "password": "x"}'),
    ):
        status, _ = await ask(lab, target, given, *AS_KNOWN, method=method, body=body)
        assert status == 403, (method, target)
    assert changes(lab) == []


@pytest.mark.parametrize("site", ["cross-site", "same-site", "SAME-ORIGIN", "", "x"])
async def test_a_browser_that_says_it_comes_from_elsewhere_is_believed(
    lab: House, site: str
) -> None:
    status, _ = await ask(lab, SET, f"Sec-Fetch-Site: {site}", *AS_KNOWN, method="PUT", body=BODY)
    assert status == 403


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Host: 127.0.0.1",
        "X-Forwarded-User: park",
        "X-Remote-User: root",
        "Remote-User: root",
        "X-Real-IP: 127.0.0.1",
        "Forwarded: for=127.0.0.1;host=localhost",
        "X-Original-URL: /api/v1/session",
        "X-Rewrite-URL: /api/v1/stop",
        "X-HTTP-Method-Override: GET",
        "X-Preemptive-Recording: yes",
        "X-Labkeeper-Role: administrator",
    ],
)
async def test_no_header_of_a_proxy_or_of_our_own_making_lets_anybody_in(
    lab: House, header: str
) -> None:
    json_kind = "Content-Type: application/json"
    assert (await ask(lab, SET, header, json_kind, method="PUT", body=BODY))[0] == 401
    status, _ = await ask(lab, SET, header, *AS_KNOWN, method="GET", body=BODY)
    assert status == 405
    assert changes(lab) == []


@pytest.mark.parametrize("override", ["?_method=PUT", "?method=PUT", "?value=1.5"])
async def test_reading_never_changes_anything(lab: House, override: str) -> None:
    seen = ("/api/v1/devices/psu1/stop", "/api/v1/session")  # how the last one ended; who asks
    for target in (SET, "/api/v1/stop", *seen):
        for method in ("GET", "HEAD", "OPTIONS"):
            status, _ = await ask(lab, target + override, *AS_KNOWN, method=method)
            assert status == (200 if target in seen and method == "GET" else 405)
    assert changes(lab) == []
    assert "outp 0" not in lab.bench.simulators["psu1"].asked


@pytest.mark.parametrize(
    "cookie",
    [
        "labkeeper-{port}=",
        "labkeeper-{port}={secret}x",
        "labkeeper={secret}",
        "labkeeper-1={secret}",
        "__Host-labkeeper-{port}={secret}",
        "LABKEEPER-{port}={secret}",
        "labkeeper-{port}=" + "A" * 5000,
        "labkeeper-{port}=%00",
        'labkeeper-{port}="',
        "x=labkeeper-{port}={secret}",
    ],
)
async def test_a_cookie_that_is_not_exactly_the_one_that_was_given_is_none(
    lab: House, cookie: str
) -> None:
    kim = await lab.browser("kim")
    [own] = kim.cookies.jar
    given = cookie.format(port=lab.port, secret=own.value)
    csrf = f"X-CSRF-Token: {kim.headers['X-CSRF-Token']}"
    status, _ = await ask(lab, SET, f"Cookie: {given}", csrf, AS_KNOWN[1], method="PUT", body=BODY)
    assert status == 401
    right = f"Cookie: labkeeper-{lab.port}={own.value}"
    assert (await ask(lab, SET, right, csrf, AS_KNOWN[1], method="PUT", body=BODY))[0] == 200

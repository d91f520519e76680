"""Paths and bodies in many disguises: see test_web_variants, which has names, origins and cookies."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.agent.people_bench import House, house
from tests.agent.web.test_web_variants import AS_KNOWN, SET, ask, changes
from tests.agent.web_bench import said

pytestmark = pytest.mark.lab

BODY = b'{"value": 1.5}'


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[House]:
    (tmp_path / "secret.gcode").write_bytes(b"a secret")
    async with house(tmp_path, "kim") as found:
        yield found


@pytest.mark.parametrize(
    "name",
    [
        "../secret.gcode",
        "..%2fsecret.gcode",
        "..%2Fsecret.gcode",
        "%2e%2e/secret.gcode",
        "%2e%2e%2fsecret.gcode",
        "..%252fsecret.gcode",
        "%252e%252e%252fsecret.gcode",
        "..%5csecret.gcode",
        "..\\secret.gcode",
        "....//secret.gcode",
        "..;/secret.gcode",
        ".%00./secret.gcode",
        "..%c0%afsecret.gcode",
        "..%e0%80%afsecret.gcode",
        "..%uff0fsecret.gcode",
        "..%ef%bc%8fsecret.gcode",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "file:%2f%2f%2fetc%2fpasswd",
        "secret.gcode%00.txt",
        "./../secret.gcode",
        ":name",
        "{name}",
        "%7Bname%7D",
        "~root%2f.bashrc",
        "C:%5csecret.gcode",
        "secret.gcode::$DATA",
        "%0d%0aX-Injected:%20yes",
    ],
)
async def test_no_name_of_a_file_leads_out_of_its_folder(lab: House, name: str) -> None:
    written = name.encode("utf-8").decode("latin-1")
    for base in ("/api/v1/files/", "/api/v1/jobs/j1/run/", "/api/v1/devices/psu1/wire/faults/"):
        status, text = await ask(lab, base + written)
        assert status in {400, 404, 422}
        assert b"a secret" not in text
        assert b"root:" not in text
        assert b"\nX-Injected" not in text
    status, _ = await ask(
        lab,
        "/api/v1/files/" + written,
        AS_KNOWN[0],
        "Content-Type: application/octet-stream",
        method="PUT",
        body=b"G28\n",
    )
    assert status in {400, 404, 405, 415, 422} or name.startswith("%25")  # which is a plain name
    assert sorted(it.name for it in lab.path.parent.glob("*.gcode")) == ["secret.gcode"]
    assert (lab.path.parent / "secret.gcode").read_bytes() == b"a secret"


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/%73top",
        "/api/v1/devices/%2e%2e/stop2",
        "/API/V1/devices/psu1/settings/voltage",
        "/api/v1/../v1/users",
        "/api/v1/%75sers",
        "/api/v1//users",
        "/api/v1/users/",
        "/api/v1/users%2f",
        "/api/v1/users;x",
        "/api/v1/users%00",
        "/api/v1/users?x=/stop",
        "/api/v1/users#/stop",
        "/api/v1/users%23/stop",
        "/api/v1/users%3f/stop",
        "/api/v1/session/../users",
        "/sign-in/../api/v1/users",
        "/static/../api/v1/users",
        "/static/%2e%2e/api/v1/users",
    ],
)
async def test_no_spelling_of_a_path_opens_what_is_shut(lab: House, target: str) -> None:
    new = json.dumps({"name": "eve", "role": "administrator", "password": "guessed password"})
    kind = "Content-Type: application/json"
    for method, body in (("POST", new.encode()), ("GET", b"")):
        status, text = await ask(lab, target, kind, method=method, body=body)
        # A path that only spells `stop` in another way is `stop`, which is open to everybody.
        if target.endswith("%73top") and method == "POST":
            assert status == 200
        else:
            assert status in {400, 401, 403, 404, 405}
        assert b'"kim"' not in text
    assert [it.name for it in lab.people.accounts.listing] == ["kim"]


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 14", "Content-Length: 15"],
        ["Content-Length: +14"],
        ["Content-Length: 14, 14x"],
        ["Content-Length: -1"],
        ["Transfer-Encoding: chunked", "Content-Length: 14"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding: chunked, identity"],
        ["Content-Length : 14"],
        ["X: y\nContent-Length: 14"],
        [" Content-Length: 14"],
    ],
)
async def test_a_body_of_two_lengths_is_no_second_request(lab: House, lines: list[str]) -> None:
    head = "\r\n".join(
        [f"PUT {SET} HTTP/1.1", f"Host: 127.0.0.1:{lab.port}", *lines, "Connection: close", "", ""]
    )
    smuggled = f"POST /api/v1/stop HTTP/1.1\r\nHost: 127.0.0.1:{lab.port}\r\n\r\n"
    answer = await said(lab.port, head.encode() + BODY + smuggled.encode())
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.split()[1] in {b"400", b"401", b"408", b"415", b"421", b"501"}
    assert changes(lab) == []
    assert "outp 0" not in lab.bench.simulators["psu1"].asked

"""Uploads that mean no good, or go wrong: nothing leads out of the store, and nothing half stays."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.store.files import FileStore
from agent.web import uploads
from agent.web.bodies import LARGEST_BODY
from tests.agent.files_bench import Examiner, left_in
from tests.agent.web_bench import TOKEN, Web, problem, said, served, until, upload_head

pytestmark = pytest.mark.lab

FILE = {"Content-Type": "application/octet-stream"}


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    (tmp_path / "secret.gcode").write_bytes(b"a secret")
    files = FileStore(tmp_path / "files", limit=10_000_000, examine=Examiner())
    await files.tidy()
    async with served(folder=tmp_path, files=files) as found:
        yield found


@pytest.fixture
def folder(web: Web) -> Path:
    return web.path.parent / "files"


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "text/plain",
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain; application/octet-stream",
    ],
)
async def test_what_a_page_can_send_is_no_file(web: Web, folder: Path, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    for client in (web.token, web.unix):
        answer = await client.put("/files/a.gcode", content=b"G28\n", headers=headers)
        problem(answer, 415, "not-a-file")
    assert left_in(folder) == {}


async def test_nor_may_a_page_send_one_at_all(web: Web, folder: Path) -> None:
    for headers, status, kind in (
        ({"Origin": "http://evil.example"}, 403, "wrong-origin"),
        ({"Sec-Fetch-Site": "cross-site"}, 403, "wrong-origin"),
        ({"Host": "evil.example"}, 421, "wrong-host"),
    ):
        answer = await web.token.put(
            "/files/a.gcode", content=b"G28\n", headers={**FILE, **headers}
        )
        problem(answer, status, kind)
    problem(await web.tcp.put("/files/a.gcode", content=b"G28\n", headers=FILE), 401, "no-token")
    assert left_in(folder) == {}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/files/a.gcode"),
        ("PUT", "/files"),
        ("PUT", "/files/a.gcode/thumbnail"),
        ("PUT", "/files/a.gcode/"),
        ("PUT", "/files//a.gcode"),
        ("PUT", "/devices/psu1/settings/voltage"),
        ("DELETE", "/files/a.gcode"),
    ],
)
async def test_no_other_route_takes_a_large_body_or_one_that_is_not_json(
    web: Web, method: str, path: str
) -> None:
    content = b" " * (LARGEST_BODY + 1)
    problem(await web.token.request(method, path, content=content, headers=FILE), 415, "not-json")
    json_ = {"Content-Type": "application/json"}
    answer = await web.token.request(method, path, content=content, headers=json_)
    problem(answer, 413, "too-large")


@pytest.mark.parametrize("announced", ["Content-Length: 2000000", "Transfer-Encoding: chunked"])
async def test_an_upload_that_breaks_off_leaves_nothing(
    web: Web, folder: Path, announced: str
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", web.port)
    part = b"G1 X1\n" * 200_000
    chunk = b"%x\r\n%b\r\n" % (len(part), part) if "chunked" in announced else part
    writer.write(upload_head(web, "/api/v1/files/a.gcode", announced) + chunk)
    await writer.drain()
    await until(lambda: sum(map(len, left_in(folder).values())) > 1_000_000)
    writer.transport.abort()
    await until(lambda: left_in(folder) == {})
    assert web.bench.events.kept[-1].kind != "files.added"
    async with asyncio.timeout(10):  # the name is free a moment after what had come of it is gone
        while (await web.token.put("/files/a.gcode", content=b"G28\n", headers=FILE)).is_error:
            await asyncio.sleep(0.01)
    assert left_in(folder) == {"a.gcode": b"G28\n"}


async def test_an_upload_that_stands_still_is_ended(
    web: Web, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PIECE_WITHIN_S", 0.1)
    head = upload_head(web, "/api/v1/files/a.gcode", "Content-Length: 100")
    ended = await said(web.port, head + b"G28\n")
    assert ended.startswith(b"HTTP/1.1 408 ")
    assert b"nothing more of the file came within 0.1 s" in ended
    assert b"connection: close" in ended.lower()
    assert left_in(folder) == {}
    answer = await web.token.put("/files/a.gcode", content=b"G28\n", headers=FILE)
    assert answer.status_code == 200


async def test_one_that_goes_on_slowly_is_not(
    web: Web, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PIECE_WITHIN_S", 0.5)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(10):
            await asyncio.sleep(0.1)
            yield b"G28\n"

    answer = await web.token.put("/files/a.gcode", content=pieces(), headers=FILE)
    assert answer.json()["size"] == 40


async def test_who_asks_first_is_refused_without_having_to_send(web: Web, folder: Path) -> None:
    for target, size, status in (
        ("/api/v1/files/a.gcode", 5_000_000_000, 507),
        ("/api/v1/files/a.exe", 10, 422),
    ):
        head = upload_head(web, target, f"Content-Length: {size}", "Expect: 100-continue")
        answer = await said(web.port, head)
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    head = upload_head(web, "/api/v1/files/a.gcode", "Content-Length: 4", "Expect: 100-continue")
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    writer.write(head)
    async with asyncio.timeout(3):
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"G28\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.close()
    await writer.wait_closed()
    assert left_in(folder) == {"a.gcode": b"G28\n"}


class _Unix(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self.host)


@pytest.mark.parametrize("over", ["tcp", "unix"])
async def test_five_gigabytes_are_refused_quickly_and_the_sender_hears_why(
    web: Web, folder: Path, over: str
) -> None:
    sparse = web.path.parent / "sparse.gcode"
    with sparse.open("wb") as file:
        file.truncate(5_000_000_000)

    def send() -> tuple[int, Any]:
        line = (
            _Unix(str(web.path))
            if over == "unix"
            else http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
        )
        headers = {**FILE, "Authorization": f"Bearer {TOKEN}", "Content-Length": "5000000000"}
        headers["Host"] = "localhost" if over == "unix" else f"127.0.0.1:{web.port}"
        try:
            with sparse.open("rb") as body:
                line.request("PUT", "/api/v1/files/sparse.gcode", body, headers)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was told so in the midst of it
        answer = line.getresponse()
        text = answer.read()
        line.close()
        return answer.status, json.loads(text)

    async with asyncio.timeout(8):
        status, told = await asyncio.to_thread(send)
    assert status == 507
    assert "5,000.0 MB are more than the whole store may hold, 10.0 MB" in told["detail"]
    assert left_in(folder) == {}


async def test_what_does_not_say_how_long_it_is_is_refused_on_the_way(
    web: Web, folder: Path
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x" * 65_536

    answer = await web.token.put("/files/a.gcode", content=pieces(), headers=FILE)
    assert "remove files first" in problem(answer, 507, "no-room")["detail"]
    assert left_in(folder) == {}


async def test_of_two_uploads_of_one_name_one_is_refused(web: Web, folder: Path) -> None:
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"G28\n"
        await go_on.wait()
        yield b"G1 X1\n"

    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(web.token.put("/files/a.gcode", content=slow(), headers=FILE))
        await until(lambda: bool(web.bench.station.files._arriving))
        second = await web.unix.put("/files/a.gcode", content=b"G28\n", headers=FILE)
        problem(second, 409, "in-use")
        go_on.set()
    assert first.result().status_code == 200
    assert left_in(folder) == {"a.gcode": b"G28\nG1 X1\n"}


async def test_what_two_methods_share_is_told_to_who_takes_a_third(web: Web) -> None:
    answer = await web.token.request("PATCH", "/files/a.gcode", json={})
    problem(answer, 405, "wrong-method")
    assert answer.headers["allow"] == "DELETE, GET, PUT"

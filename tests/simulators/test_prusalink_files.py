from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from simulators.prusalink import PASSWORD, PrusaLinkServer
from simulators.prusalink_state import short_name
from tests.simulators.prusalink_client import (
    DEADLINE_S,
    FILES,
    LINES,
    LONG,
    prusa,
    put,
    requests,
    started,
    status,
)

lab = pytest.mark.lab


@pytest.fixture
async def server() -> AsyncIterator[PrusaLinkServer]:
    async with prusa() as server:
        yield server


@pytest.fixture
async def http(server: PrusaLinkServer) -> AsyncIterator[httpx.AsyncClient]:
    async with requests(server) as client:
        yield client


@lab
async def test_an_upload_is_kept_under_a_short_and_a_long_name(http: httpx.AsyncClient) -> None:
    answer = await put(http, "lab/한글 조각.gcode")
    assert answer.status_code == 201
    about = answer.json()
    assert (about["display_name"], about["size"]) == ("한글 조각.gcode", len(LINES))
    assert about["name"].endswith(".GCO")
    download = about["refs"]["download"]
    assert (await http.get(download)).content == LINES
    assert (await http.get("/api/v1/files" + download)).json()["size"] == len(LINES)
    folder = (await http.get(FILES)).json()
    assert [(child["name"], child["type"]) for child in folder["children"]] == [("lab", "FOLDER")]
    head = await http.head("/api/v1/files" + download)
    assert (head.headers["Read-Only"], head.headers["Currently-Printed"]) == ("false", "false")
    assert (await http.delete("/api/v1/files" + download)).status_code == 204
    assert (await http.get(FILES + "lab/한글 조각.gcode")).status_code == 404


@lab
async def test_an_upload_does_not_overwrite_unasked(http: httpx.AsyncClient) -> None:
    await put(http)
    again = await put(http)
    assert (again.status_code, "already exists" in again.text) == (409, True)
    assert (await put(http, content=LONG, Overwrite="?1")).status_code == 201
    await http.post(FILES + "a.gcode")
    busy = await put(http, Overwrite="?1")
    assert (busy.status_code, "busy" in busy.text) == (409, True)


@lab
async def test_a_file_that_cannot_be_printed_now_is_kept_all_the_same(
    http: httpx.AsyncClient, server: PrusaLinkServer
) -> None:
    await started(http)
    second = await put(http, "b.gcode", Print_After_Upload="?1")
    assert (second.status_code, "Can't print" in second.text) == (409, True)
    assert server.storage.has("b.gcode")


@lab
async def test_uploads_that_cannot_be_are_refused(
    http: httpx.AsyncClient, server: PrusaLinkServer
) -> None:
    assert (await put(http, "a.txt")).status_code == 415
    assert (await put(http, content=b"")).status_code == 501

    async def pieces() -> AsyncIterator[bytes]:
        yield LINES

    assert (await http.put(FILES + "a.gcode", content=pieces())).status_code == 411
    await server.play("full")
    assert (await put(http)).status_code == 507
    reader, writer = await announced(server, 2**33)  # more than FAT32 can hold
    assert (await reader.readline()).split()[1] == b"413"
    writer.close()
    await writer.wait_closed()
    assert server.storage.all() == []


def arrived(server: PrusaLinkServer) -> int:
    return int((server.state.transfer or {"transferred": 0})["transferred"])


async def announced(
    server: PrusaLinkServer, size: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Begin an upload that says how large it will be, and send no more of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"PUT {FILES}a.gcode HTTP/1.1\r\nHost: x\r\nX-Api-Key: {PASSWORD}\r\n"
    writer.write(head.encode() + f"Content-Length: {size}\r\n\r\nG28\n".encode())
    return reader, writer


@lab
async def test_a_second_transfer_waits_for_nobody(
    http: httpx.AsyncClient, server: PrusaLinkServer
) -> None:
    last = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield LINES
        await last.wait()
        yield LINES

    async with asyncio.TaskGroup() as tasks:
        headers = {"Content-Length": str(2 * len(LINES))}
        sending = http.put(FILES + "a.gcode", content=pieces(), headers=headers)
        first = tasks.create_task(sending)
        async with asyncio.timeout(DEADLINE_S):
            while (await http.get("/api/v1/transfer")).status_code == 204:
                await asyncio.sleep(0.01)
            while (await status(http)).get("transfer", {}).get("transferred") != len(LINES):
                await asyncio.sleep(0.01)
        assert (await http.get("/api/v1/transfer")).json()["progress"] == 50.0
        second = await put(http, "b.gcode")
        assert (second.status_code, "Another transfer" in second.text) == (409, True)
        last.set()
    assert first.result().status_code == 201
    assert server.storage.find("a.gcode").content == LINES * 2


@lab
async def test_a_transfer_that_is_cut_off_leaves_nothing(server: PrusaLinkServer) -> None:
    _, writer = await announced(server, 1000)
    async with asyncio.timeout(DEADLINE_S):
        while arrived(server) == 0:
            await asyncio.sleep(0.01)
        writer.close()
        await writer.wait_closed()
        while arrived(server) > 0:
            await asyncio.sleep(0.01)
    assert server.storage.all() == []


@pytest.mark.parametrize(
    ("name", "short"), [("A.GCO", "A.GCO"), ("a.gcode", "A"), ("Spice Harvester.gcode", "SPIC")]
)
def test_long_names_get_short_ones(name: str, short: str) -> None:
    assert short_name(name).startswith(short)
    assert len(short_name(name)) <= 12

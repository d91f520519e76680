"""A client of PrusaLink as one would write it from Prusa-Link-Web, spec/openapi.yaml."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx

from simulators.prusalink import PASSWORD, PrusaLinkServer

DEADLINE_S = 20.0
Json = dict[str, Any]
LINES = b"M73 P0 R7\nG28\nG90\n" + b"G1 X100 F6000\nG1 X10\n" * 20 + b"M73 P100 R0\n"
LONG = b"M73 P0 R90\nG28\n" + b"G4 S1\n" * 2000
FILES = "/api/v1/files/usb/"


@contextlib.asynccontextmanager
async def prusa() -> AsyncIterator[PrusaLinkServer]:
    async with PrusaLinkServer(latency=0.001) as server:
        server.printer.pace = 20.0
        yield server


@contextlib.asynccontextmanager
async def requests(server: PrusaLinkServer) -> AsyncIterator[httpx.AsyncClient]:
    where, headers = f"http://127.0.0.1:{server.port}", {"X-Api-Key": PASSWORD}
    async with httpx.AsyncClient(
        base_url=where, headers=headers, timeout=DEADLINE_S, verify=False
    ) as client:
        yield client


async def put(
    http: httpx.AsyncClient, name: str = "a.gcode", content: bytes = LINES, **headers: str
) -> httpx.Response:
    names = {key.replace("_", "-"): value for key, value in headers.items()}
    return await http.put(FILES + name, content=content, headers=names)


async def status(http: httpx.AsyncClient) -> Json:
    answer: Json = (await http.get("/api/v1/status")).json()
    return answer


async def until(http: httpx.AsyncClient, state: str) -> Json:
    async with asyncio.timeout(DEADLINE_S):
        while (now := await status(http))["printer"]["state"] != state:
            await asyncio.sleep(0.01)
    return now


async def started(http: httpx.AsyncClient, content: bytes = LONG) -> int:
    assert (await put(http, content=content, Print_After_Upload="?1")).status_code == 201
    number: int = (await until(http, "PRINTING"))["job"]["id"]
    return number

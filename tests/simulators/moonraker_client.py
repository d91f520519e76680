"""A client of Moonraker as one would write it from moonraker.readthedocs.io, External API."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from simulators.moonraker import MoonrakerServer
from simulators.moonraker_klippy import RestartDelays

DEADLINE_S = 20.0
PACE = 20.0
QUICK = RestartDelays(gone=0.1, startup=0.1)
Json = dict[str, Any]
LINES = b"G28\nG90\nM83\nSET_PRINT_STATS_INFO TOTAL_LAYER=2\n" + b"".join(
    b"G1 X%d Y10 F6000\n" % (10 + 50 * (i % 2)) for i in range(40)
)
LONG = b"G28\n" + b"G4 S1\n" * 2000


class Socket:
    """One JSON-RPC connection: answers by id, notifications in order."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.told: list[Json] = []
        self._number = 0

    async def send(self, method: str, **params: object) -> int:
        self._number += 1
        message = {"jsonrpc": "2.0", "method": method, "params": params, "id": self._number}
        await self.socket.send(json.dumps(message))
        return self._number

    async def call(self, method: str, **params: object) -> Any:
        answer = await self.answer(await self.send(method, **params))
        assert "error" not in answer, answer
        return answer["result"]

    async def error(self, method: str, **params: object) -> tuple[int, str]:
        answer = await self.answer(await self.send(method, **params))
        return answer["error"]["code"], answer["error"]["message"]

    async def answer(self, number: int) -> Json:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                message: Json = json.loads(await self.socket.recv())
                if message.get("id") == number:
                    return message
                self.told.append(message)

    async def notified(self, name: str, holds: Callable[[list[Any]], bool] = bool) -> list[Any]:
        """Wait for a notification; `holds` looks at its parameters."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                message = self.told.pop(0) if self.told else json.loads(await self.socket.recv())
                params: list[Any] = message.get("params", [name])
                if message.get("method") == f"notify_{name}" and holds(params):
                    return params


@contextlib.asynccontextmanager
async def socket(server: MoonrakerServer, **headers: str) -> AsyncIterator[Socket]:
    where = f"ws://127.0.0.1:{server.port}/websocket"
    async with connect(where, additional_headers=headers) as connection:
        yield Socket(connection)


@contextlib.asynccontextmanager
async def requests(server: MoonrakerServer) -> AsyncIterator[httpx.AsyncClient]:
    where = f"http://127.0.0.1:{server.port}"
    async with httpx.AsyncClient(base_url=where, timeout=DEADLINE_S, verify=False) as client:
        yield client


async def upload(
    http: httpx.AsyncClient, content: bytes = LINES, name: str = "a.gcode", **form: str
) -> httpx.Response:
    files = {"file": (name, content, "application/octet-stream")}
    return await http.post("/server/files/upload", files=files, data=form)


async def stats(http: httpx.AsyncClient) -> Json:
    answer = await http.get("/printer/objects/query?print_stats")
    status: Json = answer.json()["result"]["status"]["print_stats"]
    return status


async def until(http: httpx.AsyncClient, state: str) -> Json:
    async with asyncio.timeout(DEADLINE_S):
        while (now := await stats(http))["state"] != state:
            await asyncio.sleep(0.01)
    return now


async def klippy_is(http: httpx.AsyncClient, state: str) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while (await http.get("/server/info")).json()["result"]["klippy_state"] != state:
            await asyncio.sleep(0.01)

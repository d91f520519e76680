"""A client of OctoPrint as one would write it from docs.octoprint.org, REST API."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from simulators.octoprint import API_KEY, OctoPrintServer

DEADLINE_S = 20.0
Json = dict[str, Any]
LINES = b"G28\nG90\n" + b"G1 X100 F6000\nG1 X10\n" * 20
LONG = b"G28\n" + b"G4 S1\n" * 2000


@contextlib.asynccontextmanager
async def octo() -> AsyncIterator[OctoPrintServer]:
    async with OctoPrintServer() as server:
        server.printer.pace = 20.0
        yield server


@contextlib.asynccontextmanager
async def requests(server: OctoPrintServer) -> AsyncIterator[httpx.AsyncClient]:
    where, headers = f"http://127.0.0.1:{server.port}/api", {"X-Api-Key": API_KEY}
    async with httpx.AsyncClient(
        base_url=where, headers=headers, timeout=DEADLINE_S, verify=False
    ) as client:
        yield client


async def upload(
    http: httpx.AsyncClient, name: str = "a.gcode", content: bytes = LINES, **form: str
) -> httpx.Response:
    files = {"file": (name, content, "application/octet-stream")}
    return await http.post("/files/local", files=files, data=form)


async def until(http: httpx.AsyncClient, state: str) -> Json:
    async with asyncio.timeout(DEADLINE_S):
        while (now := (await http.get("/job")).json())["state"] != state:
            await asyncio.sleep(0.01)
    job: Json = now
    return job


async def order(http: httpx.AsyncClient, resource: str, **body: object) -> int:
    return (await http.post(resource, json=body)).status_code


class Listener:
    """The push socket: messages in the order in which they came."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.heard: list[Json] = []

    async def say(self, **message: object) -> None:
        await self._socket.send(json.dumps(message))

    async def next(self) -> Json:
        message: Json = json.loads(await self._socket.recv())
        self.heard.append(message)
        return message

    async def wait_for(self, kind: str, holds: Callable[[Json], bool] = bool) -> Json:
        """Wait for a message of this kind whose payload fits."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                message = await self.next()
                if kind in message and holds(message[kind]):
                    payload: Json = message[kind]
                    return payload


@contextlib.asynccontextmanager
async def listening(server: OctoPrintServer) -> AsyncIterator[Listener]:
    async with connect(f"ws://127.0.0.1:{server.port}/sockjs/websocket") as socket:
        yield Listener(socket)


async def admitted(http: httpx.AsyncClient, listener: Listener) -> Json:
    """Log in passively, and tell the socket; returns the `history` that it answers."""
    login = (await http.get("/login", params={"passive": "true"})).json()
    await listener.wait_for("connected")
    await listener.say(auth=f"{login['name']}:{login['session']}")
    return await listener.wait_for("history")

"""A station in memory with its API served on a real Unix socket and a real TCP port."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp

from agent.fleet.plan import Plan
from agent.settings import Api
from agent.station import Station
from agent.store.files import FileStore
from agent.web.api import build_api
from agent.web.listeners import bind_tcp, bind_unix
from agent.web.server import serve
from drivers import Role
from tests.agent.bench import Bench, station_in_memory

TOKEN = "a-token-for-tests-of-enough-characters"
SETTINGS = Api(
    socket=Path("unused"),
    token_file=Path("unused"),
    hosts=("bench.lab", "tunnel.lab:9000"),
    socket_role=Role.TECHNICIAN,
    role=Role.ENGINEER,
)


@dataclass
class Web:
    """The station, what serves each door, and a client there. `tcp` brings no token; `token` does."""

    bench: Bench
    path: Path
    port: int
    servers: list[asyncio.Task[None]]
    unix: httpx.AsyncClient
    tcp: httpx.AsyncClient
    token: httpx.AsyncClient


@asynccontextmanager
async def served(
    *plans: Plan,
    folder: Path,
    files: FileStore | None = None,
    settings: Api = SETTINGS,
    wait: bool = True,
    change: Callable[[Station], Station] = lambda station: station,
) -> AsyncIterator[Web]:
    """Serve a station of toys until the context ends; `change` gives it what else a test needs."""
    path = folder / "agent.sock"
    async with AsyncExitStack() as stack:
        bench = await stack.enter_async_context(
            station_in_memory(*plans, folder=folder, files=files, wait=wait)
        )
        api = build_api(change(bench.station), settings, TOKEN)
        unix, tcp = await asyncio.to_thread(bind_unix, path), bind_tcp("127.0.0.1:0", "api.listen")
        servers = [await stack.enter_async_context(serving(api, sock)) for sock in (unix, tcp)]
        port = tcp.getsockname()[1]
        over_unix = httpx.AsyncHTTPTransport(uds=str(path))
        base = f"http://127.0.0.1:{port}/api/v1"
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        clients = [
            httpx.AsyncClient(transport=over_unix, base_url="http://localhost/api/v1"),
            httpx.AsyncClient(base_url=base),
            httpx.AsyncClient(base_url=base, headers=bearer),
        ]
        for client in clients:
            await stack.enter_async_context(client)
        yield Web(bench, path, port, servers, *clients)


@asynccontextmanager
async def serving(
    app: ASGIApp, sock: socket.socket, tls: ssl.SSLContext | None = None
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve an application on a socket; the end must take less than a second."""
    task = asyncio.get_running_loop().create_task(serve(app, sock, tls))
    try:
        yield task
    finally:
        task.cancel()
        async with asyncio.timeout(1.0):
            await asyncio.wait([task])
        sock.close()


async def until(holds: Callable[[], Awaitable[bool] | bool], seconds: float = 20.0) -> None:
    """Wait for a condition that has no signal of its own."""
    async with asyncio.timeout(seconds):
        while True:
            found = holds()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.005)


def upload_head(web: Web, target: str, *headers: str, method: str = "PUT") -> bytes:
    """The head of an upload as it goes over the wire, where no client mends it."""
    lines = [
        f"{method} {target} HTTP/1.1",
        f"Host: 127.0.0.1:{web.port}",
        f"Authorization: Bearer {TOKEN}",
        "Content-Type: application/octet-stream",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def said(port: int, request: bytes) -> bytes:
    """What the server says to these bytes, until it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(3.0):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def sse(response: httpx.Response) -> AsyncIterator[tuple[str, Any, str]]:
    """The events of a stream as kind, data and id."""
    event: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        else:
            if "event" in event:
                yield event["event"], json.loads(event["data"]), event.get("id", "")
            event = {}


def problem(response: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The problem that an answer must be."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["type"] == f"urn:problem-type:labkeeper:{kind}"
    assert body["status"] == status
    return body

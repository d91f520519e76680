"""Puts an HTTP application (ASGI) on a loopback port, with time and faults, in the room's loop.

Source: the ASGI specification (asgi.readthedocs.io), HTTP and WebSocket connection scopes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Self

import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected

from simulators.http_faults import HttpFault, HttpFaults
from simulators.player import TICK_S
from simulators.terminal import Address

Refusal = Callable[[int], Response]
"""Makes the answer with which a server of this kind refuses: a status to a response."""


class HttpServer:
    """An application on a loopback port; `advance` lets time pass on what is behind it.

    `port` 0 takes a free port; `port` then tells which. `stop` and `start` take the server away
    and bring it back on that same port, while time goes on. `refusal` shapes what a fault
    refuses. An application or an `advance` that raises is a bug of the simulator: the error
    reaches the loop's exception handler.
    """

    def __init__(
        self,
        app: ASGIApp,
        advance: Callable[[float], None],
        *,
        refusal: Refusal,
        host: str = "127.0.0.1",
        port: int = 0,
        tick: float = TICK_S,
    ) -> None:
        self.faults = HttpFaults()
        self.host, self.port = host, port
        self._app, self._advance, self._refusal = app, advance, refusal
        self._tick, self._then = tick, 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._server: uvicorn.Server | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._then = loop.time()
        self._timer = loop.call_later(self._tick, self._on_tick)
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        if self._timer is not None:
            self._timer.cancel()

    def address(self) -> Address:
        """Return ``{"http": (host, port)}``."""
        return {"http": (self.host, self.port)}

    @property
    def up(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    async def start(self) -> None:
        """Listen; nothing happens if it listens already."""
        if self._server is not None:
            return
        config = uvicorn.Config(
            self._guarded,
            host=self.host,
            port=self.port,
            http="h11",
            ws="websockets-sansio",
            ws_ping_interval=None,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=60,
        )
        config.load()
        self._server = server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        self.port = server.servers[0].sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Cut every connection and listen no more."""
        server, self._server = self._server, None
        if server is None:
            return
        for listener in server.servers:
            listener.close()
        _cut(server)
        tasks = list(server.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for listener in server.servers:
            await listener.wait_closed()

    def disconnect(self) -> None:
        """Cut every connection; who was cut may come back at once."""
        if self._server is not None:
            _cut(self._server)

    def _on_tick(self) -> None:
        loop = asyncio.get_running_loop()
        dt, self._then = loop.time() - self._then, loop.time()
        self._timer = loop.call_later(self._tick, self._on_tick)
        self._advance(dt)

    # Each request

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        handle = self._websocket if scope["type"] == "websocket" else self._request
        try:
            await handle(scope, receive, send)
        except asyncio.CancelledError:
            if self._server is not None:
                raise  # else the server was stopped, and nobody is left to be told
        except ClientDisconnected:
            return  # it went away while it was being told something
        except Exception as error:
            context = {"message": f"a request failed: {scope['path']}", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
            raise

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.faults.counts["requests"] += 1
        where = f"{scope['method']} {scope['path']}"
        if refuse := self.faults.take("refuse", where):
            await self._refusal(refuse.status)(scope, receive, send)
            return
        mishap = self._mishap(scope, where)
        if await mishap.before():
            return

        async def sent(message: Message) -> None:
            await mishap.after()
            await send(message)

        await self._app(scope, receive, sent)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        coming: deque[_Mishap] = deque()  # for the answers that are still to be sent

        async def heard() -> Message:
            while True:
                message = await receive()
                if message["type"] != "websocket.receive":
                    return message
                mishap = self._mishap(scope, str(message.get("text", "")))
                if not await mishap.before():
                    coming.append(mishap)
                    return message

        async def sent(message: Message) -> None:
            if coming and '"id"' in str(message.get("text", "")):  # what is pushed has none
                await coming.popleft().after()
            if message["type"] != "websocket.send" or not self.faults.loses_message():
                await send(message)

        await self._app(scope, heard, sent)

    def _mishap(self, scope: Scope, where: str) -> _Mishap:
        slow, drop = self.faults.take("slow", where), self.faults.take("drop", where)
        return _Mishap(slow, drop, self._hang_up, scope)

    async def _hang_up(self, scope: Scope) -> None:
        if self._server is not None:
            _cut(self._server, scope["client"])
        await asyncio.sleep(0)  # the transport tells its protocol in the next turn of the loop


class _Mishap:
    """What happens to one request: a wait, a cut, before or after it is carried out."""

    def __init__(
        self,
        slow: HttpFault | None,
        drop: HttpFault | None,
        hang_up: Callable[[Scope], Awaitable[None]],
        scope: Scope,
    ) -> None:
        self._slow, self._drop, self._hang_up, self._scope = slow, drop, hang_up, scope

    async def before(self) -> bool:
        """Let happen what happens first; return whether the request never arrives."""
        return await self._act("before")

    async def after(self) -> None:
        """Let happen what happens to the answer."""
        await self._act("after")

    async def _act(self, when: str) -> bool:
        if self._slow is not None and self._slow.when == when:
            slow, self._slow = self._slow, None
            await asyncio.sleep(slow.seconds)
        if self._drop is None or self._drop.when != when:
            return False
        self._drop = None
        await self._hang_up(self._scope)
        return True


def _cut(server: uvicorn.Server, client: Any = None) -> None:
    """Cut the connection of a client, by its address and port, or all."""
    connections: list[Any] = list(server.server_state.connections)
    for connection in connections:
        if client is None or connection.client == tuple(client):
            connection.transport.abort()

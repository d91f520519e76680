"""Serving an application on a socket, inside the agent's own loop and for as long as it wants.

uvicorn reads and writes HTTP. It gets no signal handlers, no log of accesses, no WebSockets and
no trust in headers of proxies.
"""

import asyncio
import logging
import socket
from ssl import SSLContext
from typing import Any, Final

import h11
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as Part
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import Server

from agent.languages.message import Message
from agent.web.peer import Peer
from agent.web.problems import Problem

MOST_CONNECTIONS: Final = 200
"""Per listener. More would take the file descriptors that the devices need."""
IDLE_S: Final = 30
GRACE_S: Final = 0.3
"""At the end: how long requests may go on, and how long their last words may take to be sent."""


async def serve(app: ASGIApp, sock: socket.socket, tls: SSLContext | None = None) -> None:
    """Serve until cancelled, which takes less than a second also while streams are open.

    With `tls` nothing else is spoken on the socket.
    """
    config = Config(
        _Ended(app),
        http=PeerProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level=logging.ERROR,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=IDLE_S,
        ssl_context_factory=(lambda _, __: tls) if tls else None,
    )
    config.load()
    server = Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[sock])
    try:
        while True:
            await server.on_tick(0)  # renews the Date of every answer
            await asyncio.sleep(1.0)
    finally:
        await _end(server)


class PeerProtocol(H11Protocol):
    """HTTP/1.1 that tells the application who is at the other end of a Unix socket."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection; its peer becomes part of every request's state."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        if peer := Peer.of(transport.get_extra_info("socket")):
            self.app_state = {**self.app_state, "peer": peer}
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP at all, and hang up."""
        answer = Problem("bad-request", Message("this is not HTTP/1.1: {msg}", msg=msg)).response()
        head = h11.Response(
            status_code=answer.status_code, headers=[*answer.raw_headers, (b"connection", b"close")]
        )
        body = h11.Data(data=bytes(answer.body))
        for part in (head, body, h11.EndOfMessage()):
            self.transport.write(self.conn.send(part))
        self.transport.close()


class _Ended:
    """Gives every request an end that its client understands, when the server ends first."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        last: dict[str, Any] = {}

        async def watched(message: Part) -> None:
            last.update(message)
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except asyncio.CancelledError:  # only the server's end cancels a request
            if not last:
                text = Message(
                    "the agent stopped before this was answered; a request may have been done"
                )
                await Problem("stopping", text).response()(scope, receive, send)
            elif last.get("more_body", True):
                await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _end(server: Server) -> None:
    """Take no more requests, give those under way a moment, then end them."""
    for listener in server.servers:
        listener.close()
    for connection in tuple(server.server_state.connections):
        connection.shutdown()
    tasks = tuple(server.server_state.tasks)
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=GRACE_S)
        for task in late:
            task.cancel()
        await asyncio.wait(tasks, timeout=GRACE_S)
    for connection in tuple(server.server_state.connections):
        connection.transport.abort()
    await asyncio.sleep(0)  # the transports' last step

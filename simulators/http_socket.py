"""One conversation over a WebSocket: what is said to the other side waits in a queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

Hear = Callable[[str], Awaitable[None]]


async def converse(socket: WebSocket, outbox: asyncio.Queue[str], hear: Hear) -> None:
    """Send what is in `outbox` and let `hear` take each message, until the other side goes.

    Messages are taken at once, even while an earlier one is still being worked on.
    """
    async with asyncio.TaskGroup() as tasks:
        running = {tasks.create_task(_send(socket, outbox), name="socket outbox")}
        async for text in _texts(socket):
            task = tasks.create_task(_hear(hear, text), name="socket message")
            running.add(task)
            task.add_done_callback(running.discard)
        for task in running:
            task.cancel()


async def _hear(hear: Hear, text: str) -> None:
    await hear(text)


async def _texts(socket: WebSocket) -> AsyncIterator[str]:
    while True:
        try:
            yield await socket.receive_text()
        except WebSocketDisconnect:
            return


async def _send(socket: WebSocket, outbox: asyncio.Queue[str]) -> None:
    while True:
        message = await outbox.get()
        try:
            await socket.send_text(message)
        except WebSocketDisconnect:
            return  # whoever it was for has gone; reading notices it too

"""What OctoPrint pushes and REST does not tell: that another print begins, and why one has ended.

The push also brings the state, the job and temperatures, at most twice a second. They are not used: a
look has to prove by a request that they are not old, and the answer to that request has them anyway.

Source: docs.octoprint.org, REST API, "Push updates" (`api/push.rst`), and "Events" (`events/index.rst`).
The socket is SockJS's raw one at /sockjs/websocket: one JSON object in each message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Final

from drivers.errors import BadReply, LinkError, LinkTimeout
from drivers.protocol import octoprint_data as data
from drivers.protocol.octoprint_data import Json
from drivers.transport.link import WebLink, WebSocket

PATH: Final = "/sockjs/websocket"
THROTTLE: Final = 20
"""State and job are wanted once in so many half seconds at most; events come at once."""
MOST: Final = 200
"""Messages at one look. More lie there than the socket holds: it has fallen behind."""
MOST_ENDS: Final = 16

BEGUN: Final = "PrintStarted"
ENDING: Final = frozenset({"PrintCancelling", "PrintCancelled", "PrintFailed", "PrintDone"})


class Push:
    """The socket, while there is one. Nothing reads it in the background: a look takes what lies there.

    `turns` counts the events after which a print may be another one.
    """

    def __init__(self, link: WebLink) -> None:
        self._link = link
        self._stack = AsyncExitStack()
        self._socket: WebSocket | None = None
        self._is_taking = False
        self._ends: dict[str, dict[str, str]] = {}
        self.turns = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a socket."""
        return self._socket is not None

    async def open(self, user: str, session: str) -> None:
        """Connect, and say who we are. Raises ConnectFailed, AccessRefused, LinkClosed."""
        await self.close()
        stack = AsyncExitStack()
        socket = await stack.enter_async_context(self._link.socket(PATH))
        try:
            await socket.send(json.dumps({"auth": f"{user}:{session}"}))
            await socket.send(json.dumps({"throttle": THROTTLE}))
        except BaseException:
            await stack.aclose()
            raise
        self._stack, self._socket = stack, socket

    async def close(self) -> None:
        """Give the socket up; nothing happens where there is none."""
        stack, self._stack, self._socket = self._stack, AsyncExitStack(), None
        await stack.aclose()

    async def take(self) -> None:
        """Take what lies there; a socket that is lost, or has fallen behind, is closed."""
        if self._socket is None or self._is_taking:
            return
        self._is_taking = True
        try:
            is_whole = await self._take_from(self._socket)
        finally:
            self._is_taking = False
        if not is_whole:
            await self.close()

    def end(self, path: str) -> Mapping[str, str]:
        """What was pushed of the last end of a print of this file: `kind`, `reason`, `error`."""
        return self._ends.get(path, {})

    def begin(self, path: str) -> None:
        """Forget the ends of earlier prints of this file."""
        self._ends.pop(path, None)

    async def _take_from(self, socket: WebSocket) -> bool:
        """Whether all was taken, and the socket is still of use."""
        for _ in range(MOST):
            try:
                text = await socket.receive(0.0)
            except LinkTimeout:
                return True
            except LinkError:
                return False
            if not self._understand(text):
                return False
        return False

    def _understand(self, text: str) -> bool:
        """Keep what a message says. False when OctoPrint wants to know anew who we are."""
        try:
            message = data.record(json.loads(text), "a pushed message")
            if "event" in message:
                self._happened(data.record(message["event"], "an event"))
        except (ValueError, RecursionError, BadReply):
            self.turns += 1  # what can't be read may have said so
            return True
        return "reauthRequired" not in message

    def _happened(self, event: Json) -> None:
        kind, payload = data.words(event.get("type")), event.get("payload")
        if (kind != BEGUN and kind not in ENDING) or not isinstance(payload, Mapping):
            return
        self.turns += 1
        path = data.path(payload.get("path"))
        if kind == BEGUN:
            self.begin(path)
            return
        told = {"kind": kind, "reason": payload.get("reason")}
        told["error"] = payload.get("firmwareError") or payload.get("error")
        known = self._ends.setdefault(path, {})
        known.update({name: data.words(value) for name, value in told.items() if value})
        while len(self._ends) > MOST_ENDS:
            del self._ends[next(iter(self._ends))]

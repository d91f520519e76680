"""The body of an upload: it goes on to the store piece by piece, and is never in memory as a whole.

It is not limited by its size here (the store does that), but by its pace: a sender that falls
silent ends it. After a refusal some of what still comes is read, because many a sender listens only
when it has sent all; then the connection is closed, or the rest would have to be read as well.
"""

import asyncio
import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message as Part
from starlette.types import Receive, Scope, Send

from agent.languages.message import Message, either
from agent.web.problems import Problem

PATH: Final = re.compile(r"/api/v1/files/[^/]+")
DECLARED_AS: Final = ("application/octet-stream", "text/x.gcode")
"""What no form of a web page can send, and no script of another site without asking first."""
PIECE_WITHIN_S: Final = 10.0
LARGEST_LEFTOVER: Final = 16 * 1024 * 1024
LEFTOVER_WITHIN_S: Final = 2.0
BAD_REQUEST: Final = 400
"""The first status that is a refusal."""


def is_upload(scope: Scope) -> bool:
    """Whether this request alone may bring a body of any size."""
    return scope["method"] == "PUT" and PATH.fullmatch(scope["path"]) is not None


def check_file(headers: Headers) -> None:
    """Raise Problem, unless the body is declared as a file."""
    given = headers.getlist("content-type")
    if len(given) != 1 or given[0].partition(";")[0].strip().lower() not in DECLARED_AS:
        kinds = either(f"`Content-Type: {kind}`" for kind in DECLARED_AS)
        raise Problem("not-a-file", Message("send the header {kinds}", kinds=kinds))


class Upload:
    """One upload, as it is received."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._waits = "expect" in Headers(scope=scope)  # it asks before it sends its body
        self._is_over = self._is_stalled = self._is_refused = False

    async def receive(self) -> Part:
        """The next piece. Raises Problem when it does not come in time."""
        if self._is_over:
            return await self._receive()  # that the sender goes away, which may never be
        try:
            async with asyncio.timeout(PIECE_WITHIN_S):
                return await self._next()
        except TimeoutError:
            self._is_stalled = True
            text = Message(
                "nothing more of the file came within {piece_within_s:g} s",
                piece_within_s=PIECE_WITHIN_S,
            )
            raise Problem("too-slow", text) from None

    async def answer(self, send: Send, message: Part) -> None:
        """Send a part of the answer. A refusal is sent at once; then the sender may finish."""
        if message["type"] == "http.response.start":
            self._is_refused = message["status"] >= BAD_REQUEST and not self._is_over
            if self._is_refused:
                MutableHeaders(scope=message)["Connection"] = "close"
        elif self._is_refused and not message.get("more_body", False):
            await send({**message, "more_body": True})
            await self._let_sender_finish()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await send(message)

    async def _let_sender_finish(self) -> None:
        left = 0 if self._waits or self._is_stalled else LARGEST_LEFTOVER
        try:
            async with asyncio.timeout(LEFTOVER_WITHIN_S):
                while left > 0 and not self._is_over:
                    left -= len((await self._next()).get("body", b""))
        except TimeoutError:
            return  # the connection is closed in any case

    async def _next(self) -> Part:
        message = await self._receive()
        self._waits = False
        self._is_over = not message.get("more_body", False)
        return message

"""JSON-RPC over a WebSocket as Moonraker speaks it: replies are told apart by the ids of their requests.

Source: Moonraker, External API, "Introduction" (JSON-RPC API Overview; Primary websocket) and
"JSON-RPC notifications".

Nothing reads in the background. Who waits for a reply takes in all that comes, for others too; when
its own has come, one of those who still wait goes on. What has come is taken in at once, in the order
of the socket, so that a change is never overwritten by a whole that was told before it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from types import MappingProxyType
from typing import Any, Final

from drivers.errors import AccessRefused, BadReply, DeviceError, DriverError, LinkTimeout
from drivers.transport.link import WebSocket

MOST_SHOWN: Final = 200
"""Characters of the printer's own words in a message."""

UNAUTHORIZED: Final = frozenset({401, 403})
INVALID_PARAMS: Final = -32602
NOT_FOUND: Final = -32601
NOT_CONNECTED: Final = 503
"""Codes of errors: an HTTP status, but -32601 for 404 and -32602 for 401 (moonraker/common.py)."""

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Refused(DeviceError):
    """Moonraker, or Klipper behind it, has said no. `code` is a code as above, or an HTTP status."""

    code: int = 0

    @classmethod
    def with_code(cls, code: int, words: str) -> Refused:
        """The error that says so."""
        error = cls(words)
        error.code = code
        return error


def short(text: str) -> str:
    """A stranger's words on one line, without control characters, and not too many of them."""
    line = " ".join(text.split())
    shown = "".join(letter if letter.isprintable() else "?" for letter in line)
    return shown if len(shown) <= MOST_SHOWN else f"{shown[: MOST_SHOWN - 1]}…"


@dataclass(eq=False)
class _Call:
    """A request that waits for its reply. `take` is called with the result as soon as it comes."""

    method: str
    take: Callable[[Any], None]
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    is_answered: bool = False
    result: Any = None
    error: DriverError | None = None


class Conversation:
    """Requests and notifications on one open WebSocket.

    Args:
        socket: What the messages are on.
        notified: Called with the name and the parameters of each notification, in their order.
    """

    def __init__(self, socket: WebSocket, notified: Callable[[str, list[Any]], None]) -> None:
        self._socket, self._notified = socket, notified
        self._numbers = count(1)
        self._calls: dict[int, _Call] = {}
        self._is_read = False

    async def ask(
        self,
        method: str,
        params: Mapping[str, Any] = NOTHING,
        *,
        within: float,
        take: Callable[[Any], None] = lambda _: None,
    ) -> Any:
        """Send one request, once, and return the result of its reply.

        Args:
            method: As in the documents, such as `server.info`.
            params: By name.
            within: Seconds after which the reply is no longer waited for; it is then ignored.
            take: Called with the result when it comes, before anything that comes after it.

        Raises:
            Refused: The reply is an error.
            AccessRefused: It says that we may not ask.
            LinkTimeout: No reply in time; it may have done what was asked.
            LinkClosed: The WebSocket is lost.
            BadReply: What came is not JSON-RPC.
        """
        number = next(self._numbers)
        call = self._calls[number] = _Call(method, take)
        message = {"jsonrpc": "2.0", "method": method, "params": dict(params), "id": number}
        try:
            async with asyncio.timeout(within):
                await self._socket.send(json.dumps(message))
                await self._answered(call, within)
        except TimeoutError:
            raise LinkTimeout(f"{method}: no answer within {within:g} s") from None
        finally:
            del self._calls[number]
        if call.error is not None:
            raise call.error
        return call.result

    async def _answered(self, call: _Call, within: float) -> None:
        while not call.is_answered:
            if self._is_read:
                call.woken.clear()
                await call.woken.wait()
                continue
            self._is_read = True
            try:
                while not call.is_answered:
                    self._take(await self._socket.receive(within))
            finally:
                self._is_read = False
                for other in self._calls.values():
                    other.woken.set()  # the first of them goes on reading

    def _take(self, text: str) -> None:
        message = _object(text)
        method, number = message.get("method"), message.get("id")
        if isinstance(method, str):
            params = message.get("params", [])
            self._notified(method, params if isinstance(params, list) else [params])
        elif number is None:
            raise BadReply(f"an error that answers no request: {short(text)}")
        elif isinstance(number, int) and (call := self._calls.get(number)) is not None:
            _answer(call, message)
        # else it answers a request whose time was over: too late for anybody


def _object(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise BadReply(f"this is not JSON: {short(text)!r}") from None
    if not isinstance(message, dict):
        raise BadReply(f"this is no message of JSON-RPC: {short(text)!r}")
    return message


def _answer(call: _Call, message: Mapping[str, Any]) -> None:
    call.is_answered = True
    call.woken.set()
    if "result" in message:
        call.result = message["result"]
        try:
            call.take(call.result)
        except DriverError as error:
            call.error = error  # it is the asker's, whoever happens to read
    else:
        call.error = _refusal(call.method, message.get("error"))


def _refusal(method: str, error: Any) -> DriverError:
    told = error if isinstance(error, dict) else {}
    code, words = told.get("code"), told.get("message")
    if not isinstance(code, int) or not isinstance(words, str):
        return BadReply(f"{method}: neither a result nor an error came, but {short(repr(error))}")
    if code in UNAUTHORIZED or (code == INVALID_PARAMS and words.strip() == "Unauthorized"):
        return AccessRefused(
            f"{method}: Moonraker does not accept who we are: mend access.key_file, then reconnect"
        )
    return Refused.with_code(code, f"{method}: {short(words)} ({code})")

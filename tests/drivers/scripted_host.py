"""A host of a printer that answers what a test has written down: for what no simulator does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

from drivers.errors import AccessRefused, ConnectFailed
from drivers.transport.link import WebSocket
from drivers.transport.message import Answer, Body


class ScriptedHost:
    """A web link in memory. `answers` are by "METHOD /path": a status, and JSON, text or an error.

    An answer that is a list is taken from piece by piece, and its last one stays.
    """

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = dict(answers)
        self.asked: list[str] = []
        self.bodies: list[Any] = []
        self.kept: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None: ...

    async def ask(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        within: float,
    ) -> Answer:
        what = f"{method} {path}"
        self.asked.append(what)
        self.bodies.append(await _sent(body) if body is not None else json)
        answer = self.answers.get(what, (404, "no such resource"))
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Exception):
            raise answer
        if answer[0] in {401, 403}:
            raise AccessRefused(f"not this key ({answer[0]})")
        return Answer(answer[0], _text(answer[1]))

    @asynccontextmanager
    async def socket(self, path: str) -> AsyncIterator[WebSocket]:
        if path:
            raise ConnectFailed(f"{path}: no WebSocket there")
        yield  # type: ignore[misc] # a generator has to have one

    def on_close(self, close: Callable[[], Awaitable[None]]) -> None: ...


def _text(told: Any) -> str:
    return told if isinstance(told, str) else json.dumps(told)


async def _sent(body: Body) -> bytes:
    sent = b"".join([piece async for piece in body.pieces()])
    if len(sent) != body.size:
        raise AssertionError(f"{len(sent)} bytes were sent, and {body.size} were announced")
    return sent

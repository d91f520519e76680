"""Bodies of requests: how they must be declared, how large they may be, and that they arrive."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.types import Message as Part
from starlette.types import Receive

from agent.languages.message import Message
from agent.web.problems import Problem

LARGEST_BODY: Final = 64 * 1024
LARGEST_LEFTOVER: Final = 1024 * 1024
"""How much of a body that is too large is still read, so that its sender hears why."""
BODY_WITHIN_S: Final = 10.0
MOST_FIELDS: Final = 1000
FORM: Final = "application/x-www-form-urlencoded"


def has_body(headers: Headers) -> bool:
    """Whether the request says that it has one."""
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def is_form(headers: Headers) -> bool:
    """Whether it is declared as the form of a page."""
    return _kind(headers) == FORM


def check_json(headers: Headers) -> None:
    """Raise Problem, unless the body is declared as JSON, which no form of a page can do."""
    if _kind(headers) != "application/json":
        raise Problem("not-json", Message("send the header `Content-Type: application/json`"))


def field(body: bytes, name: str) -> str:
    """A field of a form; empty where there is none, or more than one."""
    try:
        found = parse_qs(body.decode("ascii"), max_num_fields=MOST_FIELDS).get(name, [])
    except ValueError:  # it is no form, or has more fields than any page of ours
        return ""
    return found[0] if len(found) == 1 else ""


async def whole_body(receive: Receive) -> bytes:
    """Take the whole body in. Raises Problem when it is too large or too slow."""
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            return await _body(receive)
    except TimeoutError:
        text = Message(
            "the body was not complete after {body_within_s:g} s", body_within_s=BODY_WITHIN_S
        )
        raise Problem("too-slow", text, headers={"Connection": "close"}) from None


def again(body: bytes, receive: Receive) -> Receive:
    """What hands a body on that was taken in already, as one piece."""
    pieces: list[Part] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Part:
        return pieces.pop() if pieces else await receive()

    return receive_again


def _kind(headers: Headers) -> str:
    given = headers.getlist("content-type")
    return given[0].partition(";")[0].strip().lower() if len(given) == 1 else ""


async def _body(receive: Receive) -> bytes:
    body, size, more = bytearray(), 0, True
    while more and size <= LARGEST_LEFTOVER:
        message = await receive()
        piece = message.get("body", b"")
        size += len(piece)
        more = message.get("more_body", False)
        if size <= LARGEST_BODY:
            body += piece
    if size > LARGEST_BODY:
        text = Message("a body may have {largest_body} bytes", largest_body=LARGEST_BODY)
        raise Problem("too-large", text, headers={"Connection": "close"})
    return bytes(body)

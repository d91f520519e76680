"""The exposition: the page, piece by piece, for whoever scrapes, in the form that they ask for."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, choose_encoder, gzip_accepted
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.metrics.lines import Form
from agent.metrics.page import StationPage

PIECE: Final = 64 * 1024
"""Bytes of the page that are sent at once: handing them to the kernel takes 0.1 ms."""
PACKED: Final = 256 * 1024
"""Bytes that are compressed at once, in a thread: a millisecond's work."""
LEVEL: Final = 1
"""Of zlib: an eighth of the time that its usual level takes, and the page is as small."""
TYPES: Final[Mapping[Form, str]] = {
    "text": CONTENT_TYPE_PLAIN_0_0_4,
    "openmetrics": CONTENT_TYPE_LATEST,
}


async def _nothing() -> None:
    """Nothing has to be looked at."""


def metrics_app(page: StationPage, look: Callable[[], Awaitable[None]] = _nothing) -> ASGIApp:
    """An ASGI application that answers with the exposition, as text or OpenMetrics.

    `look` is called before. The page is never whole in memory: of a thousand devices it is 5 MB.
    """

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        asked = Headers(scope=scope)
        form = form_for(asked.get("accept", ""))
        packed = gzip_accepted(asked.get("accept-encoding", ""))
        await look()
        headers = [(b"content-type", TYPES[form].encode()), (b"vary", b"accept, accept-encoding")]
        if packed:
            headers.append((b"content-encoding", b"gzip"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["method"] != "HEAD":
            await (_send_packed if packed else _send_plain)(page.pieces(form), send)
        await send({"type": "http.response.body", "body": b""})

    return app


def form_for(accept: str) -> Form:
    """What somebody gets who accepts this: OpenMetrics 1.0 where it is named, else text 0.0.4."""
    _, kind = choose_encoder(accept)
    return "openmetrics" if kind.startswith("application/openmetrics-text") else "text"


async def _send_plain(pieces: Iterable[bytes], send: Send) -> None:
    for part in _gathered(pieces, PIECE):
        if part:
            await send(_body(part))
        await asyncio.sleep(0)


async def _send_packed(pieces: Iterable[bytes], send: Send) -> None:
    gzip = zlib.compressobj(LEVEL, wbits=16 + zlib.MAX_WBITS)
    for part in _gathered(pieces, PACKED):
        if part:
            await send(_body(await asyncio.to_thread(gzip.compress, part)))
        await asyncio.sleep(0)
    await send(_body(gzip.flush()))


def _gathered(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield pieces joined to this size and more, and nothing after each that was put aside."""
    waiting, length = [], 0
    for piece in pieces:
        waiting.append(piece)
        length += len(piece)
        if length >= size:
            yield b"".join(waiting)
            waiting, length = [], 0
        else:
            yield b""
    yield b"".join(waiting)


def _body(data: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": True}

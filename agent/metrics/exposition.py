"""The exposition: what families are written as, piece by piece, for whoever scrapes."""

import asyncio
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from types import SimpleNamespace
from typing import Any, Final

from prometheus_client import ProcessCollector
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.metrics_core import Metric
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.metrics.collector import StationCollector

PIECE: Final = 16 * 1024
"""Bytes of the page that are sent at once."""
END: Final = b"# EOF\n"
"""How OpenMetrics ends. Source: OpenMetrics 1.0, "Overall Structure"."""


def metrics_app(collector: StationCollector) -> ASGIApp:
    """An ASGI application that answers with the exposition, as text or OpenMetrics.

    It is made slice by slice: as a whole, the 30,000 samples of a thousand devices would take
    10 MB and more, and the loop for more than a tenth of a second.
    """
    process = _Process()

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        asked = Headers(scope=scope)
        encode, kind = choose_encoder(asked.get("accept", ""))
        packed = gzip_accepted(asked.get("accept-encoding", ""))
        gzip = zlib.compressobj(wbits=16 + zlib.MAX_WBITS) if packed else None
        await process.look()
        headers = [(b"content-type", kind.encode()), (b"content-encoding", b"gzip")][: 1 + packed]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        waiting = bytearray()
        for page in _pages(encode, chain(process.collect(), collector.slices())):
            waiting += gzip.compress(page) if gzip else page
            if len(waiting) >= PIECE:
                await send(_body(bytes(waiting), more=True))
                waiting.clear()
            await asyncio.sleep(0)
        await send(_body(bytes(waiting) + (gzip.flush() if gzip else b"")))

    return app


def _pages(encode: Callable[[Any], bytes], slices: Iterable[Metric]) -> Iterator[bytes]:
    """The exposition in pieces: a family's head stands before its first slice alone."""
    family, end = "", b""
    for part in slices:
        page = encode(SimpleNamespace(collect=partial(iter, (part,))))
        if page.endswith(END):
            page, end = page.removesuffix(END), END
        if part.name == family:
            page = b"".join(line for line in page.splitlines(True) if not line.startswith(b"#"))
        family = part.name
        yield page
    yield end


def _body(data: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


class _Process:
    """What the system knows of this process. It is in files, which are read beside the loop."""

    def __init__(self) -> None:
        self._source = ProcessCollector(registry=None)
        self._latest: tuple[Metric, ...] = ()

    async def look(self) -> None:
        self._latest = await asyncio.to_thread(lambda: tuple(self._source.collect()))

    def collect(self) -> Iterable[Metric]:
        return self._latest

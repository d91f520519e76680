"""What keeps a page up to date: one feed per view and language, however many look at it.

At each tick whoever comes first looks at the station and writes down what has changed, as the bytes
that all of them send. A page that comes, or has fallen behind, gets everything once.
"""

import json
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from itertools import count
from math import floor
from typing import Any, Final, NamedTuple

from fastapi.sse import format_sse_event

from agent.clock import Clock
from agent.web.console.assets import DIGEST
from agent.web.console.items import Items

TICK_S: Final = 0.25
"""The shortest time between two pushes: a value is shown at most so much later."""
BEAT_S: Final = 1.0
"""The longest silence; a page that hears nothing for 2.2 s says so."""
KEPT: Final = 16
"""Ticks that a slow page may be behind before it gets everything anew."""
RETRY_MS: Final = 1000


class Seen(NamedTuple):
    """A view as it is now: pieces by id, and parts of the page by id with what they depend on.

    A part whose mark changes is asked for anew by the pages that have it.
    """

    items: Items
    parts: Mapping[str, object]


class Feed:
    """One view in one language. `look` tells what there is to see, and is called once a tick."""

    def __init__(self, look: Callable[[], Seen], clock: Clock) -> None:
        self._look, self._clock = look, clock
        self._seen = Seen({}, {})
        self._tick, self._silent = -1, 0
        self._frames: deque[tuple[int, bytes]] = deque(maxlen=KEPT)

    async def pieces(
        self, has: Callable[[Mapping[str, object]], bool] = lambda _: False
    ) -> AsyncGenerator[bytes, None]:
        """Everything, then what changes, until the reader leaves.

        `has` tells of parts with these marks that the reader was made with them: they are not named then.
        """
        yield f"retry: {RETRY_MS}\n\n".encode() + _event("hello", {"files": DIGEST})
        self._turn()
        shown = self._tick  # before each push: while it is sent, others may turn
        yield self._whole({} if has(self._seen.parts) else self._seen.parts)
        while True:
            now = self._clock.monotonic()
            await self._clock.sleep((floor(now / TICK_S) + 1) * TICK_S - now)
            self._turn()
            if shown < self._tick - KEPT:
                late = self._whole(self._seen.parts)
            else:
                late = b"".join(piece for tick, piece in self._frames if tick > shown)
            shown = self._tick
            if late:
                yield late

    def _turn(self) -> None:
        """See what has changed, if nobody has at this tick."""
        now = self._clock.monotonic()
        tick = floor(now / TICK_S)
        if tick == self._tick:
            return
        seen, before = self._look(), self._seen
        items = {name: it for name, it in seen.items.items() if before.items.get(name) != it}
        parts = [name for name, mark in seen.parts.items() if before.parts.get(name) != mark]
        self._seen = seen
        self._silent = 0 if items or parts else self._silent + tick - self._tick
        if items or parts:
            sent = {name: item.sent(now) for name, item in items.items()}
            self._frames.append((tick, _event("changes", {"items": sent, "parts": parts})))
        elif self._silent * TICK_S >= BEAT_S:
            self._frames.append((tick, _event("beat", {})))
            self._silent = 0
        self._tick = tick

    def _whole(self, parts: Mapping[str, object]) -> bytes:
        now = self._clock.monotonic()
        items = {name: item.sent(now) for name, item in self._seen.items.items()}
        return _event("changes", {"items": items, "parts": list(parts)})


class Feeds:
    """The feeds that somebody looks at, by view and language. Those of nobody are forgotten.

    `frame` tells in a language what every page has besides its own: items, and parts.
    """

    def __init__(self, clock: Clock, frame: Callable[[str], Seen] = lambda _: Seen({}, {})) -> None:
        self._clock, self._frame = clock, frame
        self._open: dict[tuple[str, str], tuple[Feed, list[None]]] = {}
        self._made, self._count = clock.utc(), count()
        self._stamps: dict[str, tuple[Mapping[str, object], str]] = {}

    def stamp(self, view: str, language: str, seen: Seen) -> str:
        """A name for what the parts of a page show that is made now, to be given to `pieces`.

        It is another as soon as one of them changes, and after a start of the agent.
        """
        return self._stamp(view, {**self._frame(language).parts, **seen.parts})

    async def pieces(
        self, view: str, language: str, look: Callable[[], Seen], has: str = ""
    ) -> AsyncGenerator[bytes, None]:
        """The pieces of a view in a language, from the one feed of all who look at it.

        `has` is the stamp that the page was made with. Without one, and with an old one, the page is
        told to ask for all of its parts.
        """
        with self._feed((view, language), look) as feed:
            async with aclosing(
                feed.pieces(lambda it: has != "" and self._stamp(view, it) == has)
            ) as pieces:
                async for piece in pieces:
                    yield piece

    @contextmanager
    def _feed(self, key: tuple[str, str], look: Callable[[], Seen]) -> Iterator[Feed]:
        whole = self._with_frame(look, key[1])
        feed, readers = self._open.setdefault(key, (Feed(whole, self._clock), []))
        readers.append(None)
        try:
            yield feed
        finally:
            readers.pop()
            if not readers:
                del self._open[key]

    def _stamp(self, view: str, parts: Mapping[str, object]) -> str:
        kept = self._stamps.get(view)
        if kept is None or kept[0] != parts:
            kept = self._stamps[view] = parts, f"{self._made:.3f}-{next(self._count)}"
        return kept[1]

    def _with_frame(self, look: Callable[[], Seen], language: str) -> Callable[[], Seen]:
        def whole() -> Seen:
            seen, frame = look(), self._frame(language)
            return Seen({**seen.items, **frame.items}, {**frame.parts, **seen.parts})

        return whole


def _event(kind: str, data: Mapping[str, Any]) -> bytes:
    return format_sse_event(event=kind, data_str=json.dumps(data, allow_nan=False))

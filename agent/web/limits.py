"""How much one caller may ask of the agent: requests by the second, and streams at once."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from agent.clock import Clock
from agent.languages.message import Message
from agent.web.problems import Problem

RATE: Final = 200.0
"""Requests that a caller may go on making by the second: about a fifth of a core."""
BURST: Final = 1000.0
MOST_STREAMS: Final = 100
"""Of one listener; the other half of its connections is for requests."""
MOST_STREAMS_OF_ONE: Final = 50
"""All consoles on the workstation itself have one address."""
MOST_KEPT: Final = 4096
STREAMS: Final = re.compile(r".*/stream|/live/.*")
"""The path of every endless answer: the API's end so, and those of pages begin so."""


class Limits:
    """The limits of one listener. Stop has none."""

    def __init__(self, clock: Clock, *, rate: float = RATE, burst: float = BURST) -> None:
        self._clock, self._rate, self._burst = clock, rate, burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._streams: Counter[str] = Counter()

    def check_rate(self, who: str) -> None:
        """Count one request. Raises Problem when there were too many lately."""
        now = self._clock.monotonic()
        left, then = self._left.get(who, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._rate)
        if left < 1.0:
            text = Message(
                "more than {rate:g} requests by the second: ask less often", rate=self._rate
            )
            raise Problem("too-many", text, headers={"Retry-After": "1"})
        self._left[who] = left - 1.0, now
        self._left.move_to_end(who)
        while len(self._left) > MOST_KEPT:
            self._left.popitem(last=False)

    @contextmanager
    def stream(self, who: str, path: str) -> Iterator[None]:
        """Count a stream for as long as it lasts; other requests pass. Raises Problem."""
        if not STREAMS.fullmatch(path):
            yield
            return
        if self._streams.total() >= MOST_STREAMS or self._streams[who] >= MOST_STREAMS_OF_ONE:
            text = Message(
                "{most_streams_of_one} streams of one caller are open, or {most_streams} in all",
                most_streams_of_one=MOST_STREAMS_OF_ONE,
                most_streams=MOST_STREAMS,
            )
            raise Problem(
                "too-many", Message("{text}: close one", text=text), headers={"Retry-After": "5"}
            )
        self._streams[who] += 1
        try:
            yield
        finally:
            self._streams[who] -= 1
            self._streams += Counter()  # forgets who has none

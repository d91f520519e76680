"""Requests that were carried out, and their answers: the same id is never carried out twice."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from agent.clock import Clock

KEPT: Final = 1000
KEPT_S: Final = 900.0


@dataclass(slots=True)
class Entry:
    """One request and, as soon as there is one, its answer."""

    fingerprint: str
    answer: asyncio.Future[bytes] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    ended: float = 0.0


class Answers:
    """The last thousand answers of the last fifteen minutes, and the requests under way."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._under_way: dict[str, Entry] = {}
        self._ended: OrderedDict[str, Entry] = OrderedDict()

    def find(self, request: str) -> Entry | None:
        """The request of this id, where it is still known."""
        self._forget()
        return self._under_way.get(request) or self._ended.get(request)

    def begin(self, request: str, fingerprint: str) -> Entry:
        """Remember a request that is about to be carried out."""
        entry = self._under_way[request] = Entry(fingerprint)
        return entry

    def end(self, request: str, answer: bytes) -> None:
        """Remember how a request ended, and tell whoever waits for the same."""
        entry = self._under_way.pop(request)
        entry.ended = self._clock.monotonic()
        entry.answer.set_result(answer)
        self._ended[request] = entry
        self._forget()

    def _forget(self) -> None:
        oldest = self._clock.monotonic() - KEPT_S
        while self._ended:
            request = next(iter(self._ended))
            if len(self._ended) <= KEPT and self._ended[request].ended >= oldest:
                return
            del self._ended[request]

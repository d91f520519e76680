"""Requests that were carried out, and their answers: the same id is never carried out twice."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from agent.clock import Clock

T = TypeVar("T")

KEPT: Final = 1000
KEPT_S: Final = 900.0
MOST: Final = 10_000
"""Answers that are kept for requests which have not expired: more are not taken on."""


@dataclass(slots=True)
class Entry(Generic[T]):
    """One request and, as soon as there is one, its answer."""

    fingerprint: str
    expires: float
    """When a repetition is refused as too late, on the monotonic clock."""
    answer: asyncio.Future[T] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    ended: float = 0.0


class Answers(Generic[T]):
    """The last thousand answers of the last fifteen minutes, and the requests under way.

    An answer stays for as long as its request could come again and be taken for a new one.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._under_way: dict[str, Entry[T]] = {}
        self._ended: OrderedDict[str, Entry[T]] = OrderedDict()

    def find(self, request: str) -> Entry[T] | None:
        """The request of this id, where it is still known."""
        self._forget()
        return self._under_way.get(request) or self._ended.get(request)

    @property
    def full(self) -> bool:
        """Whether no more can be remembered, so that no more may be carried out."""
        self._forget()
        return len(self._ended) >= MOST

    def begin(self, request: str, fingerprint: str, valid_s: float) -> Entry[T]:
        """Remember a request that is about to be carried out, and expires in so many seconds."""
        expires = self._clock.monotonic() + valid_s
        entry = self._under_way[request] = Entry[T](fingerprint, expires)
        return entry

    def end(self, request: str, answer: T) -> None:
        """Remember how a request ended, and tell whoever waits for the same."""
        entry = self._under_way.pop(request)
        entry.ended = self._clock.monotonic()
        entry.answer.set_result(answer)
        self._ended[request] = entry
        self._forget()

    def _forget(self) -> None:
        now = self._clock.monotonic()
        while self._ended:
            request, entry = next(iter(self._ended.items()))
            spare = len(self._ended) > KEPT or entry.ended < now - KEPT_S
            if not spare or entry.expires >= now:
                return
            del self._ended[request]

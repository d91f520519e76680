"""How long somebody who guesses has to wait: longer after each failure, by account and by address."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from agent.clock import Clock

FIRST_S: Final = 2.0
LONGEST_S: Final = 300.0
FORGOTTEN_S: Final = 900.0
"""After so long without a failure an account or address begins anew."""
MOST_KEPT: Final = 4096


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last: float = 0.0
    until: float = 0.0


class Delays:
    """Failures by key, of which the first few are `free`. Times are monotonic."""

    def __init__(self, clock: Clock, *, free: int) -> None:
        self._clock, self._free = clock, free
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def waits(self, key: str) -> bool:
        """Whether nothing of this key is looked at yet."""
        kept = self._failures.get(key)
        return kept is not None and self._clock.monotonic() < kept.until

    def attempt(self, key: str) -> None:
        """Count an attempt as failed, before it is looked at: so many at once are not free."""
        now = self._clock.monotonic()
        kept = self._failures.get(key)
        if kept is None or now - kept.last > FORGOTTEN_S:
            kept = self._failures[key] = _Failures()
        kept.count, kept.last = kept.count + 1, now
        if kept.count >= self._free:
            kept.until = now + min(LONGEST_S, FIRST_S * 2.0 ** min(kept.count - self._free, 20))
        self._failures.move_to_end(key)
        while len(self._failures) > MOST_KEPT:
            self._failures.popitem(last=False)

    def forgive(self, key: str) -> None:
        """Take one attempt back: it was no failure."""
        if kept := self._failures.get(key):
            kept.count -= 1
            kept.until = 0.0 if kept.count < self._free else kept.until

    def succeeded(self, key: str) -> None:
        """Begin this key anew."""
        self._failures.pop(key, None)

"""How long to wait before trying again: longer each time, and never all at once."""

from collections.abc import Iterator
from math import inf
from random import Random
from typing import Final

FIRST_PROBE_S: Final = 1.0
MOST_PROBE_S: Final = 30.0
BUS_SHARE: Final = 0.01
"""Of a bus, which the questions to one silent unit may take in the long run."""
CREDIT_S: Final = 100.0
"""Waiting that cheap questions save up for a dear one: a second of the bus."""
CALM_S: Final = 60.0
"""A unit that was in order for so long is no longer a patient."""


def delays(first: float, most: float, rng: Random) -> Iterator[float]:
    """Yield delays in seconds that double from `first` to `most`, each shortened by up to a half.

    The jitter keeps forty stations from knocking together after a power cut.
    """
    longest = first
    while True:
        yield longest * rng.uniform(0.5, 1.0)
        longest = min(longest * 2, most)


class Quarantine:
    """How long a silent unit of a shared bus is left alone: 1 s, doubling to 30 s and a little more.

    Every question costs the other units time. From the longest wait on it is no more than 1 % of
    the bus, whatever one question costs. A unit that comes back for a moment begins where it was.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._attempts = 0
        self._saved = CREDIT_S
        self._ends = -inf

    def next(self, cost: float, now: float) -> float:
        """Return the seconds until the next question, when the last took `cost` seconds of the bus."""
        if now - self._ends > CALM_S:
            self._attempts = 0
        wait = min(FIRST_PROBE_S * (1 << self._attempts), MOST_PROBE_S)
        if wait == MOST_PROBE_S:
            due = cost / BUS_SHARE - cost
            wait = max(wait, due - self._saved)
            self._saved = min(self._saved + wait - due, CREDIT_S)
        self._attempts = min(self._attempts + 1, 16)
        wait *= self._rng.uniform(1.0, 1.1)
        self._ends = now + wait
        return wait

    def forgive(self) -> None:
        """Begin again with short waits."""
        self._attempts = 0

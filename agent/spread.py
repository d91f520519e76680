"""How long something took, each time that it did: a histogram of bounded size."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


class Spread:
    """Durations in seconds since the start, in buckets with these upper bounds, and an open one.

    One thread takes; others may read, and may find the sum one duration ahead of the counts.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        """Of each bucket alone; the last one has what lay above all bounds."""
        self.seconds = 0.0
        """The sum of all durations."""

    def took(self, seconds: float) -> None:
        """Count one that took this long."""
        self.seconds += seconds
        self.counts[bisect_left(self.bounds, seconds)] += 1

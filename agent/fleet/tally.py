"""What a worker counts about itself; the metrics page reads it."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the poll durations' histogram, in seconds; the last bucket is open."""


@dataclass(slots=True)
class Tally:
    """Counts since the agent started, of one device."""

    polls: int = 0
    skipped: int = 0
    late: int = 0
    connects: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0

    def polled(self, seconds: float) -> None:
        """Count one poll that took this long."""
        self.polls += 1
        self.seconds += seconds
        self.buckets[bisect_left(BUCKETS, seconds)] += 1

    def failed(self, error: Exception) -> None:
        """Count a failure under the name of its error."""
        self.failures[type(error).__name__] += 1

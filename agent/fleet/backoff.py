"""How long to wait before trying again: longer each time, and never all at once."""

from collections.abc import Iterator
from random import Random


def delays(first: float, most: float, rng: Random) -> Iterator[float]:
    """Yield delays in seconds that double from `first` to `most`, each shortened by up to a half.

    The jitter keeps forty stations from knocking together after a power cut.
    """
    longest = first
    while True:
        yield longest * rng.uniform(0.5, 1.0)
        longest = min(longest * 2, most)

"""The exchange that `overhead` times, and the bare form of it: a query, and its own reply.

It imports the standard library alone, as the peers' environment has nothing of ours.
"""

import os
import statistics
import sys
import time
import tty
from collections.abc import Callable, Iterator
from typing import Final

COUNT: Final = 100
"""Distinct queries, so that the reply of another one is told from the right one."""
QUERIES: Final = [b"MEAS:VOLT:DC? %d\n" % n for n in range(COUNT)]
REPLIES: Final = [b"+%d.34567890E+00,V,OK\n" % n for n in range(COUNT)]
ANSWERS: Final = dict(zip(QUERIES, REPLIES, strict=True))
SLICE: Final = 50
"""Exchanges that a contestant makes before the next one's turn. Where the kernel runs the two ends
changes from moment to moment, and is worth more than what is measured: so turns are short."""
WARM_UP: Final = 5

Slice = tuple[list[float], int]
"""The seconds of each exchange, and how many replies were wrong."""


def timed(exchange: Callable[[bytes], bytes]) -> Slice:
    """Make a slice of exchanges after a warm-up."""
    for n in range(WARM_UP):
        exchange(QUERIES[n])
    times, wrong = [], 0
    for n in range(SLICE):
        began = time.perf_counter()
        reply = exchange(QUERIES[n])
        times.append(time.perf_counter() - began)
        wrong += reply != REPLIES[n]
    return times, wrong


def summary(slices: list[dict[str, Slice]]) -> dict[str, dict[str, float]]:
    """By contestant: the median and the 99th percentile in µs, how many were wrong, and `added_us`.

    That is the median of what a slice's median exchange takes beyond that of the "bare" slice
    right before it.
    """
    return {name: _summary(name, slices) for name in slices[0]}


def _summary(name: str, slices: list[dict[str, Slice]]) -> dict[str, float]:
    times = [each for one in slices for each in one[name][0]]
    added = [statistics.median(one[name][0]) - statistics.median(one["bare"][0]) for one in slices]
    return {
        "p50_us": statistics.median(times) * 1e6,
        "p99_us": statistics.quantiles(times, n=100)[98] * 1e6,
        "added_us": statistics.median(added) * 1e6,
        "wrong": sum(one[name][1] for one in slices),
    }


def bare(port: str) -> Callable[[bytes], bytes]:
    """os.write and os.read on a descriptor that blocks: nothing can be nearer to the wire."""
    descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(descriptor)

    def exchange(query: bytes) -> bytes:
        os.write(descriptor, query)
        reply = b""
        while not reply.endswith(b"\n"):
            reply += os.read(descriptor, 256)
        return reply

    return exchange


def rounds() -> Iterator[int]:
    """The number of slices of each round, as the benchmark asks for it on standard input."""
    for line in sys.stdin:
        yield int(line)

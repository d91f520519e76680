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
WARM_UP: Final = 100


def timed(exchange: Callable[[bytes], bytes], count: int) -> dict[str, float]:
    """Make `count` exchanges after a warm-up: the times of one in µs, and how many were wrong."""
    for n in range(WARM_UP):
        exchange(QUERIES[n % COUNT])
    times, wrong = [], 0
    for n in range(count):
        query = QUERIES[n % COUNT]
        began = time.perf_counter()
        reply = exchange(query)
        times.append(time.perf_counter() - began)
        wrong += reply != REPLIES[n % COUNT]
    return summary(times, wrong)


def summary(times: list[float], wrong: int) -> dict[str, float]:
    """The median and the 99th percentile of seconds, in µs."""
    p99 = statistics.quantiles(times, n=100)[98]
    return {"p50_us": statistics.median(times) * 1e6, "p99_us": p99 * 1e6, "wrong": wrong}


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
    """The count of each round, as the benchmark asks for it on standard input."""
    for line in sys.stdin:
        yield int(line)

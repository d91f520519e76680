"""The nearest that a program comes to an RTU line: `python -m benchmarks.rtu_bare PORT BAUD`.

A request is written, its reply read until it is whole, and the silence kept to its end, all by
blocking calls and by spinning where they wake up late: no event loop, no time-outs, no checks but
that the reply is the right one. What this loses against the formula is lost by the pty, by waking
up, and by the unit's program; what `rtu_line` loses beyond it is ours.

It reads "COUNT SIZE" from standard input for each round, and prints the seconds that those polls
took, those of the median poll, and how many replies were wrong, as JSON.
"""

import json
import os
import select
import struct
import sys
import tty
from contextlib import suppress
from itertools import pairwise
from statistics import median
from time import perf_counter
from typing import Final

from benchmarks.rtu_device import TIMER_SLACK, UNIT, answer, settle_on, silence
from simulators.modbus import crc16

ADDRESSES: Final = 100
SPIN_S: Final = 200e-6
"""How long before the end of the silence to stop sleeping."""
READ_INPUT: Final = 4


def request(address: int, size: int) -> bytes:
    """A request to read input registers, with its CRC."""
    asked = struct.pack(">BBHH", UNIT, READ_INPUT, address, size)
    return asked + crc16(asked)


class Bare:
    """A descriptor that blocks."""

    def __init__(self, port: str, baud: int) -> None:
        self._fd = os.open(port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._fd)
        self._silence = silence(baud)
        self._heard_at = perf_counter()

    def exchange(self, asked: bytes, size: int) -> bytes:
        """Keep the silence, ask, and read the reply to its last byte."""
        self._keep_silence()
        os.write(self._fd, asked)
        reply = b""
        while len(reply) < 5 + 2 * size:
            reply += os.read(self._fd, 256)
        self._heard_at = perf_counter()
        return reply

    def _keep_silence(self) -> None:
        due = self._heard_at + self._silence
        if (rest := due - SPIN_S - perf_counter()) > 0:
            select.select((), (), (), rest)
        while perf_counter() < due:
            pass


def polled(line: Bare, count: int, size: int) -> dict[str, float]:
    """Make so many polls of so many registers."""
    asked = [request(n, size) for n in range(ADDRESSES)]
    right = [answer(one) for one in asked]
    line.exchange(asked[0], size)  # the unit may have fallen asleep
    wrong, ends = 0, [perf_counter()]
    for n in range(count):
        wrong += line.exchange(asked[n % ADDRESSES], size) != right[n % ADDRESSES]
        ends.append(perf_counter())
    between = [after - before for before, after in pairwise(ends)]
    return {"seconds": ends[-1] - ends[0], "median": median(between), "wrong": wrong}


def main() -> None:
    """Poll as often as is asked for."""
    line = Bare(sys.argv[1], int(sys.argv[2]))
    with suppress(OSError):
        TIMER_SLACK.write_text("1", "ascii")
    settle_on(0)
    for asked in sys.stdin:
        count, size = map(int, asked.split())
        print(json.dumps(polled(line, count, size)), flush=True)


if __name__ == "__main__":
    main()

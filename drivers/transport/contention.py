"""A bus on which somebody speaks who was not asked: a second master, two units of one number, noise."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Final

from drivers.errors import BadReply
from drivers.transport.modbus import Request, RtuFrames
from drivers.transport.traffic import Traffic

ACCIDENTS: Final = 3
"""Intrusions without a whole frame, after which they are no accident, such as a cable being plugged."""
LISTEN_S: Final = 0.05
"""Silence before a write where somebody has just spoken unasked: time for an answer to him."""
FRESH_S: Final = 1.0
"""How long after an intrusion a write looks twice before it goes out."""
OVER_S: Final = 3600.0
"""After so long without an intrusion the next one is news again."""


def nobody(_: str) -> None:
    """Hear nothing: for a bus whose owner does not care."""


class Contention:
    """Counts who speaks unasked, and tells `warn` once what it looks like."""

    def __init__(self, traffic: Traffic, warn: Callable[[str], None] = nobody) -> None:
        self._traffic, self._warn = traffic, warn
        self._last = -math.inf
        self._accidents = 0
        self._said = False

    @property
    def silence(self) -> float:
        """Seconds that a write has to find the bus silent for, beyond what is usual."""
        is_fresh = asyncio.get_running_loop().time() - self._last < FRESH_S
        return LISTEN_S if is_fresh else 0.0

    def heard(self, data: bytes, *, whole: bool) -> None:
        """Note bytes that nobody asked for; `whole` ones are frames with a right checksum."""
        now = asyncio.get_running_loop().time()
        if now - self._last > OVER_S:
            self._accidents, self._said = 0, False
        self._last = now
        self._traffic.intrusions += 1
        self._accidents += ACCIDENTS if whole else 1
        if self._accidents >= ACCIDENTS and not self._said:
            self._said = True
            self._warn(
                f"somebody speaks on the bus who was not asked ({data[:16].hex(' ')}): is there a "
                "second master, a number given to two units, or a unit at another baud rate?"
            )


def speaker(frames: RtuFrames, data: bytes) -> int:
    """The unit whose one whole reply this is; 0 when it is none."""
    try:
        return frames.decode(data)[0]
    except BadReply:
        return 0


def is_request(frames: RtuFrames, data: bytes) -> bool:
    """Whether this begins with a request of another master; those of functions 1 to 6 have 8 bytes."""
    return len(data) >= 8 and data[:8] == frames.encode(Request(data[0], data[1:6], 0))

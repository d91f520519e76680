"""The only place that asks what time it is. Tests hand in a clock of their own."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time for records, monotonic time for durations; both in seconds."""

    def utc(self) -> float:
        """Seconds since 1970-01-01 UTC. It may step when the station's clock is set."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment. It never steps."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let others run for this long."""
        ...


class SystemClock:
    """The workstation's own clocks, which every poll asks: without a call in between."""

    utc = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    async def sleep(self, seconds: float) -> None:
        """See Clock."""
        await asyncio.sleep(seconds)


def boottime() -> float:
    """Seconds since the machine began, those in which it was suspended included. It never steps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)

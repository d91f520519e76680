"""Moments at which something is done, by name, on the monotonic clock. One task waits for all."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress

from agent.clock import Clock


class Deadlines:
    """What is due when. Setting one that is there already replaces it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[str, tuple[float, Callable[[], None]]] = {}
        self._waits_until = math.inf
        self._sooner = asyncio.Event()

    def __contains__(self, name: str) -> bool:
        return name in self._due

    def put(self, name: str, seconds: float, do: Callable[[], None]) -> None:
        """Do this in so many seconds."""
        when = self._clock.monotonic() + seconds
        self._due[name] = when, do
        if when < self._waits_until:
            self._sooner.set()

    def when(self, name: str) -> float | None:
        """When this is due, on the monotonic clock; None where it is not."""
        return self._due[name][0] if name in self._due else None

    def drop(self, name: str) -> None:
        """Do not do it after all."""
        self._due.pop(name, None)

    def do_what_is_due(self) -> None:
        """Do it, the earliest first."""
        now = self._clock.monotonic()
        for name, (when, _) in sorted(self._due.items(), key=lambda it: it[1][0]):
            if when <= now and name in self._due:
                self._due.pop(name)[1]()

    async def run(self) -> None:
        """Do everything when it is due, until cancelled."""
        while True:
            self.do_what_is_due()
            self._sooner.clear()
            self._waits_until = min((when for when, _ in self._due.values()), default=math.inf)
            left = self._waits_until - self._clock.monotonic()
            with suppress(TimeoutError):
                async with asyncio.timeout(left if left < math.inf else None):
                    await self._sooner.wait()

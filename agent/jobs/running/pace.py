"""When a run goes on and when it rests: pause between steps and inside waits, and resume."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from agent.clock import Clock

TICK_S: Final = 0.05
"""How often a wait looks whether it is over or is to pause: as often as the fastest poll."""


class Pace:
    """Of one run. `paused` is told when every branch rests.

    A run has as many lanes as branches that go on side by side. It is paused once all of them have
    come to a place where they can rest.
    """

    def __init__(self, clock: Clock, paused: Callable[[], None]) -> None:
        self._clock, self._paused = clock, paused
        self._go = asyncio.Event()
        self._go.set()
        self._lanes, self._resting = 1, 0
        self._rested, self._since = 0.0, 0.0  # in pauses that are over; when the last one began

    @property
    def time(self) -> float:
        """The monotonic clock, without the time that was spent in pauses."""
        now = self._since if self.wants_rest else self._clock.monotonic()
        return now - self._rested

    @property
    def wants_rest(self) -> bool:
        """Whether a pause was asked for."""
        return not self._go.is_set()

    def pause(self) -> None:
        """Rest at the next place where that is possible."""
        if not self.wants_rest:
            self._since = self._clock.monotonic()
        self._go.clear()
        self._look()

    def resume(self) -> None:
        """Go on."""
        if self.wants_rest:
            self._rested += self._clock.monotonic() - self._since
        self._go.set()

    async def rest(self) -> bool:
        """Rest here while a pause is asked for; return whether there was one."""
        if self._go.is_set():
            return False
        self._resting += 1
        self._look()
        try:
            await self._go.wait()
        finally:
            self._resting -= 1
        return True

    async def tick(self, seconds: float = TICK_S) -> bool:
        """Let a short time pass, then rest if a pause is asked for; return whether there was one."""
        await self._clock.sleep(min(max(seconds, 0.0), TICK_S))
        return await self.rest()

    async def wait(self, seconds: float, left: Callable[[float], None]) -> None:
        """Let a time pass; what is spent in a pause does not count. `left` is told what remains."""
        remaining = seconds
        while remaining > 0:
            left(remaining)
            began = self._clock.monotonic()
            await self._clock.sleep(min(remaining, TICK_S))
            remaining -= self._clock.monotonic() - began
            await self.rest()
        left(0.0)

    @contextmanager
    def fork(self) -> Iterator[None]:
        """While its branches run, the lane that has begun them does not count."""
        self._lanes -= 1
        try:
            yield
        finally:
            self._lanes += 1

    @contextmanager
    def lane(self) -> Iterator[None]:
        """One more lane, for a branch."""
        self._lanes += 1
        try:
            yield
        finally:
            self._lanes -= 1
            self._look()

    def _look(self) -> None:
        if self.wants_rest and 0 < self._lanes <= self._resting:
            self._paused()

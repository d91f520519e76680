"""What the disk did not take and must have all the same: it is tried again, in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from agent.clock import Clock
from agent.errors import AgentError
from agent.store.store_errors import NotRecorded

AGAIN_S: Final = 2.0
"""A disk that was full is full for a while; one that was mended should not be waited for."""
LAST_WITHIN_S: Final = 0.2
"""How long the end of the agent waits for a last try: less than it waits for the record as a whole."""
MOST: Final = 1000
"""Entries that are kept; what comes on top is in the log alone."""

log = logging.getLogger("labkeeper")

Work = Callable[[], Awaitable[object]]


class Owed:
    """Writes by what they are called. They are no more than MOST, and all of them short."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._works: dict[str, Work] = {}
        self._some = asyncio.Event()

    def __contains__(self, what: str) -> bool:
        return what in self._works

    def add(self, what: str, work: Work) -> None:
        """Have it written as soon as the disk takes it."""
        if len(self._works) >= MOST:
            log.error("too much waits for the disk already: %s is not recorded", what)
            return
        self._works[what] = work
        self._some.set()

    def drop(self, what: str) -> None:
        """Owe it no longer."""
        self._works.pop(what, None)

    async def run(self) -> None:
        """Try again until cancelled, and then once more."""
        try:
            while True:
                await self._some.wait()
                await self._clock.sleep(AGAIN_S)
                await self._try_again()
                if not self._works:
                    self._some.clear()
        finally:
            with suppress(TimeoutError):  # what is left then is said
                async with asyncio.timeout(LAST_WITHIN_S):
                    await self._try_again()
            for what in self._works:
                log.error("the agent ends, and %s is not recorded", what)

    async def _try_again(self) -> None:
        for what, work in tuple(self._works.items()):
            if not await self._is_done(what, work):
                break

    async def _is_done(self, what: str, work: Work) -> bool:
        """Whether the disk took it, or never will."""
        try:
            await work()
        except NotRecorded:
            return False
        except AgentError as error:
            log.error("%s", error)
        self.drop(what)
        return True

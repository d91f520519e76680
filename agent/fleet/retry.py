"""When the next connect begins, and when the one that is under way has ended."""

import asyncio
from contextlib import suppress
from typing import Final

from agent.clock import Clock

CLOSED_S: Final = 0.1  # a board is reset when DTR rises, if it had time to fall before


class Retry:
    """The time between the attempts to connect to one device. It is under way from the beginning on."""

    __slots__ = ("_again", "_clock", "_is_asked", "_is_under_way", "_settled")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._again: asyncio.Event | None = None  # while somebody waits; an Event takes 0.7 KB
        self._settled: asyncio.Event | None = None  # likewise
        self._is_asked, self._is_under_way = False, True

    def ask(self) -> None:
        """Begin the next attempt at once, or as soon as the present connection has ended."""
        self._is_asked = True
        if self._again is not None:
            self._again.set()

    async def pause(self, seconds: float | None, *, is_serial: bool) -> None:
        """Wait that long, or until somebody asks; None waits for that alone."""
        self._again = asyncio.Event()
        with suppress(TimeoutError):  # the usual end of a pause
            async with asyncio.timeout(seconds):
                if not self._is_asked:
                    await self._again.wait()
        if self._is_asked and is_serial:
            await self._clock.sleep(CLOSED_S)
        self._again, self._is_asked, self._is_under_way = None, False, True

    def connected(self) -> None:
        """Say that the attempt succeeded, which is also what was asked for meanwhile."""
        self._is_asked = False
        self.ended()

    def ended(self) -> None:
        """Say that the attempt, or the connection after it, has ended."""
        self._is_under_way = False
        if self._settled is not None and not self._is_asked:
            self._settled.set()
            self._settled = None

    async def settled(self, within: float, *, anew: bool) -> bool:
        """Wait until no attempt is under way or about to begin, at most `within` s; False if none was.

        `anew` asks for one: the connection that there was is ending.
        """
        if anew:
            self.ask()
        if not (self._is_asked or self._is_under_way):
            return False
        self._settled = self._settled or asyncio.Event()
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._settled.wait()
        return True

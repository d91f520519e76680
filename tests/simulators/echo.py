"""The simplest instrument, and the program at the other end of its connector."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

DEADLINE_S = 20.0


class Echo:
    """Greets, answers each line in capitals, and speaks by itself when it is told to."""

    def __init__(self) -> None:
        self.greetings = 0
        self.age = 0.0
        self.news = b""
        self.heard = b""

    def opened(self) -> bytes:
        self.greetings += 1
        self.heard = b""
        return b"hello %d\n" % self.greetings

    def handle(self, data: bytes) -> bytes:
        *lines, self.heard = (self.heard + data).split(b"\n")
        return b"".join(line.upper() + b"\n" for line in lines)

    def advance(self, dt: float) -> bytes:
        self.age += dt
        news, self.news = self.news, b""
        return news


class Client:
    """A program at the other end: a socket, or a terminal opened by its name."""

    def __init__(self, read: Callable[[], Awaitable[bytes]], write: Callable[[bytes], None]):
        self._read, self.write = read, write
        self._left = b""

    async def line(self) -> bytes:
        """The next line, or b"" at the end of the connection."""
        async with asyncio.timeout(DEADLINE_S):
            while b"\n" not in self._left:
                data = await self._read()
                if not data:
                    return b""
                self._left += data
            line, _, self._left = self._left.partition(b"\n")
            return line

    async def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        async with asyncio.timeout(DEADLINE_S):
            while data := await self._read():
                self._left += data
            return self._left


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.005)

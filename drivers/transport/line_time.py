"""Serial lines on which a reply can be told from what can't be one, by the time that bytes take.

Echoed  an RS-485 adapter hands back what it sends: all of it has to come, byte for byte
Timed   a real UART: a reply that begins before the request can have left answers something else
"""

from __future__ import annotations

import asyncio
from typing import Final, Self

from drivers.errors import BadReply, LinkTimeout
from drivers.transport.link import Line, Timeouts

ADAPTER_S: Final = 1.0
"""Seconds beyond the line's own time in which an echo comes, through USB and a busy computer."""
CLOCKS: Final = 0.95
"""Two UARTs understand each other up to about 5 % apart in their baud rates; so much is allowed."""


class Collision(BadReply):
    """Other bytes came back than were sent: somebody else was sending at the same time."""

    def __init__(self, sent: bytes, heard: bytes) -> None:
        super().__init__(
            f"{sent.hex(' ')} was sent and {heard.hex(' ')} came back: another master speaks on "
            "this line, or two units at once, or the adapter does not echo (then: echo=off)"
        )
        self.heard = heard


class _Over:
    """Another link, in all but what a subclass says."""

    def __init__(self, line: Line, character: float) -> None:
        self.line, self.character = line, character
        self.clears = line.clears

    @property
    def heard_at(self) -> float:
        return self.line.heard_at

    async def __aenter__(self) -> Self:
        await self.line.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.line.__aexit__(*exc)

    async def send(self, data: bytes) -> None:
        await self.line.send(data)

    def send_now(self, data: bytes) -> None:
        self.line.send_now(data)

    async def receive_until(self, end: bytes, timeouts: Timeouts) -> bytes:
        return await self.line.receive_until(end, timeouts)

    async def receive_exactly(self, count: int, timeouts: Timeouts) -> bytes:
        return await self.line.receive_exactly(count, timeouts)

    def discard(self) -> bytes:
        return self.line.discard()

    async def resync(self, quiet: float) -> None:
        await self.line.resync(quiet)


class Echoed(_Over):
    """A line whose adapter hears itself. `character` is the seconds that one byte takes.

    What is read is never what we sent: `send` ends when the echo has been read and compared.
    """

    async def send(self, data: bytes) -> None:
        """Send, and read the same back.

        Raises:
            Collision: Something else came back; the units may have heard anything.
            LinkTimeout: Less came back.
            LinkError: As `send` of the line.
        """
        await self.line.send(data)
        longest = ADAPTER_S + len(data) * self.character
        waits = Timeouts(first_byte=longest, next_byte=ADAPTER_S, whole=longest)
        try:
            echo = await self.line.receive_exactly(len(data), waits)
        except LinkTimeout as missing:
            got = self.line.discard()
            raise LinkTimeout(
                f"the address says echo=on, and of {len(data)} bytes sent {len(got)} came back: "
                "is the adapter connected, and does it echo?"
            ) from missing
        if echo != data:
            raise Collision(data, echo)


class Timed(_Over):
    """A line with a real UART, on which every byte takes its time. `character` is that in seconds.

    No reply can begin before the last stop bit of its request: what has arrived by then is old.
    `discard` hands it over, before the next request. Never used unasked: a USB device that only
    looks like a serial port, a pty or a port of a virtual machine has no such time.
    """

    def __init__(self, line: Line, character: float) -> None:
        super().__init__(line, character)
        self._early = b""

    async def send(self, data: bytes) -> None:
        """Send, and set aside what arrives while that is still on its way. Raises as the line."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self.line.send(data)
        # The last byte counts as sent when it begins: a unit may take its stop bit as half.
        left = began + CLOCKS * (len(data) - 1) * self.character - loop.time()
        if left > 0:
            await asyncio.sleep(left)
        self._early += self.line.discard()

    def discard(self) -> bytes:
        early, self._early = self._early, b""
        return early + self.line.discard()

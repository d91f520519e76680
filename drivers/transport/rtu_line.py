"""A line that carries Modbus RTU frames, and the silence between them.

Silence counts from the moment the last byte came, not from when somebody got round to reading
it: what is decoded and prepared meanwhile costs the line nothing. It ends as exactly: from a timer
to the first byte of a request some 100 µs pass, which is more than 1 % of a poll at 115,200 baud.
So the line learns how long that takes, wakes up so much earlier, and spins for what is then left.
"""

import asyncio
from functools import lru_cache
from typing import Final

from drivers.errors import BadReply
from drivers.transport.exchange import Wait
from drivers.transport.link import Line, Timeouts
from drivers.transport.modbus import Request, RtuFrames
from drivers.transport.presence import NotSilent
from drivers.transport.standing import BITS_PER_CHARACTER, silence

REMEMBERED: Final = 256
"""Requests whose frames are remembered: a poll asks for the same again and again."""
MOST_EARLY_S: Final = 150e-6
"""By how much at most to wake up early, and so the longest that the event loop is kept busy."""
LATER_S, EARLIER_S = 1e-6, 3e-6
"""Steps after being in time and after being late: in time three times out of four."""


class RtuLine:
    """One frame at a time, there and back.

    Args:
        link: The bytes of the line.
        baudrate: Of the line; a gateway keeps the time of its own.
        gap: Seconds added to the silence between frames.
    """

    def __init__(self, link: Line, baudrate: int, gap: float) -> None:
        self.frames = RtuFrames()
        self.encode = lru_cache(maxsize=REMEMBERED)(self.frames.encode)
        self.silence = silence(baudrate) + gap
        self._link = link
        self._character = BITS_PER_CHARACTER / baudrate
        self._left_at = 0.0
        self._due: float | None = None  # when the silence that was slept through ends
        self._early = 0.0
        self._may_spin = False

    def begin(self) -> None:
        """Count silence from now: nobody knows what was on the line before it was opened."""
        now = asyncio.get_running_loop().time
        self._left_at = now()
        # A virtual clock stands still while somebody spins; nothing is ever late by it.
        self._may_spin = getattr(now, "__func__", None) is asyncio.BaseEventLoop.time

    @property
    def silent_from(self) -> float:
        """Since when nobody has spoken, we included, on the loop's clock."""
        return max(self._left_at, self._link.heard_at)

    async def send(self, frame: bytes) -> None:
        """Hand a frame over; the line is busy for as long as its bytes take. Raises as the link."""
        if self._due is not None:
            self._end_silence(self._due)
        try:
            await self._link.send(frame)
        finally:
            self._left_at = asyncio.get_running_loop().time() + len(frame) * self._character

    def _end_silence(self, due: float) -> None:
        """Spin to its very end, and learn from how early or late this is."""
        self._due = None
        now = asyncio.get_running_loop().time
        if now() > due:
            self._early = min(MOST_EARLY_S, self._early + EARLIER_S)
        else:
            self._early = max(0.0, self._early - LATER_S)
        while now() < due:
            pass

    def was_answered(self) -> None:
        """Say that the last frame has left, for what has come since answers it."""
        self._left_at = min(self._left_at, self._link.heard_at)

    async def quiet(self, longest: float, longer: float = 0.0) -> bytes:
        """Wait until nobody has spoken for the silence, or `longer`; what came meanwhile, unread.

        It returns up to MOST_EARLY_S before the end, which `send` then keeps.

        Raises:
            NotSilent: It did not come to that within `longest` seconds.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + longest
        quiet = max(self.silence, longer)
        while True:
            since = self.silent_from
            self._due = None
            if (end := since + quiet) > loop.time():
                self._due = end if self._may_spin else None
                await _until(end - self._early, loop)
            if since == self.silent_from:
                return self._link.discard()
            if loop.time() > deadline:
                raise NotSilent(f"the bus was not silent within {longest:g} s")

    async def frame(self, request: Request, timeouts: Timeouts) -> bytes:
        """Receive one whole frame, whoever's; of a wrong length from this unit, not even that.

        Raises:
            BadReply: What begins here is no reply, or not as long as this request's.
            LinkClosed: It is the request itself.
            LinkError: As `receive_exactly` of the link.
        """
        head = await self._link.receive_exactly(RtuFrames.HEAD, timeouts)
        size = self.frames.size(head)
        if head[:2] == bytes([request.unit, request.function]) and size != request.reply_size + 3:
            self.frames.refuse_echo(head, request)
            raise BadReply(
                f"{head.hex(' ')}… is not as long as the reply to {request.pdu.hex(' ')}"
            )
        if size == RtuFrames.HEAD:
            return head
        rest = Timeouts(
            first_byte=timeouts.next_byte, next_byte=timeouts.next_byte, whole=timeouts.whole
        )
        return head + await self._link.receive_exactly(size - RtuFrames.HEAD, rest)


async def _until(when: float, loop: asyncio.AbstractEventLoop) -> None:
    """Sleep, as asyncio.sleep does, but within an exchange wake up a turn of the loop earlier."""
    wait = Wait(loop=loop)
    loop.call_at(when, wait.end)
    await wait

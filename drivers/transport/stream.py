"""What serial lines and sockets have in common: bytes that have arrived and wait to be read."""

import asyncio
from abc import ABC, abstractmethod
from typing import Self

from drivers.errors import BadReply, LinkClosed, LinkError, LinkTimeout
from drivers.transport.link import Timeouts

LONGEST_LINE = 1 << 20
"""Bytes after which a reply without an end is babble."""

MOST_UNREAD = 1 << 26
"""Bytes that may wait to be read; a device that sends more of its own accord is cut off."""


class Inbox:
    """Received bytes. Something feeds it from the loop; one reader at a time waits on it."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._error: LinkError | None = None
        self._waiter: asyncio.Future[None] | None = None

    def feed(self, data: bytes) -> None:
        """Append what has just arrived, unless the link has failed."""
        if data and self._error is None:
            self._bytes += data
            if len(self._bytes) > MOST_UNREAD:
                count = len(self.discard())
                self.fail(LinkClosed(f"{count} bytes came that nobody asked for"))
            self._wake()

    def fail(self, error: LinkError) -> None:
        """Say that nothing more will come; whoever waits gets the first such error."""
        self._error = self._error or error
        self._wake()

    def discard(self) -> bytes:
        """Throw away what is unread, and return it for the record."""
        unread = bytes(self._bytes)
        self._bytes.clear()
        return unread

    async def until(self, end: bytes, timeouts: Timeouts) -> bytes:
        """Return the bytes before `end`, which is taken too.

        Raises:
            LinkTimeout: One of the time-outs passed.
            LinkClosed: The other end went away first.
            BadReply: A megabyte came without an end.
        """
        clock = _ReplyClock(timeouts)
        looked = 0
        while (at := self._bytes.find(end, looked)) < 0:
            looked = max(0, len(self._bytes) - len(end) + 1)
            if looked > LONGEST_LINE:
                raise BadReply(f"{looked} bytes came without {end!r}: is the baud rate right?")
            await self._more(clock)
        reply = bytes(self._bytes[:at])
        del self._bytes[: at + len(end)]
        return reply

    async def exactly(self, count: int, timeouts: Timeouts) -> bytes:
        """Return the next `count` bytes. Raises LinkTimeout or LinkClosed."""
        clock = _ReplyClock(timeouts)
        while len(self._bytes) < count:
            await self._more(clock)
        reply = bytes(self._bytes[:count])
        del self._bytes[:count]
        return reply

    async def silence(self, quiet: float, longest: float) -> None:
        """Discard until nothing has come for `quiet` seconds; LinkTimeout after `longest`."""
        clock = _ReplyClock(Timeouts(first_byte=quiet, next_byte=quiet, whole=longest))
        while True:
            self._bytes.clear()
            try:
                await self._more(clock)
            except LinkTimeout:
                if clock.spent():
                    raise LinkTimeout(f"the device babbled for {longest:g} s") from None
                return

    async def _more(self, clock: "_ReplyClock") -> None:
        """Wait for the next bytes, up to the time-out that comes first."""
        if self._error is not None:
            raise self._error
        if clock.over():  # however many bytes are still coming
            raise LinkTimeout(clock.complaint(bytes(self._bytes)))
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_at(clock.deadline, self._wake)
        arrived = len(self._bytes)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None
        if len(self._bytes) > arrived:
            clock.byte_came()
        elif self._error is not None:
            raise self._error
        else:
            raise LinkTimeout(clock.complaint(bytes(self._bytes)))

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _ReplyClock:
    """Three of the four time-outs of one reply; the fourth, for the turn, is over by now."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._now = asyncio.get_running_loop().time
        self._timeouts = timeouts
        self._whole = self._now() + timeouts.whole
        self._started = False
        self.deadline = min(self._now() + timeouts.first_byte, self._whole)

    def byte_came(self) -> None:
        self._started = True
        self.deadline = min(self._now() + self._timeouts.next_byte, self._whole)

    def spent(self) -> bool:
        return self._now() >= self._whole

    def over(self) -> bool:
        """Whether a reply has begun and should have been whole by now."""
        return self._started and self.spent()

    def complaint(self, got: bytes) -> str:
        if self.spent() and self._started:
            return f"the reply was not whole after {self._timeouts.whole:g} s: {got[:80]!r}"
        if not self._started and not got:
            return f"no reply within {self._timeouts.first_byte:g} s: is it on and connected?"
        return f"the reply stopped for {self._timeouts.next_byte:g} s after {got[:80]!r}"


class StreamLink(ABC):
    """A link over a stream of bytes; serial lines and sockets say how it opens and writes."""

    clears = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.inbox = Inbox()

    async def __aenter__(self) -> Self:
        self.inbox = Inbox()
        await self._open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._close()

    async def receive_until(self, end: bytes, timeouts: Timeouts) -> bytes:
        """See Inbox.until."""
        return await self.inbox.until(end, timeouts)

    async def receive_exactly(self, count: int, timeouts: Timeouts) -> bytes:
        """See Inbox.exactly."""
        return await self.inbox.exactly(count, timeouts)

    def discard(self) -> bytes:
        """See Inbox.discard."""
        return self.inbox.discard()

    async def resync(self, quiet: float) -> None:
        """Discard until the line has been quiet for `quiet` seconds."""
        await self.inbox.silence(quiet, longest=quiet + 10.0)

    @abstractmethod
    async def send(self, data: bytes) -> None:
        """Send all of `data`. Raises LinkClosed, or LinkTimeout when the device stops reading."""

    @abstractmethod
    def send_now(self, data: bytes) -> None:
        """Send past every queue of ours, without waiting. Raises LinkClosed."""

    @abstractmethod
    async def _open(self) -> None: ...

    @abstractmethod
    async def _close(self) -> None: ...

"""What serial lines and sockets have in common: bytes that have arrived and wait to be read."""

import asyncio
from abc import ABC, abstractmethod
from typing import Self

from drivers.errors import BadReply, LinkClosed, LinkError, LinkTimeout
from drivers.transport.exchange import Wait
from drivers.transport.link import Timeouts
from drivers.transport.recorder import Recorder
from drivers.transport.reply_clock import ReplyClock

LONGEST_LINE = 1 << 20
"""Bytes after which a reply without an end is babble."""

BABBLE_S = 3.0
"""Seconds after which a line that should fall silent, and does not, is given up."""

MOST_UNREAD = 1 << 26
"""Bytes that may wait to be read; a device that sends more of its own accord is cut off."""


class Inbox:
    """Received bytes. Something feeds it from the loop; one reader at a time waits on it."""

    def __init__(self, recorder: Recorder | None = None) -> None:
        self._recorder = recorder or Recorder()
        self._bytes = bytearray()
        self._error: LinkError | None = None
        self._waiter: Wait | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._deadline = 0.0  # of who waits, on the loop's clock
        self._clock: ReplyClock | None = None  # of who waits
        self._enough = 0  # bytes, below which who waits need not be woken
        self.heard_at = 0.0
        """When bytes last came, on the loop's clock; 0 before the first."""

    def feed(self, data: bytes) -> None:
        """Append what has just arrived, unless the link has failed."""
        if data and self._error is None:
            self.heard_at = self._recorder.now()
            self._recorder.received(data)
            self._bytes += data
            if len(self._bytes) > MOST_UNREAD:
                count = len(self.discard())
                self.fail(LinkClosed(f"{count} bytes came that nobody asked for"))
            elif len(self._bytes) >= self._enough:
                self._wake()
            else:
                self._prolong()

    def fail(self, error: LinkError, *, by_us: bool = False) -> None:
        """Say that nothing more will come; whoever waits gets the first such error."""
        if self._error is None and not by_us:
            self._recorder.noted(f"lost: {error}")
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
        clock = ReplyClock(timeouts)
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
        if len(self._bytes) < count:
            await self._more(ReplyClock(timeouts), count)
        reply = bytes(self._bytes[:count])
        del self._bytes[:count]
        return reply

    @property
    def failure(self) -> LinkError | None:
        """The first thing that went wrong; None while nothing has."""
        return self._error

    @property
    def is_calm(self) -> bool:
        """Whether nothing is unread, and the link has not failed."""
        return not self._bytes and self._error is None

    def arrival(self, loop: asyncio.AbstractEventLoop, deadline: float) -> Wait:
        """Return what ends when bytes come, the link fails, or it is `deadline` on the loop's clock.

        It takes no cancellation: a task that was cancelled meanwhile learns so when it has ended.
        """
        self._waiter = wait = Wait(loop=loop)
        wait.held = True
        if self.is_calm:
            self._end_at(deadline, loop)
        else:  # it has happened already; others have their turn all the same
            loop.call_soon(wait.end)
        return wait

    def take_only(self, head: bytes, size: int) -> bytes:
        """Return all that is unread if it is `size` bytes and begins so; else b"", and it stays."""
        self._waiter = None
        if len(self._bytes) != size or not self._bytes.startswith(head):
            return b""
        return self.discard()

    async def silence(self, quiet: float, longest: float) -> None:
        """Discard until nothing has come for `quiet` seconds; LinkTimeout after `longest`."""
        clock = ReplyClock(Timeouts(first_byte=quiet, next_byte=quiet, whole=longest))
        while True:
            self._bytes.clear()
            try:
                await self._more(clock)
            except LinkTimeout:
                if clock.is_spent():
                    raise LinkTimeout(f"the device babbled for {longest:g} s") from None
                return

    async def _more(self, clock: ReplyClock, enough: int = 0) -> None:
        """Wait until `enough` bytes are there, or one more, up to the time-out that comes first."""
        if self._error is not None:
            raise self._error
        deadline = clock.deadline()
        if deadline is None:
            raise LinkTimeout(clock.complaint(bytes(self._bytes)))
        enough = enough or len(self._bytes) + 1
        await self._wait(clock, enough, deadline)
        if len(self._bytes) >= enough:
            clock.has_started = True
        elif self._error is not None:
            raise self._error
        else:
            raise LinkTimeout(clock.complaint(bytes(self._bytes)))

    async def _wait(self, clock: ReplyClock, enough: int, deadline: float) -> None:
        """Wait until something happens. One timer serves many waits: most end long before it."""
        self._clock, self._enough = clock, enough
        self._end_at(deadline, clock.loop)
        self._waiter = Wait(loop=clock.loop)
        try:
            await self._waiter
        finally:
            self._waiter = self._clock = None
            self._enough = 0

    def _prolong(self) -> None:
        """Let who waits for more than has come wait on, up to the time-out that is next now.

        A slow line hands over byte by byte. Who waits for a frame is not woken for each.
        """
        if self._clock is not None:
            self._clock.has_started = True
            if (deadline := self._clock.deadline()) is not None:
                self._end_at(deadline, self._clock.loop)

    def _end_at(self, deadline: float, loop: asyncio.AbstractEventLoop) -> None:
        self._deadline = deadline
        if self._alarm is None or self._alarm.when() > deadline:
            self._set_alarm(loop)

    def _set_alarm(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = loop.call_at(self._deadline, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake who waits, or set the alarm anew if it was set for an earlier wait than this."""
        alarm, self._alarm = self._alarm, None
        if self._waiter is None:
            return
        if alarm is not None and alarm.when() < self._deadline:
            self._set_alarm(loop)
        else:
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None:
            self._waiter.end()


class StreamLink(ABC):
    """A link over a stream of bytes; serial lines and sockets say how it opens and writes."""

    clears = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.recorder = Recorder()
        """Of this line. Who makes the link may put one in its place that outlives it."""
        self.inbox = Inbox(self.recorder)
        self.kept: dict[str, str] = {}
        """What a wire knows of this device. Who makes the link may put one in its place."""

    @property
    def heard_at(self) -> float:
        """See Inbox."""
        return self.inbox.heard_at

    async def __aenter__(self) -> Self:
        self.inbox = Inbox(self.recorder)
        self._loop = asyncio.get_running_loop()
        await self._open()
        self.recorder.opened(asyncio.get_running_loop().time)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.recorder.closed()
        await self._close()

    @property
    def is_calm(self) -> bool:
        """Whether nothing is unread, the link has not failed, and all that was sent has gone out."""
        return self.inbox.is_calm

    def ask(self, data: bytes, deadline: float) -> Wait:
        """Send on a link that is calm, and return what ends at the first thing that happens then.

        See Inbox.arrival. Raises LinkClosed.
        """
        self.send_now(data)
        return self.inbox.arrival(self._loop, deadline)

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
        self.recorder.noted("getting back in step: waiting until it is quiet")
        await self.inbox.silence(quiet, longest=quiet + BABBLE_S)

    @abstractmethod
    async def send(self, data: bytes) -> None:
        """Send all of `data`. Raises LinkClosed, or LinkTimeout when the device stops reading."""

    @abstractmethod
    def send_now(self, data: bytes) -> None:
        """Send past every queue of ours, without waiting. Raises LinkClosed."""

    @property
    def failure(self) -> LinkError | None:
        """Why the link is lost; None while it is not."""
        return self.inbox.failure

    @property
    def character(self) -> float:
        """Seconds that one byte takes on the line; 0 where that is not known."""
        return 0.0

    def drop_unsent(self) -> None:
        """Take back what was sent and has not left yet. Here that can't be done, which is noted."""
        self.recorder.noted("what was sent before can't be taken back here")

    @abstractmethod
    async def _open(self) -> None: ...

    @abstractmethod
    async def _close(self) -> None: ...

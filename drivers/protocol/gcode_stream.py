"""Lines of a program, several on their way at once, so that a serial line is never idle.

How many may be on their way is what the firmware can hold: the lines of its command queue, and
behind them the bytes of its receive buffer. Both are known by the printer's profile, or the first
by the acknowledgements (`ok N5 P15 B3`: B places are free). Where neither is, one line at a time is
sent, and so is the rest of a print after the board has asked for a line again: Marlin throws away
what it has received then, and what comes of a line that is cut by that bears no number. Source: Marlin, Configuration_adv.h, BUFSIZE,
RX_BUFFER_SIZE and ADVANCED_OK.

Whatever the wire does, a line is taken once and in order, for it bears a number. What may get lost
is an acknowledgement; when none comes for a while, the fence of `gcode_lines` tells what was taken.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from drivers.errors import BadReply, DeviceError, LinkTimeout
from drivers.protocol.gcode_history import code_of
from drivers.protocol.gcode_lines import Lines
from drivers.protocol.gcode_patience import PATIENCE_S
from drivers.protocol.gcode_replies import (
    Kind,
    Reply,
    acknowledged_number,
    free_places,
    missing_oks,
)
from drivers.survey import Buffers
from drivers.transport.link import BoardLink

STALL_S: Final = 1.0
"""Seconds without an acknowledgement of lines that take no time, after which one may be lost."""
LEAD_S: Final = 0.002
"""Seconds of line time that wait in this computer, at the most, when a further line is sent.

It bridges the time in which this computer is late, and is how long a stop has to wait: what has been
handed to a port can't be overtaken.
"""
FENCE: Final = 40
"""Bytes that a fence may take in the receive buffer."""


class Source(Protocol):
    """Where the lines come from."""

    def line(self) -> str | None:
        """The line to be sent next, or None when none is to be sent now."""
        ...

    def sent(self) -> None:
        """Take note that this line is on its way."""
        ...

    def taken(self) -> None:
        """Take note that the board has the oldest line that is on its way."""
        ...


@dataclass(frozen=True, slots=True)
class Flying:
    """A line on its way: its number, its bytes as it was sent, and its code."""

    number: int
    size: int
    code: str
    line: str


class Stream:
    """The lines of one program on one link. `run` sends as long as nobody else wants the link."""

    def __init__(
        self, lines: Lines, link: BoardLink, buffers: Buffers | None, kept_free: int = 0
    ) -> None:
        self._lines, self._link, self._known = lines, link, buffers
        self._kept_free = kept_free  # bytes of the receive buffer, for a stop
        self._queue = 0  # lines of the firmware's command queue, as acknowledgements tell
        self._flying: deque[Flying] = deque()
        self._source: Source
        self.is_careful = (
            False  # the board has asked for a line again: one line at a time from then on
        )
        self._refusals: list[str] = []
        self._heard_at = 0.0
        self._line_free_at = 0.0  # when all that was sent will have left, by the speed of the line

    async def run(self, source: Source, is_wanted: Callable[[], bool]) -> None:
        """Send until the source has nothing now or `is_wanted`, then wait for what is on its way.

        Raises:
            DeviceError: The board refused a line, or has killed itself.
            LinkTimeout: A line was not acknowledged, and no fence could make up for that.
            BadReply: It asked for a line again and again.
            LinkClosed: It has started anew, or the link is gone.
        """
        await self._lines.prepare()
        self._source, self._refusals = source, []
        self._flying.clear()
        try:
            while await self._fill(is_wanted):
                await self._hear()
        except (LinkTimeout, BadReply):
            for it in self._flying:
                self._lines.history.void(it.number)
            raise
        finally:
            self._lines.at_work = ""
        if self._refusals:
            raise DeviceError("; ".join(self._refusals))

    async def _fill(self, is_wanted: Callable[[], bool]) -> bool:
        """Send all that there is room for; return whether anything is on its way."""
        lines, flying, burst = self._lines, self._flying, bytearray()
        character = self._link.character
        while not (is_wanted() or self._refusals) and (line := self._source.line()) is not None:
            framed = lines.history.framed(line)
            if not self._fits(len(framed)):
                break
            lines.history.keep(framed)
            if not flying:
                self._heard_at = self._now()
            flying.append(Flying(lines.history.next - 1, len(framed), code_of(line), line))
            self._source.sent()
            self._line_free_at = max(self._now(), self._line_free_at) + len(framed) * character
            burst += framed
        if burst:
            lines.at_work = flying[0].code
            await self._link.send(bytes(burst))
        return bool(flying)

    def _fits(self, size: int) -> bool:
        """Whether the board can hold a further line of so many bytes.

        Nothing is sent behind a line that is at work for long: it could not be taken back.
        """
        flying = self._flying
        if not flying:
            return True
        if self.is_careful or flying[-1].code in PATIENCE_S:
            return False
        if self._line_free_at - self._now() > LEAD_S:  # the next `ok` comes before it is free
            return False
        if self._known is None:
            return len(flying) < self._queue
        if len(flying) < self._known.lines:
            return True
        return self._behind() + size < self._known.bytes - self._kept_free

    def _behind(self) -> int:
        """Bytes that the receive buffer holds when the command queue is full."""
        places = self._known.lines if self._known is not None else self._queue
        return sum(it.size for it in islice(self._flying, places, None))

    async def _hear(self) -> None:
        """Take in the next reply, or find out why none comes."""
        reply = await self._lines.hear(max(0.0, self._heard_at + self._patience() - self._now()))
        if reply is None:
            await self._fence()
            return
        match reply.kind:
            case Kind.OK:
                self._heard_at = self._now()
                self._acknowledge(reply.payload)
            case Kind.RESEND:
                await self._send_again(reply.number)
            case Kind.BUSY:
                self._lines.keeps_alive = True
                self._heard_at = self._now()
            case Kind.TEMPERATURE if self._lines.is_heating(reply, self._flying[0].code):
                self._heard_at = self._now()
            case Kind.WAIT if self._now() - self._heard_at > STALL_S / 2:
                await self._fence()  # it is idle: a line or its `ok` got lost
            case _:
                self._note(reply)

    def _patience(self) -> float:
        """Seconds until a missing acknowledgement is looked into.

        That costs no more than a line. Where the board may have no room for one, it is not hurried.
        """
        code = self._flying[0].code
        whole = self._lines.patience(code)
        is_full = self._known is not None and self._behind() + FENCE > self._known.bytes
        if is_full or not self._lines.echoes:
            return whole
        return min(self._lines.longest if code in PATIENCE_S else STALL_S, whole)

    def _acknowledge(self, payload: str) -> None:
        flying = self._flying
        self._queue = max(self._queue, free_places(payload) + 1)
        named = acknowledged_number(payload)
        if named is None:
            self._take(1)
        elif flying[0].number <= named <= flying[-1].number:
            count = named - flying[0].number + 1
            self._lines.lost_oks += count - 1
            self._take(count)
        else:
            self._lines.strays += 1

    def _take(self, count: int) -> None:
        for _ in range(count):
            self._flying.popleft()
            self._source.taken()
        if self._flying:
            self._lines.at_work = self._flying[0].code

    def _note(self, reply: Reply) -> None:
        """Keep the words of a refusal: which of the lines on their way it is about, they do not say."""
        if reply.kind is Kind.ERROR:
            self._refusals.append(f"{self._flying[0].line}: {reply.payload}")

    async def _fence(self) -> None:
        """Find out that all on their way were taken. Raises LinkTimeout when that can't be."""
        if not self._lines.echoes:
            raise LinkTimeout(f"{self._flying[0].code} was not acknowledged")
        said = await self._lines.fence(self._slowest(self._flying[0].number))
        self._lines.lost_oks += missing_oks(said, len(self._flying) + 1)
        self._end_flight(said)

    async def _send_again(self, number: int) -> None:
        """The board asks for a line: what was sent before it is taken, what came behind it is lost."""
        flying, lines = self._flying, self._lines
        last = flying[-1].number
        if not lines.is_known(number, last):
            lines.strays += 1  # the same once more, or a digit was spoilt: the fence finds out
            self._heard_at = min(self._heard_at, self._now() - STALL_S + 0.1)
            return
        self.is_careful = True
        await self._await_those_before(number)
        if flying:
            self._end_flight(await lines.repair(number, last, self._slowest(number)))
            lines.doubt()  # an `ok` of a line before it may have been taken for its own

    async def _await_those_before(self, number: int) -> None:
        """Wait for the acknowledgements of lines that the board has in its queue."""
        while self._flying and self._flying[0].number < number:
            code = self._flying[0].code
            reply = await self._lines.hear(
                self._lines.patience(code) if code in PATIENCE_S else 0.2
            )
            if reply is None:
                return  # one got lost, or it comes late; line numbers keep the order all the same
            if reply.kind is Kind.OK:
                self._take(1)
            else:
                self._note(reply)

    def _slowest(self, number: int) -> str:
        """The code, among the lines on their way from this one on, that may take longest."""
        codes = [it.code for it in self._flying if it.number >= number]
        return max(codes, key=lambda code: PATIENCE_S.get(code, 0.0), default="M105")

    def _end_flight(self, said: list[Reply]) -> None:
        for reply in said:
            self._note(reply)
        self._take(len(self._flying))
        self._heard_at = self._now()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

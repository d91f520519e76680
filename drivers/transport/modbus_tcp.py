"""Modbus TCP: every request has a number, and its reply repeats it.

Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3 (MBAP header) and 4.4.1.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from drivers.errors import BadReply, LinkTimeout
from drivers.transport.link import Link, Timeouts
from drivers.transport.modbus import ExceptionReply, Request, TcpFrames
from drivers.transport.modbus_bus import Bus
from drivers.transport.stream import StreamLink

ROUND: Final = 0x10000
SHORTEST_REST: Final = 60.0
"""Seconds for which the number of a request given up is not used again, at least."""


class TcpBus(Bus):
    """One Modbus TCP server, or a gateway with several units behind it; one request at a time.

    A reply that comes too late bears an old number and is skipped. Only a header that can't be
    one costs the connection: nobody knows where the next one begins.
    """

    units = range(256)

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._line = link if isinstance(link, StreamLink) else None
        self._frames = TcpFrames()
        self._last = 0
        self._given_up: dict[int, float] = {}
        self._header = b""  # of a frame whose end has not come yet
        self._garbled = False
        self._timeouts: Timeouts | None = None  # the last of whom `_begun` was made
        self._begun = Timeouts()

    def _begin(self) -> None:
        self._given_up.clear()
        self._header = b""
        self._garbled = False

    async def ask(self, connection: int, request: Request, timeouts: Timeouts) -> list[int]:
        """Exchange one request for its reply, when it is this request's turn.

        Nearly every read finds the bus free and in step, and its reply comes alone and whole. It
        gets by with one wait here, where any other passes a dozen coroutines.
        """
        is_connected = self._is_open and connection == self._connection
        line = self._line if is_connected and request.count and not self._header else None
        if line is None or not (line.is_calm and self._turn.begin()):
            return await super().ask(connection, request, timeouts)
        try:
            return await self._ask_at_once(line, request, timeouts)
        finally:
            self._turn.end()

    async def _ask_at_once(
        self, line: StreamLink, request: Request, timeouts: Timeouts
    ) -> list[int]:
        """Exchange; what comes first and is not the one whole answer is the usual way's to judge."""
        self.roll.asked(request, timeouts)
        transaction, values = self._next(), list[int]()
        cancelled: asyncio.CancelledError | None = None
        deadline = self.roll.began + min(timeouts.first_byte, timeouts.whole)
        try:
            await line.ask(self._frames.encode(request, transaction), deadline)
        except asyncio.CancelledError as error:  # the wait is over all the same: see Wait
            cancelled = error
        try:
            values = self._come(line, request, transaction) or await self._turn.go_on(
                lambda: self._booked(request, self._rest(line, request, transaction, timeouts))
            )
        except Exception:
            if cancelled is None:
                raise
        if cancelled is not None:
            raise cancelled
        return values

    def _come(self, line: StreamLink, request: Request, transaction: int) -> list[int]:
        """Return the values, if the reply that has all of them has come whole and alone; else none."""
        head = self._frames.head(request, transaction)
        reply = line.inbox.take_only(head, TcpFrames.HEADER + request.reply_size)
        if not reply:
            return []
        self._turn.trust()
        self._answered(request.unit)
        return request.values(reply[TcpFrames.HEADER :])

    async def _rest(
        self, line: StreamLink, request: Request, transaction: int, timeouts: Timeouts
    ) -> list[int]:
        """Go on with a reply that is missing, in parts, a refusal, another's, or not the only one."""
        with self._judging(transaction, timeouts):
            if line.inbox.is_calm:  # so the deadline came first
                wait = min(timeouts.first_byte, timeouts.whole)
                raise LinkTimeout(f"no reply within {wait:g} s: is it on and connected?")
            spent = self.roll.now() - self.roll.began
            return await self._reply(request, transaction, timeouts, spent)

    async def _wait_out(self, unit: int) -> None:
        """No reply is owed here that could be taken for another."""

    async def _get_in_step(self) -> None:
        if self._garbled:
            self.counters.resyncs += 1
            await self.link.resync(0.0)
            self._begin()

    async def _exchange(self, request: Request, timeouts: Timeouts) -> list[int]:
        transaction = self._next()
        with self._judging(transaction, timeouts):
            await self.link.send(self._frames.encode(request, transaction))
            return await self._reply(request, transaction, timeouts)

    @contextmanager
    def _judging(self, transaction: int, timeouts: Timeouts) -> Iterator[None]:
        """Note what a failure of the exchange means for the next."""
        try:
            yield
        except LinkTimeout:
            rest = max(SHORTEST_REST, timeouts.whole)
            self._given_up[transaction] = self.roll.now() + rest
            raise
        except ExceptionReply:
            raise
        except BadReply:
            self.counters.bad_replies += 1
            raise

    def _next(self) -> int:
        if self._given_up:
            now = self.roll.now()
            self._given_up = {n: until for n, until in self._given_up.items() if until > now}
        if len(self._given_up) == ROUND:
            raise LinkTimeout("no reply to any of the last 65,536 requests")
        while True:
            self._last = (self._last + 1) % ROUND
            if self._last not in self._given_up:
                return self._last

    async def _reply(
        self, request: Request, transaction: int, timeouts: Timeouts, spent: float = 0.0
    ) -> list[int]:
        """Wait for the reply; some of what comes first is there already when time was spent."""
        began = self.roll.now() - spent
        left = self._once_begun(timeouts.after(spent)) if spent else timeouts
        while True:
            number, unit, pdu = await self._frame(left)
            if number != transaction:
                self._given_up.pop(number, None)
                self.counters.late_replies += 1
                left = timeouts.after(self.roll.now() - began)  # old ones may come without end
            elif unit != request.unit:
                raise BadReply(f"unit {unit} answered in place of unit {request.unit}")
            else:
                return request.values(pdu)

    async def _frame(self, timeouts: Timeouts) -> tuple[int, int, bytes]:
        try:
            if not self._header:
                self._header = await self.link.receive_exactly(TcpFrames.HEADER, timeouts)
                timeouts = self._once_begun(timeouts)
            body = await self.link.receive_exactly(TcpFrames.left(self._header), timeouts)
            header, self._header = self._header, b""
            return self._frames.decode(header + body)
        except BadReply:
            self._garbled = True
            raise

    def _once_begun(self, timeouts: Timeouts) -> Timeouts:
        """The time-outs of a reply whose first bytes have come; remembered, for each poll needs them."""
        if timeouts is not self._timeouts:
            self._timeouts = timeouts
            self._begun = replace(timeouts, first_byte=timeouts.next_byte)
        return self._begun

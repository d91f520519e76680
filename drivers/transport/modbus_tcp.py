"""Modbus TCP: every request has a number, and its reply repeats it.

Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3 (MBAP header) and 4.4.1.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import lru_cache
from typing import Final

from drivers.errors import BadReply, LinkTimeout
from drivers.transport.link import Link, Timeouts
from drivers.transport.modbus import ExceptionReply, Request, TcpFrames
from drivers.transport.modbus_bus import Bus

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
        self._frames = TcpFrames()
        self._last = 0
        self._given_up: dict[int, float] = {}
        self._header = b""  # of a frame whose end has not come yet
        self._garbled = False

    def _begin(self) -> None:
        self._given_up.clear()
        self._header = b""
        self._garbled = False

    async def _wait_out(self, unit: int) -> None:
        """No reply is owed here that could be taken for another."""

    async def _get_in_step(self) -> None:
        if self._garbled:
            await self.link.resync(0.0)
            self._begin()

    async def _exchange(self, request: Request, timeouts: Timeouts) -> list[int]:
        transaction = self._next()
        try:
            await self.link.send(self._frames.encode(request, transaction))
            return await self._reply(request, transaction, timeouts)
        except LinkTimeout:
            rest = max(SHORTEST_REST, timeouts.whole)
            self._given_up[transaction] = asyncio.get_running_loop().time() + rest
            raise
        except ExceptionReply:
            raise
        except BadReply:
            self.counters.bad_replies += 1
            raise

    def _next(self) -> int:
        if self._given_up:
            now = asyncio.get_running_loop().time()
            self._given_up = {n: until for n, until in self._given_up.items() if until > now}
        if len(self._given_up) == ROUND:
            raise LinkTimeout("no reply to any of the last 65,536 requests")
        while True:
            self._last = (self._last + 1) % ROUND
            if self._last not in self._given_up:
                return self._last

    async def _reply(self, request: Request, transaction: int, timeouts: Timeouts) -> list[int]:
        now = asyncio.get_running_loop().time
        began, left = now(), timeouts
        while True:
            number, unit, pdu = await self._frame(left)
            if number != transaction:
                self._given_up.pop(number, None)
                self.counters.late_replies += 1
                left = _rest(timeouts, now() - began)  # old ones may come without end
            elif unit != request.unit:
                raise BadReply(f"unit {unit} answered in place of unit {request.unit}")
            else:
                return request.values(pdu)

    async def _frame(self, timeouts: Timeouts) -> tuple[int, int, bytes]:
        try:
            if not self._header:
                self._header = await self.link.receive_exactly(TcpFrames.HEADER, timeouts)
                timeouts = _begun(timeouts)
            body = await self.link.receive_exactly(TcpFrames.left(self._header), timeouts)
            header, self._header = self._header, b""
            return self._frames.decode(header + body)
        except BadReply:
            self._garbled = True
            raise


def _rest(timeouts: Timeouts, spent: float) -> Timeouts:
    """What is left of the time-outs after so many seconds. Raises LinkTimeout."""
    if spent > timeouts.whole:
        raise LinkTimeout(f"no reply within {timeouts.whole:g} s")
    return replace(timeouts, first_byte=timeouts.first_byte - spent, whole=timeouts.whole - spent)


@lru_cache(maxsize=256)
def _begun(timeouts: Timeouts) -> Timeouts:
    """The time-outs of a reply whose first bytes have come. Cached, for each poll needs them."""
    return replace(timeouts, first_byte=timeouts.next_byte)

"""A Modbus bus: several units behind one byte link, asked one at a time."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from drivers.errors import BadAddress, ConnectFailed, DriverError, LinkClosed, LinkTimeout
from drivers.transport.link import Bank, Link, Timeouts
from drivers.transport.modbus import (
    GATEWAY_PATH,
    GATEWAY_TARGET,
    ExceptionReply,
    Request,
    read_request,
    write_request,
)
from drivers.transport.turn import Turn

DEAF_AFTER: Final = 2
"""Requests to each of the units without an answer from any, after which the connection is lost."""


@dataclass(slots=True)
class Counters:
    """What happened on a bus since it was made."""

    exchanges: int = 0
    timeouts: int = 0
    bad_replies: int = 0
    late_replies: int = 0  # whole, but of a request given up before, and skipped
    discarded: int = 0  # bytes that belonged to no request
    fences: int = 0


class Bus(ABC):
    """Units that share one link and one queue.

    The first unit to enter opens the link, the last to leave closes it. When the link is lost
    every unit learns so by LinkClosed at its next request, and the first to enter again reopens.
    A connection over TCP counts as lost, too, when all its units have fallen silent.
    """

    units: ClassVar[range]
    """The unit numbers that one can talk to."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.counters = Counters()
        self._turn = Turn(self._resync)
        self._door = asyncio.Lock()
        self._users: list[int] = []  # unit numbers
        self._unanswered: Counter[int] = Counter()  # requests to each since anything was answered
        self._is_open = False
        self._is_entered = False
        self._connection = 0

    def unit(self, number: int) -> Unit:
        """Return the link to one unit. Raises BadAddress."""
        if number not in self.units:
            raise BadAddress(
                f"unit {number} can't be asked on this bus; units: "
                f"{self.units.start} to {self.units.stop - 1}"
            )
        return Unit(self, number)

    async def join(self, unit: int) -> int:
        """Open the link unless it is open; return the number of this connection."""
        async with self._door:
            if not self._is_open:
                await self._reopen()
            self._users.append(unit)
            return self._connection

    async def leave(self, unit: int) -> None:
        """Close the link when nobody else uses it."""
        self._users.remove(unit)  # before the first wait, at which the caller may be cancelled
        async with self._door:
            if not self._users:
                await self._close()

    async def ask(self, connection: int, request: Request, timeouts: Timeouts) -> list[int]:
        """Exchange one request for its reply, when it is this request's turn."""
        await self._wait_out(request.unit)
        return await self._turn.take(
            lambda: self._on(connection, request, timeouts), within=timeouts.turn
        )

    async def _on(self, connection: int, request: Request, timeouts: Timeouts) -> list[int]:
        if not self._is_open or connection != self._connection:
            raise LinkClosed("the bus lost its link")
        self.counters.exchanges += 1
        try:
            values = await self._exchange(request, timeouts)
        except LinkTimeout:
            self.counters.timeouts += 1
            self._unanswered[request.unit] += 1
            if self._is_deaf():
                self._is_open = False
            raise
        except (LinkClosed, ConnectFailed):
            self._is_open = False
            raise
        except DriverError:
            self._unanswered.clear()
            raise
        self._unanswered.clear()
        return values

    def _is_deaf(self) -> bool:
        """Whether the other end seems to have forgotten the connection: all units fall silent.

        A unit alone on the bus ends the connection by itself, when it leaves.
        """
        users = set(self._users)
        silent = all(self._unanswered[unit] >= DEAF_AFTER for unit in users)
        return self.link.clears and len(users) > 1 and silent

    async def _reopen(self) -> None:
        with suppress(DriverError):  # it failed already; opening tells whether it still does
            await self._close()
        await self.link.__aenter__()
        self._is_open = self._is_entered = True
        self._connection += 1
        self._unanswered.clear()
        self._begin()

    async def _close(self) -> None:
        self._is_open = False
        if self._is_entered:
            self._is_entered = False
            await self.link.__aexit__(None, None, None)

    async def _resync(self) -> None:
        """Bring the bus back in step; a closed one is reopened by the next unit that enters."""
        if self._is_open:
            try:
                await self._get_in_step()
            except (LinkClosed, ConnectFailed):
                self._is_open = False
                raise

    @abstractmethod
    def _begin(self) -> None:
        """Forget what was known of the last connection."""

    @abstractmethod
    async def _wait_out(self, unit: int) -> None:
        """Wait, off the bus, until a reply this unit still owes can no longer come."""

    @abstractmethod
    async def _get_in_step(self) -> None:
        """Do what the bus as a whole needs after an exchange that went wrong."""

    @abstractmethod
    async def _exchange(self, request: Request, timeouts: Timeouts) -> list[int]:
        """Send the request, and return the values of its reply and of no other."""


class Unit:
    """The registers of one unit. A write is sent once and never repeated."""

    def __init__(self, bus: Bus, number: int) -> None:
        self.bus, self.number = bus, number
        self._connection = 0

    async def __aenter__(self) -> Self:
        self._connection = await self.bus.join(self.number)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._connection = 0
        await self.bus.leave(self.number)

    async def fetch(self, bank: Bank, start: int, count: int, timeouts: Timeouts) -> list[int]:
        """Read `count` registers, or bits as 0 and 1.

        Raises:
            OutOfRange: More than one request can hold; nothing was sent.
            ExceptionReply: The unit refused.
            LinkError: No reply, of the unit or of the link.
            BadReply: What came does not answer.
        """
        return await self._ask(read_request(self.number, bank, start, count), timeouts)

    async def store(
        self, bank: Bank, start: int, values: Sequence[int], timeouts: Timeouts
    ) -> None:
        """Write registers or coils, and check that the unit confirms just these. Raises as fetch."""
        await self._ask(write_request(self.number, bank, start, values), timeouts)

    async def _ask(self, request: Request, timeouts: Timeouts) -> list[int]:
        try:
            return await self.bus.ask(self._connection, request, timeouts)
        except ExceptionReply as refusal:  # a gateway's two are about the way, not the request
            if refusal.code == GATEWAY_PATH:
                raise ConnectFailed(str(refusal)) from refusal
            if refusal.code == GATEWAY_TARGET:
                raise LinkTimeout(str(refusal)) from refusal
            raise

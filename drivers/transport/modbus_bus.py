"""A Modbus bus: several units behind one byte link, asked one at a time."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar, Final, Self

from drivers.errors import (
    BadAddress,
    ConnectFailed,
    DeviceError,
    DriverError,
    LinkClosed,
    LinkTimeout,
    Unfinished,
)
from drivers.transport.link import Bank, Link, Timeouts
from drivers.transport.modbus import (
    ACKNOWLEDGE,
    GATEWAY_PATH,
    GATEWAY_TARGET,
    Asked,
    ExceptionReply,
    Request,
    mask_request,
    read_request,
    write_request,
)
from drivers.transport.presence import Roll, is_unreached
from drivers.transport.traffic import Traffic
from drivers.transport.turn import Turn

DEAF_AFTER: Final = 2
"""Requests to each of the units without an answer from any, after which the connection is lost."""


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
        self.counters = Traffic()
        self.roll = Roll(self.counters)
        self._turn = Turn(self._resync)
        self._door = asyncio.Lock()
        self._users: list[int] = []  # unit numbers
        self._refused: dict[int, set[tuple[Bank, int, int]]] = {}  # blocks, by unit
        self._unanswered: Counter[int] = Counter()  # requests to each since anything was answered
        self._is_open = self._is_entered = False
        self._connection = 0

    def unit(self, number: int) -> Unit:
        """Return the link to one unit. Raises BadAddress."""
        if number not in self.units:
            raise BadAddress(
                f"unit {number} can't be asked on this bus; units: "
                f"{self.units.start} to {self.units.stop - 1}"
            )
        return Unit(self, number, self._refused.setdefault(number, set()))

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

    async def knock(self, connection: int, unit: int) -> None:
        """Ask a unit that has fallen silent whether it is back, where others would wait for it.

        It costs the bus one short time-out instead of a driver's whole greeting.

        Raises:
            UnitSilent: It does not answer, and another unit does.
            LinkError: It does not answer.
            BadReply: What came does not answer.
        """
        presence = self.roll.of(unit)
        request = presence.cheapest
        if not presence.missed or request is None or not self.is_shared(unit):
            return
        timeouts = presence.patience()
        await self._wait_out(unit)
        await self._turn.take(
            lambda: self._probe(connection, request, timeouts), within=timeouts.turn
        )

    def _on(self, connection: int, request: Request, timeouts: Timeouts) -> Asked:
        self._check_open(connection)
        self.roll.asked(request, timeouts)
        return self._booked(request, self._exchange(request, timeouts))

    async def _booked(self, request: Request, exchange: Asked) -> list[int]:
        try:
            values = await exchange
        except DriverError as error:
            self._note(request.unit, error)
            told = self.roll.failed(request.unit, error)
            # Of a write it matters more whether it was sent, and of a lost link that it was lost.
            if told is error or not (request.count and self._is_open):
                raise
            raise told from error
        self._answered(request.unit)
        return values

    def _answered(self, unit: int) -> None:
        self._unanswered.clear()
        self.roll.answered(unit)

    async def _probe(self, connection: int, request: Request, timeouts: Timeouts) -> None:
        self._check_open(connection)
        self.counters.probes += 1
        self.roll.begin(request.unit)
        try:
            await self._knock(request, timeouts)
        except DriverError as error:
            self._note(request.unit, error)
            if is_unreached(error) or not isinstance(error, DeviceError):
                told = self.roll.failed(request.unit, error)
                if isinstance(told, DeviceError):
                    raise LinkTimeout(str(told)) from error
                if told is error:
                    raise
                raise told from error
        self._unanswered.clear()
        self.roll.book(request.unit, lost=True)

    def is_shared(self, unit: int) -> bool:
        """Whether other units use the bus as well."""
        return any(user != unit for user in self._users)

    def _check_open(self, connection: int) -> None:
        if not self._is_open or connection != self._connection:
            raise LinkClosed("the bus lost its link").unsent()

    def _note(self, unit: int, error: DriverError) -> None:
        """Let a failure count against the link, or an answer of whatever kind for it."""
        if isinstance(error, LinkTimeout):
            self._unanswered[unit] += 1
            self._is_open = self._is_open and not self._is_deaf()
        elif isinstance(error, LinkClosed | ConnectFailed):
            self._is_open = False
        else:
            self._unanswered.clear()

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

    async def _knock(self, request: Request, timeouts: Timeouts) -> None:
        """Find out whether a unit answers, with a read that its driver has asked for before."""
        await self._exchange(request, timeouts)


class Unit:
    """The registers of one unit. A write is sent once and never repeated.

    `refused` belongs to the bus, so that a unit that connects anew need not be found out again.
    """

    def __init__(
        self, bus: Bus, number: int, refused: set[tuple[Bank, int, int]] | None = None
    ) -> None:
        self.bus, self.number = bus, number
        self.refused = set() if refused is None else refused
        self._connection = 0

    async def __aenter__(self) -> Self:
        self._connection = await self.bus.join(self.number)
        try:
            await self.bus.knock(self._connection, self.number)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._connection = 0
        await self.bus.leave(self.number)

    def fetch(self, bank: Bank, start: int, count: int, timeouts: Timeouts) -> Asked:
        """Read `count` registers, or bits as 0 and 1.

        Raises:
            OutOfRange: More than one request can hold; nothing was sent.
            ExceptionReply: The unit refused.
            LinkError: No reply, of the unit or of the link.
            BadReply: What came does not answer.
        """
        return self._ask(read_request(self.number, bank, start, count), timeouts)

    async def store(
        self, bank: Bank, start: int, values: Sequence[int], timeouts: Timeouts
    ) -> None:
        """Write registers or coils, and check that the unit confirms just these.

        Raises:
            Unfinished: The unit has taken the write, and has not carried it out yet.
            DriverError: As for fetch.
        """
        await self._change(write_request(self.number, bank, start, values), timeouts)

    async def mask(self, at: int, and_mask: int, or_mask: int, timeouts: Timeouts) -> None:
        """Change some bits of a holding register in one request (function 22). Raises as store."""
        await self._change(mask_request(self.number, at, and_mask, or_mask), timeouts)

    async def _change(self, request: Request, timeouts: Timeouts) -> None:
        try:
            await self._ask(request, timeouts)
        except ExceptionReply as refusal:
            if refusal.code == ACKNOWLEDGE:  # V1.1b3 section 7: accepted, and being processed
                raise Unfinished(
                    f"unit {self.number} answered function {request.function} with exception "
                    f"{ACKNOWLEDGE}: it has taken the change and not finished it"
                ) from refusal
            raise

    async def _ask(self, request: Request, timeouts: Timeouts) -> list[int]:
        try:
            return await self.bus.ask(self._connection, request, timeouts)
        except ExceptionReply as refusal:  # a gateway's two are about the way, not the request
            if refusal.code == GATEWAY_PATH:
                raise ConnectFailed(str(refusal)) from refusal
            if refusal.code == GATEWAY_TARGET:
                raise LinkTimeout(str(refusal)) from refusal
            raise

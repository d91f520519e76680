"""Modbus RTU: frames on a serial line, which carry nothing to tell an old reply from a new one.

A unit whose reply did not come in time still owes it. Three things keep that reply from being
believed later:

* A unit that knows function 8/0 (return query data) is fenced: a random number is sent, and
  all that arrives before it comes back is thrown away. Units answer in order, so nothing older
  can follow. Whether a unit knows it is found out after the first reply it ever gave.
* A unit that does not is left alone until `Timeouts.whole` seconds after the request: that is
  by definition its longest reply time. The others on the bus go on meanwhile. So is a unit
  that no longer answers the fence: it may be off, or another one may have taken its place.
* Every reply must have the unit, function, byte count and CRC that its request calls for. A
  whole frame of a unit that owes one is skipped while another is asked.

Source: MODBUS over Serial Line V1.02, 2.5.1.1 (silence between frames).
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from dataclasses import dataclass
from typing import Final

from drivers.errors import BadReply, LinkTimeout
from drivers.transport.link import Link, Timeouts
from drivers.transport.modbus import (
    ECHO,
    EXCEPTION,
    ExceptionReply,
    Request,
    RtuFrames,
    echo_request,
)
from drivers.transport.modbus_bus import Bus

BITS_PER_CHARACTER: Final = 11
FASTEST_COUNTED: Final = 19_200
FENCES: Final = 3
PROBES: Final = 3


class FenceLost(LinkTimeout):
    """The unit is out of step and did not answer the fence, so the request was not sent."""

    sent = False


@dataclass(slots=True)
class Standing:
    """How far one unit can be trusted."""

    in_doubt: bool = False
    owes_until: float = 0.0  # of the loop's clock: until then an old reply may come
    longest: float = 0.0  # seconds a reply may take
    echoes: bool | None = None  # whether it knows function 8/0; None: not known yet
    probes: int = 0


def silence(baudrate: int) -> float:
    """Return the seconds between two frames: 3.5 characters, and 1.75 ms above 19,200 baud."""
    if baudrate > FASTEST_COUNTED:
        return 1.75e-3
    return 3.5 * BITS_PER_CHARACTER / baudrate


class RtuBus(Bus):
    """Units on one RS-485 or RS-232 line, or behind a gateway that passes frames on as they are.

    Args:
        link: The bytes of the line.
        baudrate: Of the line, for the silence between frames; a gateway keeps its own.
        gap: Seconds added to that silence, for units or adapters that need more.
        dice: Where the fences' numbers come from.
    """

    units = range(1, 248)

    def __init__(
        self,
        link: Link,
        *,
        baudrate: int = 115_200,
        gap: float = 0.0,
        dice: random.Random | None = None,
    ) -> None:
        super().__init__(link)
        self._frames = RtuFrames()
        self._silence = silence(baudrate) + gap
        self._dice = dice or random.SystemRandom()
        self._nonces: deque[int] = deque(maxlen=64)  # an echo may be late as well
        self._standings: dict[int, Standing] = {}
        self._silent_from = 0.0
        self._last_asked = 0

    def standing(self, unit: int) -> Standing:
        """Return what is known of a unit; it outlives the unit's connections."""
        return self._standings.setdefault(unit, Standing())

    def _begin(self) -> None:
        self._silent_from = asyncio.get_running_loop().time()
        self._last_asked = 0

    async def _wait_out(self, unit: int) -> None:
        standing = self.standing(unit)
        if standing.in_doubt and not standing.echoes:
            owed = standing.owes_until - asyncio.get_running_loop().time()
            if owed > 0:
                await asyncio.sleep(owed)

    async def _get_in_step(self) -> None:
        """Units get in step one by one, each before its own next request."""

    async def _exchange(self, request: Request, timeouts: Timeouts) -> list[int]:
        standing = self.standing(request.unit)
        await self._keep_silence(timeouts)
        if standing.in_doubt:
            await self._settle(request.unit, timeouts)
        values = await self._ask(request, timeouts)
        if request.count and standing.echoes is None:
            await self._probe(request.unit, timeouts)
        return values

    async def _keep_silence(self, timeouts: Timeouts) -> None:
        """Wait for the silence between frames, and discard what breaks it."""
        now = asyncio.get_running_loop().time
        deadline = now() + timeouts.whole
        while True:
            left = self._silent_from + self._silence - now()
            if left > 0:
                await asyncio.sleep(left)
            unread = self.link.discard()
            if not unread:
                return
            self._account_for(unread)
            if now() > deadline:
                raise LinkTimeout(f"the bus was not silent within {timeouts.whole:g} s")

    def _account_for(self, unread: bytes) -> None:
        """Bytes that nobody asked for: a reply still owed, or one too many of the last unit."""
        self._silent_from = asyncio.get_running_loop().time()
        self.counters.discarded += len(unread)
        try:
            unit, _ = self._frames.decode(unread)
        except BadReply:
            unit = 0
        if unit and self.standing(unit).in_doubt:
            self.counters.late_replies += 1
        elif self._last_asked:
            self._doubt(self._last_asked)

    def _doubt(self, unit: int) -> None:
        standing = self.standing(unit)
        standing.in_doubt = True
        standing.owes_until = asyncio.get_running_loop().time() + standing.longest

    async def _settle(self, unit: int, timeouts: Timeouts) -> None:
        """Make sure that the unit owes nothing. Raises FenceLost."""
        standing = self.standing(unit)
        if standing.echoes:
            await self._fence(unit, timeouts)
        elif (owed := standing.owes_until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(owed)  # it fell into doubt after its wait off the bus
            await self._keep_silence(timeouts)
        standing.in_doubt = False

    async def _fence(self, unit: int, timeouts: Timeouts) -> None:
        self._last_asked = unit
        for _ in range(FENCES):
            await self._keep_silence(timeouts)
            fence = self._frames.encode(echo_request(unit, self._nonce()))
            self.counters.fences += 1
            await self.link.send(fence)
            try:
                old = await self.link.receive_until(fence, timeouts)
            except LinkTimeout:
                continue
            self.counters.discarded += len(old)
            self._silent_from = asyncio.get_running_loop().time()
            await self._keep_silence(timeouts)
            return
        self._doubt(unit)
        self._standings[unit].echoes, self._standings[unit].probes = None, 0  # another device?
        raise FenceLost(f"unit {unit} does not answer, and may still owe an old reply")

    def _nonce(self) -> int:
        while (nonce := self._dice.randrange(0x10000)) in self._nonces:
            pass
        self._nonces.append(nonce)
        return nonce

    async def _ask(self, request: Request, timeouts: Timeouts) -> list[int]:
        """Send, and wait for the reply; a unit that gives none, or a wrong one, is in doubt."""
        loop = asyncio.get_running_loop()
        standing = self.standing(request.unit)
        standing.longest = max(standing.longest, timeouts.whole)
        self._last_asked = request.unit
        answered = False
        try:
            await self.link.send(self._frames.encode(request))
            values = await self._reply(request, timeouts)
            answered = True
            return values
        except ExceptionReply:
            answered = True
            raise
        except BadReply:
            self.counters.bad_replies += 1
            raise
        finally:
            self._silent_from = loop.time()
            if not answered:
                self._doubt(request.unit)

    async def _reply(self, request: Request, timeouts: Timeouts) -> list[int]:
        now = asyncio.get_running_loop().time
        sent = now()
        while True:
            if (spent := now() - sent) > timeouts.whole:  # with old ones coming without end
                raise LinkTimeout(f"no reply within {timeouts.whole:g} s")
            left = Timeouts(
                first_byte=timeouts.first_byte - spent,
                next_byte=timeouts.next_byte,
                whole=timeouts.whole - spent,
            )
            unit, pdu = self._frames.decode(await self._frame(request, left))
            if self._is_old(request, unit, pdu):
                self.counters.late_replies += 1
            elif unit != request.unit:
                raise BadReply(f"unit {unit} answered in place of unit {request.unit}")
            else:
                return request.values(pdu)

    def _is_old(self, request: Request, unit: int, pdu: bytes) -> bool:
        if unit == request.unit:
            return (pdu[0] & ~EXCEPTION) == ECHO and request.function != ECHO
        return self.standing(unit).in_doubt

    async def _frame(self, request: Request, timeouts: Timeouts) -> bytes:
        """Receive one whole frame, whoever's; of a wrong length from this unit, not even that."""
        head = await self.link.receive_exactly(RtuFrames.HEAD, timeouts)
        size = self._frames.size(head)
        if head[:2] == bytes([request.unit, request.function]) and size != request.reply_size + 3:
            raise BadReply(
                f"{head.hex(' ')}… is not as long as the reply to {request.pdu.hex(' ')}"
            )
        if size == RtuFrames.HEAD:
            return head
        rest = Timeouts(
            first_byte=timeouts.next_byte, next_byte=timeouts.next_byte, whole=timeouts.whole
        )
        return head + await self.link.receive_exactly(size - RtuFrames.HEAD, rest)

    async def _probe(self, unit: int, timeouts: Timeouts) -> None:
        """Find out whether a unit that has just answered knows function 8/0."""
        standing = self.standing(unit)
        await self._keep_silence(timeouts)
        if standing.in_doubt:  # its answer came twice: another time
            return
        standing.probes += 1
        try:
            await self._ask(echo_request(unit, self._nonce()), timeouts)
            standing.echoes = True
        except ExceptionReply:
            standing.echoes = False
        except (LinkTimeout, BadReply) as failure:  # it may not answer what it does not know
            if isinstance(failure, LinkTimeout):
                standing.in_doubt = False  # a late echo is known by its function
            if standing.probes == PROBES:
                standing.echoes = False

"""Modbus RTU: frames on a serial line, which carry nothing to tell an old reply from a new one.

A unit whose reply did not come in time still owes it. Three things keep that reply from being
believed later:

* A unit that knows function 8/0 (return query data) is fenced: a random number is sent, and
  all that arrives before it comes back is thrown away. Units answer in order, so nothing older
  can follow. Whether a unit knows it is the first thing that it is asked, for it may still owe
  a reply to a program that used the line before; a refusal comes in its order as well.
* A unit that does not is left alone until `Timeouts.whole` seconds after the request: that is
  by definition its longest reply time. The others on the bus go on meanwhile. So is a unit
  that no longer answers the fence: it may be off, or another one may have taken its place.
* Every reply must have the unit, function, byte count and CRC that its request calls for. A
  whole frame of a unit that owes one is skipped while another is asked.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Final

from drivers.errors import BadReply, DriverError, LinkTimeout
from drivers.transport.attempt import beforehand
from drivers.transport.contention import Contention, is_request, nobody, speaker
from drivers.transport.line_time import Collision
from drivers.transport.link import Line, Timeouts
from drivers.transport.modbus import (
    ECHO,
    EXCEPTION,
    ExceptionReply,
    Request,
    echo_request,
)
from drivers.transport.modbus_bus import Bus
from drivers.transport.presence import NotSilent
from drivers.transport.rtu_line import RtuLine
from drivers.transport.standing import FenceLost, Nonces, Standing, StillOwing

FENCES: Final = 2
PROBES: Final = 3


class RtuBus(Bus):
    """Units on one RS-485 or RS-232 line, or behind a gateway that passes frames on as they are.

    Args:
        link: The bytes of the line.
        baudrate: Of the line, for the silence between frames; a gateway keeps its own.
        gap: Seconds added to that silence, for units or adapters that need more.
        dice: Where the fences' numbers come from.
        warn: Told in a sentence, once, that somebody else speaks on the line.
    """

    units = range(1, 248)

    def __init__(
        self,
        link: Line,
        *,
        baudrate: int = 115_200,
        gap: float = 0.0,
        dice: random.Random | None = None,
        warn: Callable[[str], None] = nobody,
    ) -> None:
        super().__init__(link)
        self._line = RtuLine(link, baudrate, gap)
        self._frames = self._line.frames
        self._nonces = Nonces(dice or random.SystemRandom())
        self._standings: dict[int, Standing] = {}
        self._contention = Contention(self.counters, warn)
        self._last_asked = 0

    async def ask(self, connection: int, request: Request, timeouts: Timeouts) -> list[int]:
        if self.standing(request.unit).is_new:
            await self._turn.take(
                lambda: self._meet(connection, request.unit, timeouts), within=timeouts.turn
            )
        end = asyncio.get_running_loop().time() + timeouts.turn
        while True:
            try:
                return await super().ask(connection, request, timeouts)
            except StillOwing:  # it fell into doubt while this waited for its turn
                if asyncio.get_running_loop().time() > end:
                    raise NotSilent(f"unit {request.unit} kept speaking unasked") from None

    def standing(self, unit: int) -> Standing:
        """Return what is known of a unit; it outlives the unit's connections."""
        return self._standings.setdefault(unit, Standing())

    def _begin(self) -> None:
        self._line.begin()
        self._last_asked = 0

    async def _wait_out(self, unit: int) -> None:
        if (owed := self._owed(unit)) > 0:
            await asyncio.sleep(owed)

    def _owed(self, unit: int) -> float:
        """Seconds in which an old reply of the unit may come that no fence would tell."""
        standing = self.standing(unit)
        if not standing.in_doubt or standing.echoes:
            return 0.0
        return standing.owes_until - asyncio.get_running_loop().time()

    async def _get_in_step(self) -> None:
        """Units get in step one by one."""

    async def _meet(self, connection: int, unit: int, timeouts: Timeouts) -> None:
        """Ask a unit for an echo before anything else; one that gives none is left alone first."""
        self._check_open(connection)
        standing = self.standing(unit)
        standing.longest = max(standing.longest, timeouts.whole)
        briefly = self.roll.begin(unit, timeouts).briefly()
        try:
            await self._keep_silence(briefly)
            await self._try_echo(unit, briefly)
        except DriverError as error:
            self._note(unit, error)
            raise error.unsent() from error
        finally:
            self.roll.book(unit, lost=True)
        standing.is_new = False

    async def _exchange(self, request: Request, timeouts: Timeouts) -> list[int]:
        with beforehand():
            await self._prepare(request, timeouts)
        values = await self._ask(request, timeouts)
        if request.count and self.standing(request.unit).echoes is None:
            with self.roll.set_aside():
                await self._find_out(request.unit, timeouts)
        return values

    async def _prepare(self, request: Request, timeouts: Timeouts) -> None:
        """See to it that the line is silent and the unit owes nothing. Raises StillOwing."""
        await self._keep_silence(timeouts)
        if self.standing(request.unit).in_doubt:
            if self.is_shared(request.unit) and self._owed(request.unit) > 0:
                raise StillOwing
            with self.roll.set_aside():
                await self._settle(request.unit, timeouts)
        if not request.count and (longer := self._contention.silence):
            await self._keep_silence(timeouts, longer)

    async def _knock(self, request: Request, timeouts: Timeouts) -> None:
        """Let the fence be the question where there has to be one."""
        standing = self.standing(request.unit)
        await self._keep_silence(timeouts)
        is_fenced = standing.in_doubt and standing.echoes
        if standing.in_doubt:
            await self._settle(request.unit, timeouts, fences=1)
        if not is_fenced:
            await self._ask(request, timeouts)

    async def _keep_silence(self, timeouts: Timeouts, longer: float = 0.0) -> bytes:
        """Wait for the silence between frames; what broke it is returned. Raises NotSilent."""
        try:
            unread = await self._line.quiet(timeouts.whole, longer)
        except NotSilent:
            self._account_for(self.link.discard())
            raise
        if unread:
            self._account_for(unread)
        return unread

    def _account_for(self, unread: bytes) -> None:
        """Bytes that nobody asked for: a reply still owed, one too many, or somebody else's."""
        self.counters.discarded += len(unread)
        unit = speaker(self._frames, unread)
        is_echo = unit == self._last_asked and unread[1] == ECHO  # is taken for nothing else
        if unit and (is_echo or self.standing(unit).in_doubt):
            self._came_late(unit)
            return
        if unit and unit != self._last_asked:
            self._contention.heard(unread, whole=True)
        elif not unit and not any(it.in_doubt for it in self._standings.values()):
            self._contention.heard(unread, whole=is_request(self._frames, unread))
        if self._last_asked:
            self._doubt(self._last_asked)

    def _came_late(self, unit: int) -> None:
        self.counters.late_replies += 1
        self.roll.of(unit).heard_late(asyncio.get_running_loop().time())

    def _doubt(self, unit: int) -> None:
        standing = self.standing(unit)
        standing.in_doubt = True
        standing.owes_until = asyncio.get_running_loop().time() + standing.longest

    async def _settle(self, unit: int, timeouts: Timeouts, fences: int = FENCES) -> None:
        """Make sure that the unit owes nothing. Raises FenceLost."""
        standing = self.standing(unit)
        if standing.echoes:
            await self._fence(unit, timeouts, fences)
            standing.fences_lost = 0
        elif (owed := self._owed(unit)) > 0:
            await asyncio.sleep(owed)  # it fell into doubt after its wait off the bus
            await self._keep_silence(timeouts)
        self.counters.resyncs += 1
        standing.in_doubt = False

    async def _fence(self, unit: int, timeouts: Timeouts, fences: int) -> None:
        """Throw away all that comes before an echo. All fences of an attempt have one number.

        Nothing but fences is sent between them, so that the echo of any will do. Those of the
        others may still come; they are known by their function.
        """
        self._last_asked = unit
        patience = self.roll.of(unit).briefly()
        fence = self._frames.encode(echo_request(unit, self._nonces.next()))
        for _ in range(fences):
            if fence in await self._keep_silence(timeouts):
                return  # it came after it had been given up
            self.counters.fences += 1
            await self._line.send(fence)
            try:
                old = await self.link.receive_until(fence, patience)
            except LinkTimeout:
                if not self.is_shared(unit):
                    patience = timeouts
                continue
            self._line.was_answered()
            self.counters.discarded += len(old)
            await self._keep_silence(timeouts)
            return
        self._doubt(unit)
        self._standings[unit].lose_fence()
        raise FenceLost(f"unit {unit} does not answer, and may still owe an old reply")

    async def _ask(self, request: Request, timeouts: Timeouts) -> list[int]:
        """Send, and wait for the reply; a unit that gives none, or a wrong one, is in doubt."""
        standing = self.standing(request.unit)
        standing.longest = max(standing.longest, timeouts.whole)
        self._last_asked = request.unit
        answered = False
        try:
            await self._line.send(self._line.encode(request))
            values = await self._reply(request, timeouts)
            answered = True
            return values
        except ExceptionReply:
            answered = True
            raise
        except BadReply as failure:
            self.counters.bad_replies += 1
            if isinstance(failure, Collision):
                self._contention.heard(failure.heard, whole=False)
            raise
        finally:
            if answered:
                self._line.was_answered()
            else:
                self._doubt(request.unit)

    async def _reply(self, request: Request, timeouts: Timeouts) -> list[int]:
        now = asyncio.get_running_loop().time
        sent = now()
        while True:
            left = timeouts.after(now() - sent)  # old ones may come without end
            unit, pdu = self._frames.answer(await self._line.frame(request, left), request)
            if self._is_old(request, unit, pdu):
                self._came_late(unit)
            elif unit != request.unit:
                self._contention.heard(bytes([unit]) + pdu, whole=True)
                raise BadReply(f"unit {unit} answered in place of unit {request.unit}")
            else:
                return request.values(pdu)

    def _is_old(self, request: Request, unit: int, pdu: bytes) -> bool:
        if unit == request.unit:
            return (pdu[0] & ~EXCEPTION) == ECHO and request.function != ECHO
        return self.standing(unit).in_doubt

    async def _find_out(self, unit: int, timeouts: Timeouts) -> None:
        """Find out whether a unit that has just answered knows function 8/0."""
        standing = self.standing(unit)
        await self._keep_silence(timeouts)
        if standing.in_doubt:  # its answer came twice: another time
            return
        if not await self._try_echo(unit, timeouts):
            standing.in_doubt = False  # a late echo is known by its function

    async def _try_echo(self, unit: int, timeouts: Timeouts) -> bool:
        """Learn whether a unit knows function 8/0; return whether anything came at all."""
        standing = self.standing(unit)
        standing.probes += 1
        try:
            await self._ask(echo_request(unit, self._nonces.next()), timeouts)
            standing.echoes = True
        except ExceptionReply:
            standing.echoes = False
        except (LinkTimeout, BadReply) as failure:  # it may not answer what it does not know
            if standing.probes == PROBES:
                standing.echoes = False
            return not isinstance(failure, LinkTimeout)
        return True

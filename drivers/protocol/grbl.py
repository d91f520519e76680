"""GRBL: every line is answered by exactly one `ok` or `error`, everything else comes unasked.

Realtime bytes act past all lines and are not answered: `?` asks for a status report, `!` holds,
`~` goes on, 0x18 resets, 0x85 ends a jog. So the status is read even while a line is waited for.

Source: the wiki of gnea/grbl, "Grbl v1.1 Interface" and "Grbl v1.1 Commands".
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, TypeVar

from drivers.errors import BadReply, DriverError, LinkClosed, LinkTimeout, TurnTimeout
from drivers.fields import Reading
from drivers.protocol.grbl_lines import BANNER_S, RESET, STATUS, Dialogue, Pace
from drivers.protocol.grbl_reports import (
    MM_PER_INCH,
    State,
    Status,
    Vector,
    alarm_text,
    parse_report,
)
from drivers.transport.link import Carried, Link, Timeouts
from drivers.transport.turn import Turn
from drivers.units import Unit
from drivers.wire import Ref

T = TypeVar("T")

HOLD, RESUME, CANCEL_JOG = b"!", b"~", b"\x85"
STATUS_PERIOD_S: Final = 0.2
"""The wiki asks for no more than five status reports in a second."""

LONGEST_REPORT_S: Final = 5.0
"""After that a status report that did not come never will. The controller takes some 10 ms."""

_SETTING = re.compile(r"\$(\d+)=(\S+)")


@dataclass(frozen=True)
class StatusRef(Ref[T]):
    """A value of the status report; `decode` takes it from a Status."""


class Grbl:
    """Lines and their answers, counted, and the status beside them.

    `timeouts.first_byte` is how long a status report may take, `timeouts.whole` how long an answer
    may: a move is answered when there is room for it, which is when an older one has ended.
    `boot` is how long to listen after connecting for a controller that resets then, in s.
    """

    carried_by: ClassVar[Carried] = "bytes"
    timeouts: Timeouts = Timeouts(turn=10.0, first_byte=1.0, next_byte=0.2, whole=30.0)

    def __init__(
        self,
        link: Link,
        timeouts: Timeouts,
        boot: float = 2.0,
        nonce: Callable[[], int] = lambda: secrets.randbits(20),
    ) -> None:
        self.timeouts = timeouts
        self._boot = boot
        self.lines = Dialogue(link, timeouts, self._report, nonce)
        self._turn = Turn(self.lines.quieten)
        self.settings: dict[int, str] = {}
        self._homing = False
        self._offset: Vector = ()  # of the work coordinates, which only some reports bring
        self._offset_of = 0  # the banner since which it holds
        self._listeners: set[Callable[[Status | BadReply], None]] = set()
        self._pace = Pace(STATUS_PERIOD_S)
        self._owed = 0  # reports that were asked for and have not come
        self._asked_at = 0.0
        self._suspended = False  # by the last report: on hold it answers no line

    async def hello(self) -> str:
        """Wait for a controller that resets on connecting, and return its `[VER:…]`.

        Raises:
            LinkTimeout: Nothing answers, as after an alarm that only a reset ends.
            DeviceError: It is in motion or on hold, and can't be asked.
        """
        self.lines.restart(grace=self._boot + BANNER_S)
        self._offset, self._owed = (), 0
        return await self._take(self._greet)

    async def _greet(self) -> str:
        loop = asyncio.get_running_loop()
        before, end = self.lines.banners, loop.time() + self._boot
        while self.lines.banners == before and (left := end - loop.time()) > 0:
            await self.lines.hear(left)
        told = await self.lines.converse("$I", self.timeouts.whole)
        version = next((line for line in told if line.startswith("[VER:")), "")
        if not (version and version.isascii()):
            raise BadReply(f"$I brought no [VER:…]: {told!r}")
        settings = map(_SETTING.match, await self.lines.converse("$$", self.timeouts.whole))
        self.settings = {int(found[1]): found[2] for found in settings if found}
        self.lines.expect_banner(0.0)
        return version

    async def command(self, line: str, within: float | None = None) -> list[str]:
        """Send a line; return what was said up to its `ok`.

        Raises:
            DeviceError: It was answered by an error or an alarm, or cut short by a reset.
            LinkTimeout: There was no answer within that many seconds (None: `timeouts.whole`).
            TurnTimeout: Another line was still waited for; nothing was sent.
        """
        longest = self.timeouts.whole if within is None else within
        return await self._take(lambda: self.lines.converse(line, longest))

    async def home(self, within: float) -> None:
        """Find the limit switches. Cancelling resets the controller, as nothing else ends it."""
        self._homing = True
        try:
            async with asyncio.TaskGroup() as group:
                homing = group.create_task(self._outcome("$H", within), name="home")
                try:
                    await asyncio.wait([homing])
                except asyncio.CancelledError:
                    with suppress(LinkClosed):  # then nothing can be told it
                        self.realtime(RESET)
                    raise
        finally:
            self._homing = False
        if (error := homing.result()) is not None:
            raise error

    async def _outcome(self, line: str, within: float) -> DriverError | None:
        try:
            await self.command(line, within)
        except DriverError as error:
            return error
        return None

    def realtime(self, byte: bytes) -> None:
        """Send bytes that act at once, past every line. Raises LinkClosed."""
        self.lines.realtime(byte)

    async def reset(self) -> None:
        """Reset the controller, and wait until it has started again. Raises LinkTimeout."""
        before = self.lines.banners
        self.realtime(RESET)
        await self._take(lambda: self.lines.await_banner(before))

    async def status(self) -> Status:
        """Ask for a status report now; also while a line is waited for.

        During homing and after an alarm that only a reset ends the controller reports nothing:
        then the state is what is known of it, without a position.

        Raises:
            LinkTimeout: None came in time.
            BadReply: It makes no sense.
        """
        await self._pace.turn()
        heard: list[Status | BadReply] = []
        asked = self.lines.answering and not self._owed
        try:
            async with asyncio.timeout(None) as limit:

                def listen(status: Status | BadReply) -> None:
                    self._listeners.discard(listen)
                    heard.append(status)
                    limit.reschedule(asyncio.get_running_loop().time())

                def ask() -> None:
                    self._listeners.add(listen)
                    self._owed, self._asked_at = self._owed + 1, asyncio.get_running_loop().time()
                    self.realtime(STATUS)

                try:
                    if asked and not self._silent():
                        ask()
                    if not self._silent():
                        await self._take(lambda: self._await_status(heard, None if asked else ask))
                finally:
                    self._listeners.discard(listen)
        except TimeoutError:
            pass
        if not heard:
            return self._known()
        if isinstance(heard[0], BadReply):
            raise heard[0]
        return heard[0]

    async def _await_status(
        self, heard: list[Status | BadReply], ask: Callable[[], None] | None
    ) -> None:
        if ask is not None:
            await self._settle()
            if not self._silent():
                ask()
        loop = asyncio.get_running_loop()
        end = loop.time() + self.timeouts.first_byte
        while not heard and not self._silent():
            await self.lines.hear(max(0.0, end - loop.time()))
            if not heard and loop.time() >= end:
                raise LinkTimeout(f"no status report within {self.timeouts.first_byte:g} s")

    async def _settle(self) -> None:
        """See to it that no older report can come: it would be taken for the next one.

        The answer to a line comes after all that was said before. On hold no line is answered:
        then only time tells.
        """
        await self.lines.drain()
        if self._owed and not self._silent():
            if self._suspended:
                loop = asyncio.get_running_loop()
                while (left := self._asked_at + LONGEST_REPORT_S - loop.time()) > 0:
                    await self.lines.hear(left)
            else:
                await self.lines.fence(self.timeouts.first_byte)
        self._owed = 0

    def _silent(self) -> bool:
        return self.lines.critical or self._homing

    def _known(self) -> Status:
        if self.lines.critical:
            reason = f"alarm {alarm_text(self.lines.alarm)}"
            return Status(state=State.ALARM, alarm=self.lines.alarm, reason=reason)
        return Status(state=State.HOME, reason="nothing is reported during homing")

    async def read(self, refs: Sequence[Ref[Any]]) -> list[Any]:
        """Fetch refs from one status report. Raises LinkError."""
        try:
            status = await self.status()
        except (BadReply, TurnTimeout) as error:
            return [error for _ in refs]
        values: list[Any] = []
        for ref in refs:
            try:
                values.append(ref.decode(status))
            except DriverError as error:
                values.append(error)
        return values

    async def write(self, ref: Ref[Any], value: Any) -> None:
        """Nothing of a status report can be written."""
        raise TypeError(f"{ref} can't be written")

    async def _take(self, exchange: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if self.lines.down is not None:
            raise self.lines.down.unsent()
        return await self._turn.take(exchange, within=self.timeouts.turn)

    def _report(self, line: str) -> None:
        self._owed = max(0, self._owed - 1)
        try:
            status: Status | BadReply = self._status(line)
        except BadReply as error:
            status = error
        for listen in tuple(self._listeners):
            listen(status)

    def _status(self, line: str) -> Status:
        report = parse_report(line)
        scale = MM_PER_INCH if self.settings.get(13) == "1" else 1.0
        if self._offset_of != self.lines.banners:  # a reset may have changed it
            self._offset, self._offset_of = (), self.lines.banners
        self._offset = report.vector("WCO", scale) or self._offset
        machine, work = report.vector("MPos", scale), report.vector("WPos", scale)
        if len(self._offset) == len(machine or work):
            machine = machine or tuple(w + o for w, o in zip(work, self._offset, strict=True))
            work = work or tuple(m - o for m, o in zip(machine, self._offset, strict=True))
        feed, spindle = report.feed_and_speed(scale)
        status = Status(
            state=report.state,
            sub=report.sub,
            machine=machine,
            work=work,
            feed=feed,
            spindle=spindle,
            pins=report.fields.get("Pn", ""),
            accessories=report.fields.get("A", ""),
        )
        self._suspended = status.state in (State.HOLD, State.DOOR, State.SLEEP)
        return replace(status, alarm=self.lines.alarm) if status.state is State.ALARM else status


def status(
    take: Callable[[Status], T], type_: type[T], *, unit: Unit = "", every: float = 0.5, doc: str
) -> Reading[T]:
    """A value of the status report."""
    return Reading(StatusRef(take, str), type_, unit=unit, every=every, doc=doc)

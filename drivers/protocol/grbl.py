"""GRBL: every line is answered by exactly one `ok` or `error`, everything else comes unasked.

Realtime bytes act past all lines and are not answered: `?` asks for a status report, `!` holds,
`~` goes on, 0x18 resets, 0x85 ends a jog. So the status is read even while a line is waited for.

Source: the wiki of gnea/grbl, "Grbl v1.1 Interface" and "Grbl v1.1 Commands".
"""

import asyncio
import re
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Literal, TypeVar

from drivers.errors import BadReply, DeviceError, DriverError, LinkClosed, LinkTimeout, TurnTimeout
from drivers.fields import Reading
from drivers.protocol.grbl_reports import (
    MM_PER_INCH,
    State,
    Status,
    Vector,
    alarm_text,
    error_text,
    parse_report,
)
from drivers.transport.link import Link, Timeouts
from drivers.transport.turn import Turn
from drivers.units import Unit
from drivers.wire import Ref

T = TypeVar("T")

STATUS, HOLD, RESUME, RESET, CANCEL_JOG = b"?", b"!", b"~", b"\x18", b"\x85"
STATUS_PERIOD_S: Final = 0.2
"""The wiki asks for no more than five status reports in a second."""

BANNER_S: Final = 5.0
"""How long after a reset of ours a banner is expected."""

CRITICAL: Final = {1, 2}
"""Alarms after which the controller answers nothing at all until it is reset."""

RESTARTING: Final = {3, 6, 7, 8, 9}
"""Alarms that come with a restart of the controller."""

_BANNER = re.compile(r"Grbl\S* \d.*\[.*\]")
_ANSWER = re.compile(r"(ok)|error:(\d+)")
_ALARM = re.compile(r"ALARM:(\d+)")
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

    carried_by: ClassVar[Literal["bytes", "registers"]] = "bytes"
    timeouts: Timeouts = Timeouts(turn=10.0, first_byte=1.0, next_byte=0.2, whole=30.0)

    def __init__(self, link: Link, timeouts: Timeouts, boot: float = 2.0) -> None:
        self.timeouts = timeouts
        self._link, self._boot = link, boot
        self._turn = Turn(self._quieten)
        self.settings: dict[int, str] = {}
        self.alarm: int | None = None
        self.critical = False
        self.homing = False
        self._offset: Vector = ()
        self._listeners: set[Callable[[Status | BadReply], None]] = set()
        self._down: DriverError | None = None
        self._answering = False  # a line is waited for
        self._uncounted = False  # an answer is missing and may still come
        self._banners = 0
        self._banner_until = 0.0
        self._status_at = 0.0

    # Lines

    async def hello(self) -> str:
        """Wait for a controller that resets on connecting, and return its `[VER:…]`.

        Raises:
            LinkTimeout: Nothing answers, as after an alarm that only a reset ends.
            DeviceError: It is in motion or on hold, and can't be asked.
        """
        self._down, self.critical, self.alarm, self._offset = None, False, None, ()
        loop = asyncio.get_running_loop()
        self._banner_until = loop.time() + self._boot + BANNER_S
        self._uncounted = True
        return await self._take(self._greet)

    async def _greet(self) -> str:
        loop = asyncio.get_running_loop()
        before, end = self._banners, loop.time() + self._boot
        while self._banners == before and (left := end - loop.time()) > 0:
            await self._hear(left)
        told = await self._converse("$I", self.timeouts.whole)
        version = next((line for line in told if line.startswith("[VER:")), "")
        if not version:
            raise BadReply(f"$I brought no [VER:…]: {told!r}")
        settings = map(_SETTING.match, await self._converse("$$", self.timeouts.whole))
        self.settings = {int(found[1]): found[2] for found in settings if found}
        self._banner_until = 0.0
        return version

    async def command(self, line: str, within: float | None = None) -> list[str]:
        """Send a line; return what was said up to its `ok`.

        Raises:
            DeviceError: It was answered by an error or an alarm, or cut short by a reset.
            LinkTimeout: There was no answer within that many seconds (None: `timeouts.whole`).
            TurnTimeout: Another line was still waited for; nothing was sent.
        """
        longest = self.timeouts.whole if within is None else within
        return await self._take(lambda: self._converse(line, longest))

    async def home(self, within: float) -> None:
        """Find the limit switches. Cancelling resets the controller, as nothing else ends it."""
        self.homing = True
        try:
            async with asyncio.TaskGroup() as group:
                homing = group.create_task(self._outcome("$H", within), name="home")
                try:
                    await asyncio.wait([homing])
                except asyncio.CancelledError:
                    self.realtime(RESET)
                    raise
        finally:
            self.homing = False
        if (error := homing.result()) is not None:
            raise error

    async def _outcome(self, line: str, within: float) -> DriverError | None:
        try:
            await self.command(line, within)
        except DriverError as error:
            return error
        return None

    async def _converse(self, line: str, within: float) -> list[str]:
        if self.critical:
            raise DeviceError(f"alarm {alarm_text(self.alarm)}")
        await self._drain()
        if self._uncounted:
            await self._count()
        self._answering = self._uncounted = True
        try:
            await self._link.send(f"{line}\n".encode("ascii"))
            return await self._answer(line, within)
        finally:
            self._answering = False

    async def _answer(self, line: str, within: float) -> list[str]:
        loop = asyncio.get_running_loop()
        end, before = loop.time() + within, self._banners
        said: list[str] = []
        while True:
            text = await self._hear(max(0.0, end - loop.time()))
            if text is None:
                raise LinkTimeout(f"{line} was not answered within {within:g} s")
            if self._banners != before:
                raise DeviceError(f"{line} was cut short by a reset")
            if found := _ALARM.fullmatch(text):
                raise DeviceError(f"{line}: alarm {alarm_text(int(found[1]))}")
            if found := _ANSWER.fullmatch(text):
                self._uncounted = False
                if found[2]:
                    raise DeviceError(f"{line}: {error_text(int(found[2]))}")
                return said
            if not text.startswith("<"):
                said.append(text)

    async def _count(self) -> None:
        """Get the answers into step: only the one that follows `[GC:…]` belongs to `$G`."""
        await self._quieten()
        await self._link.send(b"\n$G\n")  # an empty line ends what was left half
        modes = False
        while True:
            text = await self._hear(self.timeouts.whole)
            if text is None:
                raise LinkTimeout("the controller does not answer lines: is it on hold?")
            modes = modes or text.startswith("[GC:")
            if modes and _ANSWER.fullmatch(text):
                self._uncounted = False
                return

    async def _quieten(self) -> None:
        """Take note of what still comes, until nothing does; never for long."""
        loop = asyncio.get_running_loop()
        end = loop.time() + 10 * self.timeouts.next_byte
        while loop.time() < end and await self._hear(self.timeouts.next_byte) is not None:
            pass

    async def _drain(self) -> None:
        while await self._hear(0.0) is not None:
            pass

    # Realtime

    def realtime(self, byte: bytes) -> None:
        """Send bytes that act at once, past every line. Raises LinkClosed."""
        if RESET in byte:
            self._banner_until = asyncio.get_running_loop().time() + BANNER_S
        self._link.send_now(byte)

    async def reset(self) -> None:
        """Reset the controller, and wait until it has started again. Raises LinkTimeout."""
        before = self._banners
        self.realtime(RESET)
        await self._take(lambda: self._await_banner(before))

    async def _await_banner(self, before: int) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + BANNER_S
        while self._banners == before:
            if await self._hear(max(0.0, end - loop.time())) is None and loop.time() >= end:
                raise LinkTimeout("the controller did not start again after a reset")
        await self._quieten()

    async def status(self) -> Status:
        """Ask for a status report now; also while a line is waited for.

        During homing and after an alarm that only a reset ends the controller reports nothing:
        then the state is what is known of it, without a position.

        Raises:
            LinkTimeout: None came in time.
            BadReply: It makes no sense.
        """
        await self._wait_for_period()
        heard: list[Status | BadReply] = []
        asked = self._answering
        try:
            async with asyncio.timeout(None) as limit:

                def listen(status: Status | BadReply) -> None:
                    self._listeners.discard(listen)
                    heard.append(status)
                    limit.reschedule(asyncio.get_running_loop().time())

                self._listeners.add(listen)
                try:
                    if asked and not self._silent():
                        self.realtime(STATUS)
                    if not self._silent():
                        await self._take(lambda: self._await_status(heard, asked=asked))
                finally:
                    self._listeners.discard(listen)
        except TimeoutError:
            pass
        if not heard:
            return self._known()
        if isinstance(heard[0], BadReply):
            raise heard[0]
        return heard[0]

    async def _await_status(self, heard: list[Status | BadReply], *, asked: bool) -> None:
        if not asked and not heard:
            await self._drain()
            heard.clear()
            self.realtime(STATUS)
        loop = asyncio.get_running_loop()
        end = loop.time() + self.timeouts.first_byte
        while not heard and not self._silent():
            if await self._hear(max(0.0, end - loop.time())) is None and loop.time() >= end:
                raise LinkTimeout(f"no status report within {self.timeouts.first_byte:g} s")

    async def _wait_for_period(self) -> None:
        now = asyncio.get_running_loop().time()
        at = self._status_at = max(now, self._status_at + STATUS_PERIOD_S)
        if at > now:
            await asyncio.sleep(at - now)

    def _silent(self) -> bool:
        return self.critical or self.homing

    def _known(self) -> Status:
        if self.critical:
            reason = f"alarm {alarm_text(self.alarm)}"
            return Status(state=State.ALARM, alarm=self.alarm, reason=reason)
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

    # What comes

    async def _take(self, exchange: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if self._down is not None:
            raise self._down
        return await self._turn.take(exchange, within=self.timeouts.turn)

    async def _hear(self, within: float) -> str | None:
        """The next line, or None if none comes in time."""
        limits = Timeouts(first_byte=within, next_byte=within, whole=within)
        try:
            raw = await self._link.receive_until(b"\n", limits)
        except LinkTimeout:
            return None
        line = raw.decode("utf-8", "replace").strip("\r\0 ")
        self._notice(line)
        return line

    def _notice(self, line: str) -> None:
        if line.startswith("<"):
            self._report(line)
        elif found := _ALARM.fullmatch(line):
            self.alarm = int(found[1])
            self.critical = self.alarm in CRITICAL
            if self.alarm in RESTARTING:
                self._banner_until = asyncio.get_running_loop().time() + BANNER_S
        elif _BANNER.fullmatch(line):
            self._started()

    def _started(self) -> None:
        self._banners += 1
        self.critical, self._offset, self._uncounted = False, (), False
        if asyncio.get_running_loop().time() > self._banner_until:
            self._down = LinkClosed("the controller reset itself: its position is not to be trusted")
            raise self._down

    def _report(self, line: str) -> None:
        try:
            status: Status | BadReply = self._status(line)
        except BadReply as error:
            status = error
        for listen in tuple(self._listeners):
            listen(status)

    def _status(self, line: str) -> Status:
        report = parse_report(line)
        scale = MM_PER_INCH if self.settings.get(13) == "1" else 1.0
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
        return replace(status, alarm=self.alarm) if status.state is State.ALARM else status


def status(
    take: Callable[[Status], T], type_: type[T], *, unit: Unit = "", every: float = 0.5, doc: str
) -> Reading[T]:
    """A value of the status report."""
    return Reading(StatusRef(take, str), type_, unit=unit, every=every, doc=doc)

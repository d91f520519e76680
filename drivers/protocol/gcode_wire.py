"""G-code over a serial line, for firmware of the RepRap kind: numbered, checksummed, acknowledged."""

import asyncio
import re
import secrets
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeVar

from drivers.errors import BadReply, DeviceError, DriverError, LinkClosed, TurnTimeout
from drivers.protocol.gcode_firmware import UNKNOWN, firmware_of
from drivers.protocol.gcode_lines import Lines
from drivers.protocol.gcode_replies import Kind, Reply, capabilities
from drivers.protocol.gcode_reports import BREAKABLE, REPORT_S, ReportRef, Reports
from drivers.transport.attempt import acted, acting
from drivers.transport.link import BoardLink, Carried, Timeouts
from drivers.transport.turn import Turn
from drivers.wire import Ref

T = TypeVar("T")
BUSY_S: Final = 2
REPORTS: Final = {
    "AUTOREPORT_TEMP": f"M155 S{REPORT_S}",
    "AUTOREPORT_POS": f"M154 S{REPORT_S}",
    "SDCARD": "M27",
    "AUTOREPORT_SD_STATUS": "M27 S5",
}
"""What makes a board report, at once or by itself, by the capability that says that it can (M115)."""


@dataclass(frozen=True)
class LocalRef(Ref[T]):
    """A value that the wire knows itself, without an exchange."""

    get: Callable[[Any], T]


class GCode:
    """Lines of G-code, one at a time, each taken exactly once.

    `timeouts.first_byte` is how long a board that says when it is busy may say nothing, and
    `timeouts.whole` is that of one which does not. `boot` is how long to listen after connecting
    for a board that starts when its port is opened, in s; a boot loader takes 1 s to 2 s.
    """

    carried_by: ClassVar[Carried] = "bytes"
    timeouts: Timeouts = Timeouts(turn=10.0, first_byte=5.0, next_byte=0.5, whole=30.0)

    def __init__(
        self,
        link: BoardLink,
        timeouts: Timeouts,
        boot: float = 2.0,
        nonce: Callable[[], str] = lambda: secrets.token_hex(4),
    ) -> None:
        self.timeouts = timeouts
        self._link, self._boot = link, boot
        self.lines = Lines(link, timeouts, nonce, self._notice)
        self.capabilities: dict[str, bool] = {}
        self.kind = UNKNOWN
        self.firmware = ""
        self._turn = Turn(self.lines.get_in_step)
        self.reports = Reports(self.lines, self._take, timeouts.turn)
        self._down: DriverError | None = None
        self.halted = False  # it said that it killed itself: heaters and motors are off
        self._greeting = self._started = False

    async def hello(self) -> str:
        """Wait for the board to start, begin to count lines, and return the first line of M115.

        Raises:
            LinkTimeout: Nothing that acknowledges lines answers.
            BadReply: It does not say what it is.
        """
        self._greeting, self._down, self.halted = True, None, False
        self._turn = Turn(self.lines.get_in_step)
        try:
            return await self._turn.take(self._greet, within=self.timeouts.turn)
        finally:
            self._greeting = False

    async def _greet(self) -> str:
        await self._listen_for_start()
        self.lines.restart()
        await self.lines.renumber()
        await self.lines.find_echo()
        await self.lines.get_in_step()
        told = [reply.text for reply in await self.lines.converse("M115")]
        self.capabilities = self.reports.capabilities = capabilities(told)
        self.firmware = next((text for text in told if "FIRMWARE_NAME:" in text), "")
        self.firmware = self.firmware.removeprefix("ok").strip()
        if not self.firmware:
            raise BadReply(f"M115 brought no FIRMWARE_NAME: {told!r}")
        self.kind = firmware_of(self.firmware)
        self.lines.ok_after_resend = self.kind.ok_after_resend
        if self.kind.says_busy or self.kind is UNKNOWN:
            said = await self.lines.converse(f"M113 S{BUSY_S}")  # say `busy` that often
            self.lines.keeps_alive = all(reply.kind is not Kind.UNKNOWN for reply in said)
        for name, code in REPORTS.items():
            if self.capabilities.get(name):
                await self.lines.converse(code)
        self.lines.reports = self.capabilities.get("AUTOREPORT_TEMP", False)
        return self.firmware

    async def _listen_for_start(self) -> None:
        """Listen for `boot` seconds, and then until a board that has started has said its piece."""
        loop = asyncio.get_running_loop()
        self._started = False
        end = loop.time() + self._boot
        while not self._started and (left := end - loop.time()) > 0:
            await self.lines.hear(left)
        end = loop.time() + self._boot
        while (
            self._started and loop.time() < end and await self.lines.hear(self.timeouts.next_byte)
        ):
            pass

    async def read(self, refs: Sequence[Ref[Any]]) -> list[Any]:
        """Fetch refs; those with the same query share one exchange. Raises LinkError, DeviceError.

        A report that the printer sends by itself while this waits for its turn will do as well.
        """
        self._must_be_up()  # also where nothing is asked: a halted board has not recovered
        queries = dict.fromkeys(it.query for it in refs if isinstance(it, ReportRef))
        reports = await self.reports.fetch(list(queries), overhear=self.is_streaming)
        return [self._value(ref, reports) for ref in refs]

    async def write(self, ref: Ref[Any], value: Any) -> None:
        """Send the ref's order once. Raises DriverError."""
        if not isinstance(ref, ReportRef) or not ref.order:
            raise TypeError(f"{ref} can't be written")
        await self.command(ref.order.format(ref.encode(value)))

    async def command(self, line: str) -> list[str]:
        """Send one line; return what was said up to its acknowledgement.

        Raises:
            DeviceError: The firmware refused it, or does not know it.
            TurnTimeout: The printer was busy; nothing was sent.
            LinkError: It was not acknowledged.
        """
        with acting():
            said = await self._take(lambda: self.lines.converse(line), self.timeouts.turn)
        for reply in said:
            if reply.kind is Kind.UNKNOWN:
                raise DeviceError(f"{line}: {reply.payload}")
        return [reply.payload if reply.kind is Kind.OK else reply.text for reply in said]

    @property
    def is_streaming(self) -> bool:
        """Whether a program has the link, so that a question would hold it up."""
        return False

    @property
    def at_rest(self) -> bool:
        """Whether no slow line is at work, so that the next line is taken at once."""
        return not (self.lines.at_work in BREAKABLE or self.lines.at_work.startswith("G"))

    def break_wait(self) -> None:
        """End a wait for heat or for a person, past every queue (M108)."""
        if self.lines.at_work in BREAKABLE:
            acted()
            self._link.send_now(b"M108\n")  # without a number: only then is it seen at once
            self.lines.doubt()

    def halt(self) -> None:
        """Stop everything, past every queue: M112 without and with a number, then the heaters off.

        Only firmware with the emergency parser acts on it in any state. To such a one what waits in
        the port is dropped, so that nothing but the rest of one line is before it; another one would
        throw the stop away with the rest of a line that was cut. Nothing that was sent before is
        sent again, should the board ask for it.
        """
        acted()
        self.lines.history.void_all()
        numbered = self.lines.history.enter("M112")
        if self.capabilities.get("EMERGENCY_PARSER"):
            self._link.drop_unsent()
        self._link.send_now(b"\nM112\n" + numbered + b"M104 S0\nM140 S0\nM107\n")
        self.lines.doubt()

    async def _take(self, exchange: Callable[[], Coroutine[Any, Any, T]], within: float) -> T:
        async def unless_down() -> T:
            self._must_be_up()  # it may have gone down while this waited for its turn
            return await exchange()

        self._must_be_up()  # before a resynchronisation sends anything
        return await self._turn.take(unless_down, within=within)

    def _must_be_up(self) -> None:
        if self._down is not None:
            raise self._down.unsent()

    def _value(self, ref: Ref[Any], reports: dict[str, str | TurnTimeout]) -> Any:
        if isinstance(ref, LocalRef):
            return ref.get(self)
        if not isinstance(ref, ReportRef):
            return BadReply(f"{ref} is no value of G-code")
        report = reports[ref.query]
        if isinstance(report, TurnTimeout):
            return report
        found = re.search(ref.pattern, report, re.MULTILINE)
        if found is None:
            self._turn.doubt()
            return BadReply(f"{ref.query}: the value is missing in {report[:200]!r}")
        return ref.decode(found[1])

    def _notice(self, reply: Reply) -> None:
        """Look at every line that comes. Raises when the board is no longer the one we know."""
        if self.lines.at_work:  # in step: what comes by itself is new
            self.reports.spread(reply)
        match reply.kind:
            case Kind.START if self._greeting:
                self._started = True
            case Kind.START if self.kind.start_is_reset or self.halted:
                self.lines.restart()
                self.halted = False
                self._down = LinkClosed("the board reset itself")
                raise self._down
            case Kind.FATAL:
                # A thermal fault kills the board as well, and says so in a line that may get lost.
                self.halted = "stopped due to error" not in reply.payload.lower()
                why = f"the printer has stopped: {reply.payload} {self.kind.after_halt}"
                self._down = DeviceError(why)
                raise self._down

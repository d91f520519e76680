"""G-code over a serial line, for firmware of the RepRap kind: numbered, checksummed, acknowledged."""

import asyncio
import re
import secrets
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, TypeVar

from drivers.errors import BadReply, DeviceError, DriverError, LinkClosed, TurnTimeout
from drivers.protocol.gcode_lines import Lines
from drivers.protocol.gcode_program import PrintState, Program
from drivers.protocol.gcode_replies import Kind, Reply, capabilities
from drivers.protocol.gcode_waiting import HEATING
from drivers.transport.attempt import acted, acting
from drivers.transport.link import Link, Timeouts
from drivers.transport.turn import Turn
from drivers.wire import Ref

T = TypeVar("T")
AUTOREPORT_S: Final = 2
BREAKABLE: Final = {*HEATING, "M600"}
STREAM_TURN_S: Final = 600.0
QUICK_TURN_S: Final = 2.0
NUMBER: Final = r"(-?\d+(?:\.\d+)?)"


@dataclass(frozen=True)
class ReportRef(Ref[T]):
    """A value in the report that `query` brings; `order` is the line that sets it."""

    query: str
    pattern: str
    order: str = ""


@dataclass(frozen=True)
class LocalRef(Ref[T]):
    """A value that the wire knows itself, without an exchange."""

    get: "Callable[[GCode], T]"


class GCode:
    """Lines of G-code, one at a time, each taken exactly once.

    `timeouts.first_byte` is how long a board that says when it is busy may say nothing, and
    `timeouts.whole` is that of one which does not. `boot` is how long to listen after connecting
    for a board that starts when its port is opened, in s; a boot loader takes 1 s to 2 s.
    """

    carried_by: ClassVar[Literal["bytes", "registers"]] = "bytes"
    timeouts: Timeouts = Timeouts(turn=10.0, first_byte=5.0, next_byte=0.5, whole=30.0)

    def __init__(
        self,
        link: Link,
        timeouts: Timeouts,
        boot: float = 2.0,
        nonce: Callable[[], str] = lambda: secrets.token_hex(4),
    ) -> None:
        self.timeouts = timeouts
        self._link, self._boot = link, boot
        self.lines = Lines(link, timeouts, nonce, self._notice)
        self.program = Program(self._send_of_program, self.break_wait)
        self.capabilities: dict[str, bool] = {}
        self.firmware = ""
        self._turn = Turn(self.lines.get_in_step)
        self._listeners: dict[str, set[Callable[[str], None]]] = {}
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
        await self.lines.renumber()
        await self.lines.find_echo()
        await self.lines.get_in_step()
        told = [reply.text for reply in await self.lines.converse("M115")]
        self.capabilities = capabilities(told)
        self.firmware = next((text for text in told if "FIRMWARE_NAME:" in text), "")
        self.firmware = self.firmware.removeprefix("ok").strip()
        if not self.firmware:
            raise BadReply(f"M115 brought no FIRMWARE_NAME: {told!r}")
        said = await self.lines.converse(f"M113 S{AUTOREPORT_S}")  # say `busy` that often
        self.lines.keeps_alive = all(reply.kind is not Kind.UNKNOWN for reply in said)
        if self.capabilities.get("AUTOREPORT_TEMP"):
            await self.lines.converse(f"M155 S{AUTOREPORT_S}")
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
        reports: dict[str, str | TurnTimeout] = {}
        for ref in refs:
            if isinstance(ref, ReportRef) and ref.query not in reports:
                reports[ref.query] = await self._report(ref.query)
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
    def at_rest(self) -> bool:
        """Whether neither a file nor a slow line is at work, so that the next line is taken at once."""
        slow = self.lines.at_work in BREAKABLE or self.lines.at_work.startswith("G")
        return self.program.state is PrintState.IDLE and not slow

    def break_wait(self) -> None:
        """End a wait for heat or for a person, past every queue (M108)."""
        if self.lines.at_work in BREAKABLE:
            acted()
            self._link.send_now(b"M108\n")  # without a number: only then is it seen at once
            self.lines.doubt()

    def halt(self) -> None:
        """Stop everything, past every queue: M112 without and with a number, then the heaters off.

        Only firmware with the emergency parser acts on it in any state.
        """
        acted()
        numbered = self.lines.enter("M112")
        self._link.send_now(b"\nM112\n" + numbered + b"M104 S0\nM140 S0\n")
        self.lines.doubt()
        self.program.cancel("it was stopped by M112")

    async def _send_of_program(self, line: str) -> None:
        with acting():
            await self._take(lambda: self.lines.converse(line), STREAM_TURN_S)

    async def _take(self, exchange: Callable[[], Coroutine[Any, Any, T]], within: float) -> T:
        async def unless_down() -> T:
            self._must_be_up()  # it may have gone down while this waited for its turn
            return await exchange()

        self._must_be_up()  # before a resynchronisation sends anything
        return await self._turn.take(unless_down, within=within)

    def _must_be_up(self) -> None:
        if self._down is not None:
            raise self._down.unsent()

    async def _report(self, query: str) -> str | TurnTimeout:
        """Ask when the turn comes, or take the same report if it comes by itself before that.

        A machine that is busy for long is no broken link: that error belongs to these values.
        """
        heard: list[str] = []
        listeners = self._listeners.setdefault(query, set())
        within = QUICK_TURN_S if self.lines.at_work in BREAKABLE else self.timeouts.turn
        try:
            async with asyncio.timeout(None) as limit:

                def listen(text: str) -> None:
                    listeners.discard(listen)
                    heard.append(text)
                    limit.reschedule(asyncio.get_running_loop().time())

                async def ask() -> list[Reply]:
                    listeners.discard(listen)  # from here on, only the answer will do
                    return await self.lines.converse(query)

                listeners.add(listen)
                try:
                    said = await self._take(ask, within)
                finally:
                    listeners.discard(listen)
        except TimeoutError:
            return heard[0]
        except TurnTimeout as error:
            return error
        return "\n".join(
            r.payload if r.kind is Kind.OK else r.text for r in said if not self._by_itself(r)
        )

    def _by_itself(self, reply: Reply) -> bool:
        """Whether a report came unasked, as M155 wants it: it may have been long under way."""
        return self.capabilities.get("AUTOREPORT_TEMP", False) and reply.kind is Kind.TEMPERATURE

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
            self._spread(reply)
        match reply.kind:
            case Kind.START if self._greeting:
                self._started = True
            case Kind.START:
                self.lines.restart()
                self._down = LinkClosed("the board reset itself")
                raise self._down
            case Kind.FATAL:
                self.halted = "halted" in reply.payload or "kill()" in reply.payload
                why = f"the printer has stopped: {reply.payload} Reset it, then reconnect"
                self._down = DeviceError(why)
                raise self._down
            case Kind.ACTION:
                self._act(reply.payload)

    def _spread(self, reply: Reply) -> None:
        query = {Kind.TEMPERATURE: "M105", Kind.POSITION: "M114"}.get(reply.kind, "")
        for listen in tuple(self._listeners.get(query, ())):
            listen(reply.text)

    def _act(self, action: str) -> None:
        """Do what somebody chose on the printer's display."""
        match action.partition(" ")[0], self.program.state.name:
            case (("pause" | "paused"), "PRINTING"):
                self.program.pause()
            case (("resume" | "resumed"), "PAUSED"):
                self.program.resume()
            case "cancel", _:
                self.program.cancel("it was cancelled at the printer")

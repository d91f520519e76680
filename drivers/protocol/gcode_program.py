"""A program on its way to the machine: checked as a whole, then sent line by line.

The file is read twice and never held in memory. Whatever is wrong with it is found by the first
reading, before anything is sent.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Final

from drivers.errors import DeviceBusy, DeviceError, RequestError
from drivers.forms import TextFile
from drivers.protocol.gcode_lines import LONGEST_LINE, frame

BREATH: Final = 500
"""Lines checked between two chances for others in the event loop."""

HIGHEST_NUMBER: Final = 99_999_999
"""The line number whose digits a line must have room for."""

FORBIDDEN: Final = {
    **dict.fromkeys(
        ("M0", "M1"), "waits for somebody at the printer, and stops the link until then"
    ),
    "M110": "changes the line numbers that this link relies on",
    "M112": "is an emergency stop",
    **dict.fromkeys(("M28", "M29", "M30", "M928"), "changes the memory card"),
    **dict.fromkeys(("M500", "M501", "M502", "M504"), "changes the stored settings"),
    **dict.fromkeys(("M997", "M999"), "restarts the firmware"),
}


class PrintState(Enum):
    """What becomes of the program."""

    IDLE = 0
    CHECKING = 1
    PRINTING = 2
    PAUSED = 3
    FINISHING = 4
    CANCELLING = 5


class ProgramCancelled(DeviceError):
    """Somebody, or the printer itself, ended the program."""


def prepared(line: str) -> str:
    """The line without comment and blanks at its ends; "" where nothing is left."""
    return line.partition(";")[0].strip()


async def check(file: TextFile, refuse: Callable[[str], str]) -> int:
    """Count the lines that would be sent; `refuse` says why the printer must not get one, or "".

    Raises RequestError, naming line and reason; sends nothing.
    """
    count = 0
    number = 0
    async for line in file.lines():
        number += 1
        text = prepared(line)
        if not text:
            continue
        if reason := objection(text) or refuse(text):
            raise RequestError(f"{file.name}, line {number}: {reason}")
        count += 1
        if number % BREATH == 0:
            await asyncio.sleep(0)
    if not count:
        raise RequestError(f"{file.name} has no line of G-code")
    return count


def objection(text: str) -> str:
    """Why a prepared line can't be sent, or "" if it can."""
    if not (text.isascii() and text.isprintable()):
        return "it has a sign that the printer can't read; only ASCII can be sent"
    length = len(frame(HIGHEST_NUMBER, text))
    if length > LONGEST_LINE:
        return f"it is {length} bytes long with number and checksum, more than {LONGEST_LINE}"
    code = re.match(r"([GMT]\d+)(?:\.\d+)?(?=\D|$)", text)
    if code is None and not re.match(r"[A-Z]", text):
        return f"{text[:20]!r} is not G-code"
    if text[0] == "N":
        return "it has a line number of its own"
    reason = FORBIDDEN.get(code[1], "") if code else ""
    return f"{text.split(maxsplit=1)[0]} {reason}" if reason else ""


class Program:
    """The program of one machine, or the rest of the last one: how far it came stays readable.

    `send` sends a line and waits for its acknowledgement; `break_wait` ends a wait for heat.
    """

    def __init__(
        self, send: Callable[[str], Awaitable[object]], break_wait: Callable[[], None]
    ) -> None:
        self._send, self._break_wait = send, break_wait
        self._go = asyncio.Event()
        self._cancelled = ""
        self._failure: Exception | None = None
        self._ended = asyncio.Event()
        self.state = PrintState.IDLE
        self.name = ""
        self.sent = 0  # lines
        self.total = 0
        self._size = self._position = 0  # bytes

    @property
    def percent(self) -> float:
        """How much of the file has been sent, 0 to 100."""
        share = 100.0 * self._position / self._size if self._size else 0.0
        return min(100.0, round(share, 2))

    async def run(self, file: TextFile, refuse: Callable[[str], str] = lambda _: "") -> int:
        """Check the file, send it, wait for the last move, and return how many lines were sent.

        `refuse` says why this machine must not get a line, or "".

        Raises:
            DeviceBusy: Another program is running.
            RequestError: The file was refused; nothing was sent.
            ProgramCancelled: Somebody ended it.
            DriverError: Sending a line failed.
        """
        if self.state is not PrintState.IDLE:
            raise DeviceBusy(f"{self.name} is being printed")
        self._begin(file)
        try:
            self.total = await check(file, refuse)
            await self._stream(file)
        finally:
            self.state = PrintState.IDLE
            self._ended.set()
        return self.sent

    def pause(self) -> None:
        """Send no further line. Raises RequestError when nothing is being printed."""
        self._must_run()
        self._go.clear()
        self.state = PrintState.PAUSED

    def resume(self) -> None:
        """Go on after a pause. Raises RequestError when nothing is paused."""
        if self.state is not PrintState.PAUSED:
            raise RequestError("nothing is paused")
        self.state = PrintState.PRINTING
        self._go.set()

    def cancel(self, reason: str) -> None:
        """Send no further line and let `run` end; harmless when nothing runs."""
        if self.state is not PrintState.IDLE:
            self._cancelled = self._cancelled or reason
            self.state = PrintState.CANCELLING
            self._go.set()
            self._break_wait()

    async def ended(self) -> None:
        """Wait until nothing runs."""
        await self._ended.wait()

    def _must_run(self) -> None:
        if self.state not in (PrintState.PRINTING, PrintState.PAUSED):
            raise RequestError("nothing is being printed")

    def _begin(self, file: TextFile) -> None:
        self.state, self.name = PrintState.CHECKING, file.name
        self.sent = self.total = self._position = 0
        self._size = file.size
        self._cancelled, self._failure = "", None
        self._ended.clear()
        self._go.set()

    async def _stream(self, file: TextFile) -> None:
        """Send in a task of its own, so that a cancellation can break a wait for heat at once."""
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(self._send_all(file), name=f"print {file.name}")
            try:
                await asyncio.wait([sending])
            except asyncio.CancelledError:
                self.cancel("the print was stopped")
                raise
        if self._failure is not None:
            raise self._failure

    async def _send_all(self, file: TextFile) -> None:
        try:
            self._go_on()
            self.state = PrintState.PRINTING
            async for line in file.lines():
                if text := prepared(line):
                    await self._go.wait()
                    self._go_on()
                    await self._send(text)
                    self.sent += 1
                self._position += len(line.encode()) + 1
            await self._finish()
        except Exception as error:  # noqa: BLE001 - `_stream` raises it again
            self._failure = error

    async def _finish(self) -> None:
        await self._go.wait()
        self._go_on()
        self.state = PrintState.FINISHING
        await self._send("M400")
        self._go_on()
        self._position = self._size

    def _go_on(self) -> None:
        if self._cancelled:
            raise ProgramCancelled(f"{self.name}: {self._cancelled} after {self.sent} lines")

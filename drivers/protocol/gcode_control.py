"""Where a print stands, and what may be wanted of it: pause, resume, cancel. Nothing is sent here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from drivers.errors import RequestError
from drivers.protocol.printing import PrintEnded, PrintResult, PrintState

ACTIVE: Final = frozenset({PrintState.STARTING, PrintState.PRINTING})


class Control:
    """The state of one print. `break_wait` ends a wait of the board for heat or for a person."""

    def __init__(self, break_wait: Callable[[], None]) -> None:
        self._break_wait = break_wait
        self.state = PrintState.IDLE
        self.message = ""  # what the person at the printer is asked
        self.waits_at_printer = False  # the firmware has paused, and says when it goes on
        self._go, self._ended, self._settled = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._is_to_pause = False
        self._is_aside = (
            False  # the head has left its place, or is leaving it, and has to come back
        )
        self._cancelled = ""

    @property
    def is_held(self) -> bool:
        """Whether no further line is to be sent now."""
        return self._is_to_pause or bool(self._cancelled) or not self._go.is_set()

    async def pause(self) -> None:
        """Send no further line of the file, and return when the head has stepped aside.

        Raises RequestError when nothing is being printed.
        """
        if self.state not in ACTIVE:
            raise RequestError(_not_now("paused", self.state))
        self.hold()
        await self._settled.wait()
        self._must_be(PrintState.PAUSED)

    def hold(self, message: str = "") -> None:
        """Begin to pause, as somebody at the printer may want it, or the file itself."""
        self.message = message
        self.state, self._is_to_pause = PrintState.PAUSING, True
        self._settled.clear()

    async def resume(self) -> None:
        """Go on after a pause. Raises RequestError when nothing is paused."""
        if self.state is not PrintState.PAUSED:
            raise RequestError(_not_now("resumed", self.state))
        self.release()
        await self._settled.wait()
        self._must_be(*ACTIVE, PrintState.FINISHING)

    def release(self) -> None:
        """Begin to go on; a pause that has not begun yet is taken back."""
        self.message = ""
        if self._is_to_pause:
            self._is_to_pause, self.state = False, PrintState.PRINTING
            self._settled.set()
            return
        self.state = PrintState.RESUMING
        self._settled.clear()
        self._go.set()

    def begun(self) -> None:
        """Take note that the board has the first line."""
        if self.state is PrintState.STARTING:
            self.state = PrintState.PRINTING

    def paused_by_firmware(self, message: str) -> None:
        """The firmware has paused by itself, as for want of filament: send nothing until it goes on."""
        if self.state in ACTIVE:
            self.state = PrintState.PAUSED
            self._go.clear()
        elif self.state not in {PrintState.PAUSING, PrintState.PAUSED}:
            return
        self.message, self.waits_at_printer = message, True

    def resumed_by_firmware(self) -> None:
        """It goes on, and so does the print, unless it was to be paused by us as well."""
        if not self.waits_at_printer:
            return
        self.message, self.waits_at_printer = "", False
        if self.state is PrintState.PAUSED and not self._is_aside:
            self.state = PrintState.PRINTING
            self._go.set()

    def cancel(self, reason: str) -> None:
        """Send no further line and let `run` end; harmless when nothing runs."""
        if self.state is not PrintState.IDLE:
            self._cancelled = self._cancelled or reason
            self.state = PrintState.CANCELLING
            self._go.set()
            self._settled.set()
            self._break_wait()

    async def ended(self) -> None:
        """Wait until nothing runs."""
        if self.state is not PrintState.IDLE:
            await self._ended.wait()

    def _must_be(self, *states: PrintState) -> None:
        """Raise PrintEnded when the print came to another end than what was waited for."""
        if self.state not in states:
            self._unless_cancelled()
            raise PrintEnded.because(PrintResult.UNKNOWN, "the print has ended meanwhile")

    def _unless_cancelled(self) -> None:
        if self._cancelled:
            raise PrintEnded.because(PrintResult.CANCELLED, self._cancelled)

    def _begin_control(self) -> None:
        self.state, self.message = PrintState.CHECKING, ""
        self._cancelled = ""
        self._is_to_pause = self._is_aside = self.waits_at_printer = False
        self._ended.clear()
        self._go.set()

    def _end_control(self) -> None:
        self.state, self.message, self.waits_at_printer = PrintState.IDLE, "", False
        self._settled.set()
        self._ended.set()


def _not_now(what: str, state: PrintState) -> str:
    if state is PrintState.IDLE:
        return f"nothing is being printed: nothing can be {what}"
    return f"the print can't be {what} now: it is {state.name.lower()}"

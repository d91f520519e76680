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
            raise RequestError("nothing is being printed")
        self.hold()
        await self._settled.wait()

    def hold(self, message: str = "") -> None:
        """Begin to pause, as somebody at the printer may want it, or the file itself."""
        self.message = message
        self.state, self._is_to_pause = PrintState.PAUSING, True
        self._settled.clear()

    async def resume(self) -> None:
        """Go on after a pause. Raises RequestError when nothing is paused."""
        if self.state is not PrintState.PAUSED:
            raise RequestError("nothing is paused")
        self.release()
        await self._settled.wait()

    def release(self) -> None:
        """Begin to go on."""
        self.state, self.message = PrintState.RESUMING, ""
        self._settled.clear()
        self._go.set()

    def begun(self) -> None:
        """Take note that the board has the first line."""
        if self.state is PrintState.STARTING:
            self.state = PrintState.PRINTING

    def paused_by_firmware(self, message: str) -> None:
        """The firmware has paused by itself, as for want of filament: send nothing until it goes on."""
        if self.state in ACTIVE | {PrintState.PAUSING}:
            self.state, self.message, self.waits_at_printer = PrintState.PAUSED, message, True
            self._go.clear()
            self._settled.set()

    def resumed_by_firmware(self) -> None:
        """It goes on."""
        if self.waits_at_printer:
            self.state, self.message, self.waits_at_printer = PrintState.PRINTING, "", False
            self._go.set()
            self._settled.set()

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

    def _unless_cancelled(self) -> None:
        if self._cancelled:
            raise PrintEnded.because(PrintResult.CANCELLED, self._cancelled)

    def _begin_control(self) -> None:
        self.state, self.message = PrintState.CHECKING, ""
        self._cancelled = ""
        self._is_to_pause = self.waits_at_printer = False
        self._ended.clear()
        self._go.set()

    def _end_control(self) -> None:
        self.state, self.message, self.waits_at_printer = PrintState.IDLE, "", False
        self._settled.set()
        self._ended.set()

"""The Klippy host behind Moonraker: whether it is there, ready or shut down, and its G-code.

Sources: moonraker.readthedocs.io, External API, "Printer Administration" (states) and "JSON-RPC
notifications"; klipper3d.org, G-Codes ("RESTART", "FIRMWARE_RESTART", "[virtual_sdcard]",
"[pause_resume]"). RESTART does not clear an error of the micro-controller, FIRMWARE_RESTART does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from simulators.networked_gcode import Action, GcodeError, Line, Script
from simulators.networked_job import Job, PrintState, WrongState
from simulators.networked_printer import NetworkedPrinter
from simulators.printer_storage import NoSuchFile, PrinterStorage

READY: Final = "Printer is ready"
STARTING: Final = (
    "Printer is not ready\n"
    "The klippy host software is attempting to connect.  Please\n"
    "retry in a few moments.\n"
)
SHUT_DOWN: Final = (
    "Once the underlying issue is corrected, use the\n"
    '"FIRMWARE_RESTART" command to reset the firmware, reload the\n'
    "config, and restart the host software.\n"
)


class KlippyState(StrEnum):
    """What Moonraker tells of Klippy; `DISCONNECTED` is Moonraker's own word."""

    DISCONNECTED = "disconnected"
    STARTUP = "startup"
    READY = "ready"
    ERROR = "error"
    SHUTDOWN = "shutdown"


class NotConnected(Exception):
    """Klippy is not there to be asked."""


@dataclass(frozen=True, kw_only=True)
class RestartDelays:
    """How many seconds Klippy is gone in a restart, and how many it then takes to be ready."""

    gone: float = 0.5
    startup: float = 1.0


class Klippy:
    """Klipper's host software, on the machine `printer` with the files in `storage`.

    `reported` is the state of the print as `print_stats` has it. `on_event` hears "ready",
    "shutdown" and "disconnected", `on_job` each change of a print with what the history calls its
    end ("" while it goes on).
    """

    def __init__(
        self,
        printer: NetworkedPrinter,
        storage: PrinterStorage,
        delays: RestartDelays | None = None,
    ) -> None:
        self.printer, self.storage = printer, storage
        self.delays = delays or RestartDelays()
        self.state, self.message = KlippyState.READY, READY
        self.reported = "standby"
        self.idle_for = 0.0
        self.on_event: Callable[[str], None] = lambda _: None
        self.on_job: Callable[[Job, str], None] = lambda *_: None
        self._left = 0.0
        self._error = ""
        self._scripts: set[Script] = set()
        printer.on_change = self._note_change
        printer.orders = {
            "SDCARD_PRINT_FILE": self._print_file,
            "SDCARD_RESET_FILE": self._reset_file,
            "CLEAR_PAUSE": lambda _: Action(),
            "RESTART": lambda _: self._restart(firmware=False),
            "FIRMWARE_RESTART": lambda _: self._restart(firmware=True),
        }

    @property
    def connected(self) -> bool:
        """Whether Moonraker has a connection to it."""
        return self.state is not KlippyState.DISCONNECTED

    def run(self, text: str) -> Script:
        """Run G-code; the script is done when the last command has ended.

        Raises `NotConnected` when Klippy is not there, `GcodeError` when it is not ready.
        """
        if not self.connected:
            raise NotConnected("Klippy Host not connected")
        if text.strip().upper() in ("RESTART", "FIRMWARE_RESTART"):
            self.restart(firmware=text.strip().upper() == "FIRMWARE_RESTART")
            script = Script("")
            script.finish()
            return script
        if self.state is not KlippyState.READY:
            raise GcodeError(self.message)
        script = self.printer.run(text)
        self._scripts.add(script)
        script.then(self._scripts.discard)
        return script

    def emergency_stop(self) -> None:
        """Shut down at once, past every queue. Raises `NotConnected` when Klippy is not there."""
        if not self.connected:
            raise NotConnected("Klippy Host not connected")
        if not self.printer.halted:
            self.printer.emergency_stop("Shutdown due to webhooks request")
        self._look_for_shutdown()

    def restart(self, *, firmware: bool, error: str = "") -> None:
        """Start anew: gone, starting, ready. With `error` it comes back with that, and stays so.

        Without `firmware` a shutdown of the micro-controller remains, and ends in an error.
        """
        if self.printer.halted and not firmware:
            error = error or "Can not update MCU 'mcu' config as it is shutdown"
        else:
            self._lose_print()
        self._error = error
        self._left = self.delays.gone
        self.reported = "standby"
        if self.connected:
            self.state, self.message = KlippyState.DISCONNECTED, "Klippy Disconnected"
            for script in list(self._scripts):
                script.finish("Klippy Disconnected")
            self.on_event("disconnected")

    def advance(self, dt: float) -> None:
        """Let `dt` seconds pass, for the machine too."""
        self.printer.advance(dt)
        self.idle_for = 0.0 if self.printer.busy else self.idle_for + dt
        self._look_for_shutdown()
        if self.state not in (KlippyState.DISCONNECTED, KlippyState.STARTUP):
            return
        self._left -= dt
        if self._left > 0:
            return
        if self.state is KlippyState.DISCONNECTED:
            self.state, self.message = KlippyState.STARTUP, STARTING
            self._left = self.delays.startup
        elif self._error:
            self.state, self.message = KlippyState.ERROR, f"{self._error}\n{SHUT_DOWN}"
        else:
            self.state, self.message = KlippyState.READY, READY
            self.on_event("ready")

    def _look_for_shutdown(self) -> None:
        if self.printer.halted and self.state is KlippyState.READY:
            self.state = KlippyState.SHUTDOWN
            self.message = f"{self.printer.halted}\n{SHUT_DOWN}Printer is shutdown\n"
            self.on_event("shutdown")

    def _lose_print(self) -> None:
        job = self.printer.job
        self.printer.on_change = lambda _: None
        lost = job if job is not None and job.active else None
        self.printer.reset()
        self.printer.on_change = self._note_change
        if lost is not None:
            self.on_job(lost, "klippy_disconnect")

    def _note_change(self, job: Job) -> None:
        self.reported = _REPORTED.get(job.state, self.reported)
        end = _ENDS.get(job.state, "")
        if job.state is PrintState.FAILED and self.printer.halted:
            end = "klippy_shutdown"
        self.on_job(job, end)

    # Commands of the host

    def _print_file(self, line: Line) -> Action:
        name = line.options.get("FILENAME", "").lstrip("/")
        try:
            content = self.storage.find(name).content
        except NoSuchFile as error:
            raise GcodeError("Unable to open file") from error
        try:
            self.printer.start(name, content, by="api")
        except WrongState as error:
            raise GcodeError(str(error)) from error
        return Action()

    def _reset_file(self, _: Line) -> Action:
        if self.printer.active:
            raise GcodeError("SDCARD_RESET_FILE cannot be run from the sdcard")
        self.printer.dismiss()
        self.reported = "standby"
        return Action()

    def _restart(self, *, firmware: bool) -> Action:
        self.restart(firmware=firmware)
        return Action()


# A pause, a resume or a cancel that is under way leaves `print_stats` as it was.
_REPORTED: Final = {
    PrintState.STARTING: "printing",
    PrintState.PRINTING: "printing",
    PrintState.PAUSED: "paused",
    PrintState.FINISHED: "complete",
    PrintState.CANCELLED: "cancelled",
    PrintState.FAILED: "error",
}
_ENDS: Final = {
    PrintState.FINISHED: "completed",
    PrintState.CANCELLED: "cancelled",
    PrintState.FAILED: "error",
}

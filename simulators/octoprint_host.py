"""The host that OctoPrint is: connected to the printer or not, with a file selected, or printing.

Sources: docs.octoprint.org, REST API, "Connection handling", "Job operations", "Printer operations"
and "Common data model"; Events. A print is fed by the host: when the host loses the printer, the
print is over and heaters stay as they are, until the next connection resets the board.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from simulators.networked_job import Job, PrintState, WrongState
from simulators.networked_printer import NetworkedPrinter
from simulators.printer_storage import NoSuchFile, PrinterStorage

Json = dict[str, Any]
Event = Callable[[str, Json], None]
OPERATIONAL: Final = "Operational"
CONNECT_S: Final = 0.5
"""How many seconds a connection to the printer takes to be made."""

_TEXTS: Final = {
    PrintState.STARTING: "Starting",
    PrintState.PRINTING: "Printing",
    PrintState.PAUSING: "Pausing",
    PrintState.PAUSED: "Paused",
    PrintState.RESUMING: "Resuming",
    PrintState.CANCELLING: "Cancelling",
    PrintState.FINISHING: "Finishing",
}
_EVENTS: Final[Mapping[PrintState, tuple[str, ...]]] = {
    PrintState.STARTING: ("PrintStarted",),
    PrintState.PAUSED: ("PrintPaused",),
    PrintState.RESUMING: ("PrintResumed",),
    PrintState.CANCELLING: ("PrintCancelling",),
    PrintState.FINISHED: ("PrintDone",),
    PrintState.CANCELLED: ("PrintCancelled", "PrintFailed"),
    PrintState.FAILED: ("PrintFailed",),
}


class Conflict(Exception):
    """What was asked for does not fit the state; it is answered with 409."""


@dataclass
class OctoHost:
    """OctoPrint's state. `on_event` hears the events, by name and payload.

    `link` is "connected", "connecting", "closed" or "failed"; `error` is why it failed.
    `selected` is the path of the file that a start would print, "" for none. `displays` are the
    names that people gave files, by path.
    """

    printer: NetworkedPrinter
    storage: PrinterStorage
    link: str = "connected"
    error: str = ""
    selected: str = ""
    user: str = ""
    displays: dict[str, str] = field(default_factory=dict)
    on_event: Event = lambda *_: None
    _left: float = 0.0
    _said: str = ""

    def __post_init__(self) -> None:
        """Watch the prints of the machine."""
        self.printer.on_change = self._note_change
        self._said = self.text

    @property
    def operational(self) -> bool:
        """Whether the printer can be told anything."""
        return self.link == "connected"

    @property
    def text(self) -> str:
        """The state in words, as the documents list them."""
        if not self.operational:
            return {
                "connecting": "Opening serial connection",
                "closed": "Offline",
                "failed": "Offline after error",
            }[self.link]
        job = self.printer.job
        return _TEXTS.get(job.state, OPERATIONAL) if job is not None else OPERATIONAL

    def flags(self) -> dict[str, bool]:
        """Return the flags of the state. `printing` holds in all that is under way but a pause."""
        text, active = self.text, self.operational and self.printer.active
        return {
            "operational": self.operational,
            "printing": active and text != "Paused",
            "cancelling": text == "Cancelling",
            "pausing": text == "Pausing",
            "resuming": text == "Resuming",
            "finishing": text == "Finishing",
            "paused": text == "Paused",
            "ready": self.operational and not active,
            "sdReady": False,
            "error": self.link == "failed",
            "closedOrError": not self.operational,
        }

    # The connection to the printer

    def connect(self) -> None:
        """Open the port, which resets the board; nothing happens when it is open."""
        if not self.operational:
            self.link, self._left = "connecting", CONNECT_S

    def disconnect(self, error: str = "") -> None:
        """Close the port, in the middle of a print too; with `error` because of that."""
        if self.link in ("closed", "failed"):
            return
        self.link, self.error = ("failed", error) if error else ("closed", "")
        self.printer.abandon(error or "disconnected")
        if error:
            self.on_event("Error", {"error": error, "reason": "firmware"})
        self.on_event("Disconnected", {})

    def advance(self, dt: float) -> None:
        """Let `dt` seconds pass, for the machine too."""
        self.printer.advance(dt)
        if self.printer.halted and self.operational:
            self.disconnect(self.printer.halted)
        if self.link == "connecting":
            self._left -= dt
            if self._left <= 0:
                self.printer.reset()
                self.link, self.error = "connected", ""
                self.on_event("Connected", {"port": "/dev/ttyACM0", "baudrate": 115200})
        if self.text != self._said:
            self._said = self.text
            state = self._said.upper().replace(" ", "_")
            self.on_event("PrinterStateChanged", {"state_id": state, "state_string": self._said})

    # Prints: each raises `Conflict` when it does not fit

    def select(self, path: str) -> None:
        """Choose the file that a start prints."""
        self._refuse_when(self.printer.active, "Printer is already printing, cannot select")
        self.selected = path
        self.on_event("FileSelected", self.about(path))

    def deselect(self) -> None:
        """Choose no file."""
        self._refuse_when(self.printer.active or not self.selected, "No file is selected")
        self.selected = ""
        self.on_event("FileDeselected", {})

    def start(self, user: str) -> None:
        """Print the selected file."""
        self._need_operational()
        self._refuse_when(self.printer.active, "Printer already has an active print job")
        try:
            content = self.storage.find(self.selected).content
        except NoSuchFile as error:
            raise Conflict("No file is selected") from error
        self.user = user
        try:
            self.printer.start(self.selected, content, by="api" if user == "_api" else "screen")
        except WrongState as error:
            raise Conflict(str(error)) from error

    def pause(self, action: str) -> None:
        """Pause, resume, or with "toggle" whichever it is not; ValueError for another action."""
        self._need_active("pause")
        paused = self.printer.state_is(PrintState.PAUSED)
        if action not in ("pause", "resume", "toggle"):
            raise ValueError(
                f"Unknown action '{action}', allowed values for action parameter are "
                "'pause', 'resume' and 'toggle'"
            )
        if paused and action != "pause":
            self.printer.attention = ""  # a host does not know what the printer waits for
            self.printer.resume()
        elif action != "resume" and self.printer.state_is(PrintState.STARTING, PrintState.PRINTING):
            self.printer.pause()

    def cancel(self) -> None:
        """End the print."""
        self._need_active("cancel")
        if not self.printer.state_is(PrintState.CANCELLING):
            self.printer.cancel()

    def restart(self, user: str) -> None:
        """Begin the paused print again."""
        self._need_operational()
        paused = self.printer.state_is(PrintState.PAUSED)
        self._refuse_when(not paused, "Printer does not have an active print job or is not paused")
        self.printer.abandon("restarted")
        self.start(user)

    def send(self, commands: list[str]) -> None:
        """Send commands. M112 overtakes all, and OctoPrint then closes the port."""
        self._need_operational()
        if any(command.strip().upper() == "M112" for command in commands):
            self.printer.emergency_stop("M112")
            self.disconnect("Closing serial port due to emergency stop M112.")
        else:
            self.printer.run("\n".join(commands))

    def about(self, path: str) -> Json:
        """Return what events say of a file."""
        size = self.storage.find(path).size if self.storage.has(path) else None
        return {"name": path.rpartition("/")[2], "path": path, "origin": "local", "size": size}

    def _need_operational(self) -> None:
        self._refuse_when(not self.operational, "Printer is not operational")

    def _need_active(self, command: str) -> None:
        self._need_operational()
        self._refuse_when(
            not self.printer.active,
            f"Printer is neither printing nor paused, '{command}' command cannot be performed",
        )

    def _refuse_when(self, wrong: bool, why: str) -> None:
        if wrong:
            raise Conflict(why)

    def _note_change(self, job: Job) -> None:
        payload = self.about(job.name) | {"user": self.user, "time": round(job.total, 2)}
        if job.state is PrintState.CANCELLED:
            payload["reason"] = "cancelled"
        elif job.state is PrintState.FAILED:
            payload |= {"reason": "error", "error": job.message}
        for name in _EVENTS.get(job.state, ()):
            self.on_event(name, payload)

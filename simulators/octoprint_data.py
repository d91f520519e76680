"""What OctoPrint says of its printer and its job, for the REST API and for the push socket.

Source: docs.octoprint.org, REST API, "Common data model" and "Push updates" (payload of `current`
and `history`). `completion` is in percent, 0 to 100; `hash` of a file is its SHA-1, as in
OctoPrint's own storage, though the data model calls it MD5.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from simulators.networked_job import Job, PrintState
from simulators.octoprint_host import OctoHost

Json = dict[str, Any]
VERSION: Final = "1.11.2"
HISTORY: Final = 300
REPORT_S: Final = 2.0
"""How often the printer reports its temperatures, in seconds."""


class OctoData:
    """Reads the host. `temps` is the history of temperatures, `logs` the lines of the printer."""

    def __init__(self, host: OctoHost) -> None:
        self.host = host
        self.temps: deque[Json] = deque(maxlen=HISTORY)
        self.reports = 0
        self._until_report = 0.0

    def advance(self, dt: float) -> None:
        """Let time pass: note the temperatures from time to time."""
        self._until_report -= dt
        if self._until_report <= 0 and self.host.operational:
            self._until_report = REPORT_S
            self.reports += 1
            self.temps.append({"time": int(self.host.printer.clock)} | self.temperatures())

    def temperatures(self) -> dict[str, Json]:
        """Return what the heaters are and shall be, in degrees Celsius."""
        heaters = self.host.printer.board.heaters
        return {
            name: {"actual": round(heaters[own].temperature, 2), "target": heaters[own].target}
            for name, own in (("tool0", "nozzle"), ("bed", "bed"))
        }

    def state(self) -> Json:
        """Return the state with its flags."""
        return {
            "text": self.host.text,
            "flags": self.host.flags(),
            "error": self.host.error,
        }

    def job(self) -> Json:
        """Return the job: the selected file, with nothing in it when there is none."""
        path = self.host.selected
        file: Json = dict.fromkeys(("name", "path", "display", "origin", "size", "date"))
        if path and self.host.storage.has(path):
            stored = self.host.storage.find(path)
            file = {
                "name": stored.name,
                "path": path,
                "display": self.host.displays.get(path, stored.name),
                "origin": "local",
                "size": stored.size,
                "date": int(stored.modified),
            }
        nothing = dict.fromkeys(("estimatedPrintTime", "averagePrintTime", "lastPrintTime"))
        user = self.host.user if self.host.printer.active else None
        return {"file": file, "filament": None, "user": user} | nothing

    def progress(self) -> Json:
        """Return how far the print is; nothing after a cancel, all of it after an end."""
        job = self.host.printer.job
        names = ("completion", "filepos", "printTime", "printTimeLeft", "printTimeLeftOrigin")
        if job is None or job.name != self.host.selected or job.state is PrintState.CANCELLED:
            return dict.fromkeys(names)
        left = _time_left(job)
        return {
            "completion": job.progress * 100,
            "filepos": job.position,
            "printTime": int(job.printing),
            "printTimeLeft": left,
            "printTimeLeftOrigin": None if left is None else "linear",
        }

    def current(self) -> Json:
        """Return what both kinds of push messages have in common."""
        height = self.host.printer.board.head.position["Z"]
        return {
            "state": self.state(),
            "job": self.job(),
            "progress": self.progress(),
            "currentZ": round(height, 3) if self.host.printer.jobs else None,
            "offsets": {},
            "resends": {"count": 0, "transmitted": 0, "ratio": 0},
            "busyFiles": [{"origin": "local", "path": self.host.selected}]
            if self.host.printer.active
            else [],
        }


def _time_left(job: Job) -> int | None:
    """A guess from the part that is done, once there is enough of it."""
    if not job.active:
        return 0 if job.state is PrintState.FINISHED else None
    if job.progress < 0.01:
        return None
    return int(job.printing / job.progress * (1 - job.progress))

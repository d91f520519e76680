"""What PrusaLink says of a printer: its states, its job, its files by short and long names.

Sources: Prusa-Link-Web, spec/openapi.yaml (schemas Version, Info, StatusPrinter, StatusJob, Job,
PrintFileInfo, FolderInfo); Prusa-Firmware-Buddy, src/state/printer_state.cpp (which states there
are, and when there is a job), lib/WUI/nhttp/status_renderer.cpp and
lib/WUI/link_content/basic_gets.cpp.
"""

from __future__ import annotations

import re
from typing import Any, Final

from simulators.networked_board import MIN_EXTRUDE
from simulators.networked_job import Job, PrintState
from simulators.networked_printer import NetworkedPrinter
from simulators.printer_storage import NoSuchFile, PrinterStorage, StoredFile

Json = dict[str, Any]
MOUNT: Final = "/usb"
PRINTABLE: Final = (".gcode", ".gco", ".gc", ".g", ".bgcode", ".bgc")
FIRST_JOB: Final = 100

_STATES: Final = {
    PrintState.STARTING: "PRINTING",
    PrintState.PRINTING: "PRINTING",
    PrintState.PAUSING: "PAUSED",
    PrintState.PAUSED: "PAUSED",
    PrintState.RESUMING: "PAUSED",
    PrintState.CANCELLING: "PRINTING",
    PrintState.FINISHING: "PRINTING",
    PrintState.FINISHED: "FINISHED",
    PrintState.CANCELLED: "STOPPED",
    PrintState.FAILED: "ERROR",
}


class PrusaState:
    """The printer in PrusaLink's words. `ready` is what a person has set at the screen."""

    def __init__(self, printer: NetworkedPrinter, storage: PrinterStorage) -> None:
        self.printer, self.storage = printer, storage
        self.ready = False
        self.transfer: Json | None = None

    @property
    def word(self) -> str:
        """The state: IDLE, BUSY, PRINTING, PAUSED, FINISHED, STOPPED, ERROR, ATTENTION or READY."""
        job = self.printer.job
        if self.printer.halted:
            return "ERROR"
        if self.printer.attention:
            return "ATTENTION"
        if job is not None and job.active:
            return _STATES[job.state]
        if self.ready:
            return "READY"
        if self.printer.busy:
            return "BUSY"
        return "IDLE" if job is None else _STATES[job.state]

    @property
    def has_job(self) -> bool:
        """Whether there is a job to speak of: not once it has ended, however it is still shown."""
        return self.printer.active and self.word in ("PRINTING", "PAUSED", "ATTENTION")

    @property
    def may_print(self) -> bool:
        """Whether a print may be started from the network."""
        return self.word in ("IDLE", "READY", "STOPPED", "FINISHED")

    def job_number(self) -> int:
        """The id of the job, or of the last one."""
        return FIRST_JOB + len(self.printer.jobs)

    def version(self) -> Json:
        """GET /api/version."""
        return {
            "api": "2.0.0",
            "version": "2.1.2",
            "printer": "6.0.0",
            "text": "PrusaLink",
            "firmware": "6.0.0+14794",
            "server": "2.1.2",
            "nozzle_diameter": 0.4,
            "hostname": "prusa-on-the-bench",
            "capabilities": {"upload-by-put": True},
        }

    def info(self) -> Json:
        """GET /api/v1/info."""
        return {
            "nozzle_diameter": 0.4,
            "mmu": False,
            "serial": "10589-3742441632049",
            "hostname": "prusa-on-the-bench",
            "min_extrusion_temp": int(MIN_EXTRUDE),
        }

    def status(self) -> Json:
        """GET /api/v1/status: job and transfer only while there is one."""
        storage = {"path": f"{MOUNT}/", "name": "usb", "read_only": False}
        status: Json = {"storage": storage, "printer": self._printer()}
        if self.has_job and self.printer.job is not None:
            status["job"] = self._progress(self.printer.job)
        if self.transfer is not None:
            names = ("id", "time_transferring", "progress", "transferred")
            status["transfer"] = {name: self.transfer[name] for name in names}
        return status

    def job(self) -> Json | None:
        """GET /api/v1/job; None when there is none."""
        job = self.printer.job
        if job is None or not self.has_job:
            return None
        state = "PAUSED" if self.word == "ATTENTION" else self.word
        return self._progress(job) | {"state": state, "file": self._file_of(job)}

    def storages(self) -> Json:
        """GET /api/v1/storage."""
        usb = {"path": f"{MOUNT}/", "name": "usb", "type": "USB", "read_only": False}
        free = {"free_space": self.storage.free, "total_space": self.storage.capacity}
        return {"storage_list": [usb | free | {"available": True}]}

    def find(self, path: str) -> StoredFile:
        """Return a file by its long or its short name. Raises `NoSuchFile`."""
        for file in self.storage.all():
            if path in (file.path, self._short_path(file)):
                return file
        raise NoSuchFile(f"there is no file {path!r}")

    def being_printed(self, file: StoredFile) -> bool:
        """Whether the print at hand is of this file."""
        return self.printer.active and self.printer.job is not None and (
            self.printer.job.name == file.path
        )  # fmt: skip

    def describe(self, file: StoredFile) -> Json:
        """GET of a file: type, size and both names."""
        return {
            "name": short_name(file.name),
            "display_name": file.name,
            "read_only": False,
            "ro": False,
            "type": "PRINT_FILE" if file.name.lower().endswith(PRINTABLE) else "FILE",
            "m_timestamp": int(file.modified),
            "size": file.size,
            "refs": {"download": f"{MOUNT}/{self._short_path(file)}"},
        }

    def folder(self, path: str) -> Json | None:
        """GET of a folder and its children; None when nothing is in it, but for the root."""
        inside = f"{path}/" if path else ""
        children: dict[str, Json] = {}
        for file in self.storage.all():
            if file.path.startswith(inside):
                name, deeper, _ = file.path[len(inside) :].partition("/")
                folder = {"name": name, "display_name": name, "read_only": False, "type": "FOLDER",
                          "m_timestamp": int(file.modified)}  # fmt: skip
                children[name] = folder if deeper else self.describe(file)
        if path and not children:
            return None
        return {"type": "FOLDER", "read_only": False, "name": path.rpartition("/")[2] or "usb",
                "m_timestamp": 0, "children": list(children.values())}  # fmt: skip

    def _printer(self) -> Json:
        board = self.printer.board
        nozzle, bed, at = board.heaters["nozzle"], board.heaters["bed"], board.head.position
        status = {
            "state": self.word,
            "temp_bed": round(bed.temperature, 1),
            "target_bed": round(bed.target, 1),
            "temp_nozzle": round(nozzle.temperature, 1),
            "target_nozzle": round(nozzle.target, 1),
            "axis_z": round(at["Z"], 1),
            "flow": round(board.head.extrude_factor * 100),
            "speed": round(board.head.speed_factor * 100),
            "fan_hotend": 6000 if nozzle.temperature > 50 else 0,
            "fan_print": round(board.fan * 5000),
        }
        if not self.printer.active:  # while it prints, X and Y are not told
            status |= {"axis_x": round(at["X"], 1), "axis_y": round(at["Y"], 1)}
        return status

    def _progress(self, job: Job) -> Json:
        shown = self.printer.board.shown
        percent = job.progress * 100 if shown.percent is None else shown.percent
        progress = {
            "id": self.job_number(),
            "progress": round(percent, 2),
            "time_printing": int(job.printing),
        }
        if shown.minutes_left is not None:  # what M73 R in the file says; else it is not known
            progress["time_remaining"] = int(shown.minutes_left * 60)
        return progress

    def _file_of(self, job: Job) -> Json:
        name, folder = job.name.rpartition("/")[2], job.name.rpartition("/")[0]
        return {
            "name": short_name(name),
            "display_name": name,
            "path": f"{MOUNT}/{folder}".rstrip("/"),
            "size": job.size,
            "m_timestamp": int(job.started),
            "refs": {"download": f"{MOUNT}/{folder}/{short_name(name)}".replace("//", "/")},
        }

    def _short_path(self, file: StoredFile) -> str:
        return f"{file.path[: -len(file.name)]}{short_name(file.name)}"


def short_name(name: str) -> str:
    """Return the 8.3 name that a FAT file system gives a file.

    Real ones count up where two names would be equal; here a sum over the name takes that place.
    """
    stem, _, extension = name.upper().rpartition(".")
    plain = re.sub(r"[^A-Z0-9_-]", "_", stem)
    if name == name.upper() and plain == stem and len(stem) <= 8 and len(extension) <= 3:
        return name
    return f"{plain[:4]}{sum(name.encode()) % 100:02d}~1.{extension[:3]}"

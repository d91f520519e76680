"""What Klipper's objects and Moonraker's history say of a printer and its print, by tables.

Sources: Klipper, Status Reference (print_stats, virtual_sdcard, display_status, gcode_move, toolhead,
heater); Moonraker, External API, "Introduction" (Basic Print Status) and "Job History" (Job Status).
`print_stats.state` is what a print does; `idle_timeout.state` says "Printing" of all that moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from drivers.errors import DeviceError
from drivers.protocol.host_api import Look
from drivers.protocol.moonraker_files import shown_name
from drivers.protocol.moonraker_objects import (
    HEATERS,
    Job,
    Objects,
    fields_of,
    number,
    numbers,
    text,
    whole,
)
from drivers.protocol.moonraker_socket import NOTHING, short
from drivers.protocol.printing import (
    Heaters,
    PrinterStatus,
    PrintReport,
    PrintResult,
    PrintState,
)

STATES: Final[Mapping[str, PrintState]] = {
    "standby": PrintState.IDLE,
    "printing": PrintState.PRINTING,
    "paused": PrintState.PAUSED,
    "complete": PrintState.IDLE,
    "cancelled": PrintState.IDLE,
    "error": PrintState.IDLE,  # the print has ended, and the next may begin
}
"""`print_stats.state`."""

ENDS: Final[Mapping[str, PrintResult | None]] = {
    "in_progress": None,
    "completed": PrintResult.DONE,
    "cancelled": PrintResult.CANCELLED,
    "error": PrintResult.FAILED,
    "klippy_shutdown": PrintResult.FAILED,
    "klippy_disconnect": PrintResult.INTERRUPTED,
    "interrupted": PrintResult.INTERRUPTED,
    "server_exit": PrintResult.INTERRUPTED,
}
"""The status of a job in the history; `server_exit` is in moonraker/components/history.py alone."""

REASONS: Final[Mapping[str, str]] = {
    "error": "the printer gave it up",
    "klippy_shutdown": "Klipper has shut down",
    "klippy_disconnect": "Moonraker has lost Klipper",
    "interrupted": "Moonraker was cut off",
    "server_exit": "Moonraker was ended",
}
"""What is said of an end for which Klipper gives no reason of its own."""

LEFT_ALONE: Final = frozenset({"interrupted", "server_exit"})
"""Ends that are those of Moonraker: the print may go on without it, and be there when it is back."""

ROUNDED_S: Final = 0.1
"""How far apart two times of the same moment may be."""

ENDED_ALONE: Final[Mapping[str, PrintResult]] = {
    "complete": PrintResult.DONE,
    "cancelled": PrintResult.CANCELLED,
    "error": PrintResult.FAILED,
}
"""How such a print has ended in the meantime: `print_stats.state`."""


@dataclass(frozen=True, kw_only=True)
class KlipperStatus(PrinterStatus):
    """A look at a printer that may have more heaters. `others` are their targets in °C."""

    others: tuple[float, ...] = ()

    @property
    def heaters(self) -> Heaters:
        """Whether any target is above 0, of all heaters that Klipper has."""
        return Heaters.ON if any(self.others) else super().heaters


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """What is asked for once: Klipper's version, and how many seconds the slicer reckons for a file."""

    firmware: str | None = None
    estimate: float | None = None


def look_at(objects: Objects, job: Job | None, about: About) -> Look:
    """The look that these make. Raises BadReply, and DeviceError for a state that is in no table."""
    stats = objects.get("print_stats")
    if not stats:
        raise DeviceError(
            "Klipper prints no files: add [virtual_sdcard] to its printer.cfg, then restart Klipper"
        )
    state = _state(text(stats, "state"))
    id_, ended = _identified(state, stats, job)
    message = short(text(objects.get("display_status", NOTHING), "message"))
    report = PrintReport(
        state=state,
        file=shown_name(text(stats, "filename")),
        message=message,
        **(_progress(objects, stats, about) if state is not PrintState.IDLE else {}),
    )
    reason = _reason(stats, job) if id_ and ended is not PrintResult.DONE else ""
    return Look(status=_status(objects, about, report), job=id_, ended=ended, reason=reason)


def _state(told: str) -> PrintState:
    if told not in STATES:
        raise DeviceError(
            f"Klipper says of the print that it is {short(told)!r}: nobody knows that"
        )
    return STATES[told]


def _identified(
    state: PrintState, stats: Mapping[str, Any], job: Job | None
) -> tuple[str, PrintResult | None]:
    """The id of the print under way, or of the last one, and how it ended.

    The history hears of a print a little later than the print begins, so that its newest job may be
    the one before: a print under way has the id of a job that is in progress, and of no other.
    """
    if job is None:
        return "", None
    if job.status not in ENDS:
        raise DeviceError(f"Moonraker says of job {job.id} that it is {short(job.status)!r}")
    if _goes_on_alone(stats, job):
        return job.id, ENDED_ALONE.get(text(stats, "state"))
    if state is PrintState.IDLE:
        return job.id, ENDS[job.status]
    is_it = job.status == "in_progress" and job.file == text(stats, "filename")
    return (job.id, None) if is_it else ("", None)


def _goes_on_alone(stats: Mapping[str, Any], job: Job) -> bool:
    """Whether Klipper has printed on what Moonraker has given up, being started anew itself.

    Klipper's time of a print grows from its beginning: a shorter one, by more than the numbers are
    rounded, is that of another print.
    """
    is_same = text(stats, "filename") == job.file
    lasted = number(stats, "total_duration") or 0.0
    return job.status in LEFT_ALONE and is_same and lasted > max(0.0, job.duration - ROUNDED_S)


def _reason(stats: Mapping[str, Any], job: Job | None) -> str:
    """Why the last print ended so; Klipper keeps its own words for it until the next one begins."""
    if job is None:
        return ""
    own = text(stats, "message") if text(stats, "filename") == job.file else ""
    return short(own) or REASONS.get(job.status, "")


def _progress(objects: Objects, stats: Mapping[str, Any], about: About) -> dict[str, Any]:
    """What holds only while a print is under way: afterwards Klipper goes on telling the last values."""
    done = number(objects.get("virtual_sdcard", NOTHING), "progress")
    printing = number(stats, "print_duration") or 0.0
    info = fields_of(stats.get("info") or NOTHING, "info")
    return {
        "sent": None if done is None else 100.0 * done,
        "time_progress": _time_progress(objects, done, printing, about.estimate),
        "elapsed": number(stats, "total_duration"),
        "left": _left(done, printing, about.estimate),
        "layer": whole(info, "current_layer"),
        "layers": whole(info, "total_layer"),
    }


def _time_progress(
    objects: Objects, done: float | None, printing: float, estimate: float | None
) -> float | None:
    """By the slicer's M73, which `display_status` shows in place of the file's progress; else reckoned."""
    shown = number(objects.get("display_status", NOTHING), "progress")
    if shown is not None and shown != done:
        return 100.0 * shown
    if estimate is None or printing > estimate:
        return None
    return 100.0 * printing / estimate


def _left(done: float | None, printing: float, estimate: float | None) -> float | None:
    """By the slicer's estimate while that holds, then by how long the file took so far."""
    if estimate is not None and printing <= estimate:
        return estimate - printing
    return printing / done - printing if done and printing else None


def _status(objects: Objects, about: About, report: PrintReport) -> KlipperStatus:
    nozzle, bed = (objects.get(name, NOTHING) for name in HEATERS)
    x, y, z = _place(objects)
    others = [number(fields, "target") for name, fields in objects.items() if name not in HEATERS]
    return KlipperStatus(
        nozzle=number(nozzle, "temperature"),
        nozzle_target=number(nozzle, "target"),
        bed=number(bed, "temperature"),
        bed_target=number(bed, "target"),
        x=x,
        y=y,
        z=z,
        firmware=about.firmware,
        print=report,
        others=tuple(target for target in others if target is not None),
    )


def _place(objects: Objects) -> tuple[float | None, ...]:
    """The place in the numbers of the G-code, as M114 says it; None along an axis that is not homed."""
    homed = text(objects.get("toolhead", NOTHING), "homed_axes")
    place = numbers(objects.get("gcode_move", NOTHING), "gcode_position")
    if len(place) < len("xyz"):
        return None, None, None
    return tuple(at if axis in homed else None for axis, at in zip("xyz", place, strict=False))

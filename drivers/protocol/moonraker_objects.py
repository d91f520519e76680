"""What Moonraker has told of Klipper's printer objects and of its own history, kept up by what it tells.

Sources: Moonraker, External API, "Printer Administration" (Subscribe to printer object status
updates), "JSON-RPC notifications" (Subscription Updates; Klippy Ready, Shutdown and Disconnected; Job
History Changed) and "Job History"; Klipper, Status Reference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from drivers.errors import BadReply
from drivers.protocol.moonraker_socket import short

Objects = Mapping[str, Mapping[str, Any]]

FIELDS: Final[Mapping[str, list[str]]] = {
    "print_stats": [
        "state", "filename", "message", "total_duration", "print_duration", "info",
    ],
    "virtual_sdcard": ["progress"],
    "display_status": ["progress", "message"],
    "gcode_move": ["gcode_position"],
    "toolhead": ["homed_axes"],
    "idle_timeout": ["state"],
}  # fmt: skip
"""What is subscribed to of each object, beside the heaters."""

HEATERS: Final = ("extruder", "heater_bed")
"""Klipper's names of the nozzle and the bed."""

LOST: Final = frozenset({"ready", "shutdown", "disconnected"})
"""What is told of Klippy, after each of which nothing told before holds any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """An entry of the history. `status` is its own word; `duration` is in seconds, pauses included."""

    id: str
    file: str
    status: str
    duration: float


class Mirror:
    """The printer objects as they are now, and the newest job of the history.

    `objects` is None until Klipper has told them whole, and again from the moment on that it is
    heard to be gone, shut down or started anew: what was told before is not shown as new.
    """

    def __init__(self) -> None:
        self.job: Job | None = None
        self._objects: dict[str, dict[str, Any]] | None = None

    @property
    def objects(self) -> Objects | None:
        """By name of the object, by name of the field; None when they aren't known."""
        return self._objects

    def forget(self) -> None:
        """Know nothing of Klipper; the history is Moonraker's own, and stays."""
        self._objects = None

    def take_all(self, result: Any) -> None:
        """Take the reply to a subscription, which tells everything. Raises BadReply."""
        status = fields_of(fields_of(result, "the reply").get("status"), "status")
        self._objects = {name: dict(fields_of(it, name)) for name, it in status.items()}

    def take(self, result: Any) -> None:
        """Take what was asked for of some objects, where the others are known. Raises BadReply."""
        status = fields_of(fields_of(result, "the reply").get("status"), "status")
        self._merge(status)

    def take_jobs(self, result: Any) -> None:
        """Take the reply to `server.history.list`, the newest job first. Raises BadReply."""
        jobs = fields_of(result, "the history").get("jobs")
        if not isinstance(jobs, list):
            raise BadReply("the history has no list of jobs")
        self.job = _job(jobs[0]) if jobs else None

    def notified(self, name: str, params: list[Any]) -> None:
        """Take a notification. Those that are not about the print are ignored. Raises BadReply."""
        if name == "notify_status_update":
            self._merge(fields_of(params[0] if params else None, "a status update"))
        elif name == "notify_history_changed":
            self._take_job(params)
        elif name.removeprefix("notify_klippy_") in LOST:
            self.forget()

    def _merge(self, status: Mapping[str, Any]) -> None:
        if self._objects is None:
            return  # a change of what isn't known
        for name, fields in status.items():
            self._objects.setdefault(name, {}).update(fields_of(fields, name))

    def _take_job(self, params: list[Any]) -> None:
        change = fields_of(params[0] if params else None, "a change of the history")
        job = _job(change.get("job"))
        is_newest = self.job is None or change.get("action") == "added"
        if is_newest or (self.job is not None and self.job.id == job.id):
            self.job = job


def fields_of(value: Any, what: str) -> Mapping[str, Any]:
    """What was told under `what`, which has to have fields. Raises BadReply."""
    if not isinstance(value, Mapping):
        raise BadReply(f"{short(what)} is {short(repr(value))}, which has no fields")
    return value


def number(fields: Mapping[str, Any], name: str) -> float | None:
    """A number that was told, None where none was. Raises BadReply for anything else."""
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadReply(f"{name} is {short(repr(value))}, which is no number")
    return float(value)


def whole(fields: Mapping[str, Any], name: str) -> int | None:
    """A whole number that was told, None where none was. Raises BadReply for anything else."""
    value = number(fields, name)
    if value is not None and value != int(value):
        raise BadReply(f"{name} is {value:g}, which is no whole number")
    return None if value is None else int(value)


def text(fields: Mapping[str, Any], name: str) -> str:
    """A text that was told, "" where none was. Raises BadReply for anything else."""
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadReply(f"{name} is {short(repr(value))}, which is no text")
    return value


def numbers(fields: Mapping[str, Any], name: str) -> list[float]:
    """Numbers that were told, empty where none were. Raises BadReply for anything else."""
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadReply(f"{name} is {short(repr(value))}, which is no list")
    found = [number({name: item}, name) for item in value]
    told = [item for item in found if item is not None]
    if len(told) < len(value):
        raise BadReply(f"{name} is {short(repr(value))}, which lacks numbers")
    return told


def _job(entry: Any) -> Job:
    fields = fields_of(entry, "a job of the history")
    job = Job(
        id=text(fields, "job_id"),
        file=text(fields, "filename"),
        status=text(fields, "status"),
        duration=number(fields, "total_duration") or 0.0,
    )
    if not job.id:
        raise BadReply("a job of the history has no id")
    return job

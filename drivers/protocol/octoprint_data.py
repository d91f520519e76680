"""What OctoPrint's answers say: its states by a table, temperatures, the job, a file's prints.

Sources: docs.octoprint.org, REST API, "Common data model" (`api/datamodel.rst`), "Printer operations"
(`api/printer.rst`), "Job operations" (`api/job.rst`) and "File operations" (`api/files.rst`). Which
flags are true together is not written there; it is so in OctoPrint 1.9: of the states from `Starting` to
`Finishing`, `printing` is true in all but `Paused`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from drivers.errors import BadReply, DeviceError
from drivers.protocol.printing import PrintState

MOST_TEXT: Final = 200
"""Characters of a host's text that go into a message."""

STATES: Final[Mapping[frozenset[str], PrintState]] = {
    frozenset({"operational", "ready"}): PrintState.IDLE,
    frozenset({"operational"}): PrintState.BUSY,  # it sends a file to the printer's card
    frozenset({"operational", "printing"}): PrintState.PRINTING,
    frozenset({"operational", "printing", "pausing"}): PrintState.PAUSING,
    frozenset({"operational", "paused"}): PrintState.PAUSED,
    frozenset({"operational", "printing", "resuming"}): PrintState.RESUMING,
    frozenset({"operational", "printing", "cancelling"}): PrintState.CANCELLING,
    frozenset({"operational", "printing", "finishing"}): PrintState.FINISHING,
}
"""The flags that are true, but for `sdReady`; `ready` tells something only where nothing is printed."""

TEXTS: Final[Mapping[str, PrintState]] = {
    "Starting": PrintState.STARTING,
    "Starting print from SD": PrintState.STARTING,
    "Starting to send file to SD": PrintState.BUSY,
    "Sending file to SD": PrintState.BUSY,
    "Transferring file to SD": PrintState.BUSY,
}
"""What the flags call printing, and the text tells more exactly."""

Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Heat:
    """One heater, in °C; a target of None is not known to OctoPrint."""

    actual: float | None
    target: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What GET /api/printer says: the state, and the heaters by name (`tool0`, `bed`, `chamber`)."""

    text: str
    flags: frozenset[str]
    state: PrintState
    error: str
    heats: Mapping[str, Heat]

    @property
    def tools(self) -> list[int]:
        """Numbers of the nozzles, in order."""
        return sorted(int(found[1]) for name in self.heats if (found := _TOOL.fullmatch(name)))

    @property
    def targets(self) -> tuple[float | None, ...]:
        """What all heaters are set to. What has another name and no target is a mere sensor."""
        return tuple(
            heat.target
            for name, heat in self.heats.items()
            if heat.target is not None or name in {"bed", "chamber"} or _TOOL.fullmatch(name)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """The selected file, and how much of it is printed: %, and seconds without pauses."""

    origin: str = ""
    path: str = ""
    name: str = ""
    date: str = ""
    completion: float | None = None
    elapsed: float | None = None
    left: float | None = None

    @property
    def file(self) -> str:
        """The file as it was uploaded: a later upload to the same place is another one."""
        return f"{self.origin}:{self.path}@{self.date}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A file that OctoPrint keeps, and how many prints of it have ended.

    `succeeded` is whether the last of them did; None where there was none, or it is not told.
    """

    path: str
    date: str
    size: int | None
    sha1: str
    ended: int
    succeeded: bool | None


def machine(told: Any) -> Machine:
    """Read the answer to GET /api/printer.

    Raises:
        DeviceError: The printer is in trouble, or its state is in no table.
        BadReply: It is no such answer.
    """
    answer = record(told, "the state of the printer")
    state = record(answer.get("state"), "state")
    flags = record(state.get("flags"), "state.flags")
    true = frozenset(name for name, value in flags.items() if value is True and name != "sdReady")
    text = words(state.get("text"))
    return Machine(
        text=text,
        flags=true,
        state=_state(true, text),
        error=words(state.get("error")),
        heats={
            words(name): Heat(actual=number(heat.get("actual")), target=number(heat.get("target")))
            for name, heat in record(answer.get("temperature", {}), "temperature").items()
            if isinstance(heat, Mapping)
        },
    )


def job(told: Any) -> Job:
    """Read the answer to GET /api/job. Raises BadReply."""
    answer = record(told, "the job")
    file = record(record(answer.get("job"), "job").get("file") or {}, "job.file")
    progress = record(answer.get("progress") or {}, "progress")
    return Job(
        origin=words(file.get("origin")),
        path=path(file.get("path")),
        name=words(file.get("display") or file.get("name")),
        date=words(file.get("date")),
        completion=number(progress.get("completion")),
        elapsed=number(progress.get("printTime")),
        left=number(progress.get("printTimeLeft")),
    )


def kept(told: Any) -> Kept:
    """Read the answer to GET /api/files/local/… Raises BadReply.

    OctoPrint calls the prints of a file `prints`; its documents call them `print`.
    """
    file = record(told, "the file")
    prints = record(file.get("prints") or file.get("print") or {}, "prints")
    last = record(prints.get("last") or {}, "prints.last").get("success")
    return Kept(
        path=path(file.get("path")),
        date=words(file.get("date")),
        size=_count(file["size"], "size") if file.get("size") is not None else None,
        sha1=words(file.get("hash")).lower(),
        ended=_count(prints.get("success", 0), "prints.success")
        + _count(prints.get("failure", 0), "prints.failure"),
        succeeded=last if isinstance(last, bool) else None,
    )


def record(told: Any, what: str) -> Json:
    """A JSON object. Raises BadReply for anything else."""
    if not isinstance(told, Mapping):
        raise BadReply(f"OctoPrint: {what} should be an object, not {words(told)!r}")
    return told


def number(told: Any) -> float | None:
    """A finite number; None for whatever is none."""
    if isinstance(told, bool) or not isinstance(told, (int, float)):
        return None
    try:
        value = float(told)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def words(told: Any) -> str:
    """A text of one line, of what can be printed, and of bounded length; "" for None."""
    if told is None:
        return ""
    text = str(told)[: 2 * MOST_TEXT]
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(plain.split())[:MOST_TEXT]


def path(told: Any) -> str:
    """Where a file is, as it must be said again; "" for none. Raises BadReply."""
    if told is None:
        return ""
    if not isinstance(told, str) or len(told) > MOST_PATH or not told.isprintable():
        raise BadReply(f"OctoPrint: this is no path of a file: {words(told)!r}")
    return told


MOST_PATH: Final = 4096
_TOOL: Final = re.compile(r"tool(\d{1,3})")


def _state(flags: frozenset[str], text: str) -> PrintState:
    state = STATES.get(flags) or STATES.get(flags - {"ready"})
    if flags & {"error", "closedOrError"}:
        raise DeviceError(f"OctoPrint reports an error: {text or 'it does not say which'}")
    if state is None:
        told = ", ".join(sorted(map(words, flags))) or "no flag"
        raise DeviceError(f"OctoPrint is in a state that nobody knows: {text!r} ({told})")
    return TEXTS.get(text, state) if state is PrintState.PRINTING else state


def _count(told: Any, what: str) -> int:
    if isinstance(told, bool) or not isinstance(told, int) or told < 0:
        raise BadReply(f"OctoPrint: {what} should be a number of 0 and more, not {words(told)!r}")
    return told

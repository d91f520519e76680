"""What PrusaLink answers, taken apart: its states, its numbers, its refusals.

Source: openapi.yaml 1.0.0-draft of PrusaLink Web, schemas StatusPrinter, StatusJob, Job, Storage,
Version and Error. Beyond it, as the firmware of MK4, XL and MINI does: after its end a print has no
job any more, so that the state alone says how it ended (`has_job` of src/state/printer_state.cpp);
and a refusal is text or JSON, by the header Accept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from drivers.errors import BadReply, DeviceError, LinkError
from drivers.protocol.printing import PrinterStatus, PrintReport, PrintResult, PrintState
from drivers.transport.message import Answer

LONGEST: Final = 200
"""Characters of a printer's words that are handed on."""
MOST: Final = 1e15
"""No temperature, time or size is beyond; infinity and what is no number are."""

STATES: Final[Mapping[str, PrintState]] = {
    "IDLE": PrintState.IDLE,
    "READY": PrintState.IDLE,  # somebody has said that the sheet is clear
    "FINISHED": PrintState.IDLE,
    "STOPPED": PrintState.IDLE,
    "BUSY": PrintState.BUSY,
    "PRINTING": PrintState.PRINTING,  # also while it stops, and during its last moves
    "PAUSED": PrintState.PAUSED,  # also while it parks, and while it goes back
    "ATTENTION": PrintState.ATTENTION,
    "ERROR": PrintState.ERROR,
}
ENDS: Final[Mapping[str, PrintResult]] = {
    "FINISHED": PrintResult.DONE,
    "STOPPED": PrintResult.CANCELLED,
    "ERROR": PrintResult.FAILED,
}
"""States that say how the last print ended."""
AT_LEISURE: Final = frozenset({"IDLE", "READY", *ENDS})
"""States in which nothing is being printed, whatever was before."""

WAITS: Final = "it waits for somebody at its display"
TROUBLE: Final = "it reports an error: see its display"


class Job(NamedTuple):
    """A job: its id, "" for none, and the name of its file, "" where it has none."""

    id: str = ""
    file: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One answer of `/api/v1/status`.

    Attributes:
        state: The printer's own word.
        job: Id of the job under way, "" for none.
        status: The same in the words of all printers, but for the file's name and the owner.
    """

    state: str
    job: str
    status: PrinterStatus


class Storage(NamedTuple):
    """A place for files: its first part of a path, and the bytes that are free, None if not told."""

    path: str
    free: int | None


def told(answer: Answer, firmware: str | None) -> Told:
    """Take a status apart. Raises LinkError, DeviceError, BadReply."""
    said = _object(found(answer, "tell its status"), "status")
    printer, job = _object(said.get("printer"), "printer"), _object(said.get("job", {}), "job")
    health = _object(printer.get("status_printer", {}), "status_printer")
    message = "" if health.get("ok", True) is True else short(health.get("message", ""))
    if health.get("ok") is False:
        raise DeviceError(
            f"PrusaLink answers, but can't use its printer: {message or 'it does not say why'}. "
            "See to the printer, its cable and its display"
        )
    state = short(printer.get("state", ""))
    if state not in STATES:
        raise DeviceError(f"the printer says that its state is {state!r}, which nobody knows")
    return Told(
        state=state,
        job=_id(job),
        status=PrinterStatus(
            nozzle=_number(printer, "temp_nozzle"),
            nozzle_target=_number(printer, "target_nozzle"),
            bed=_number(printer, "temp_bed"),
            bed_target=_number(printer, "target_bed"),
            x=_number(printer, "axis_x"),
            y=_number(printer, "axis_y"),
            z=_number(printer, "axis_z"),
            firmware=firmware,
            print=_report(state, job),
        ),
    )


def _report(state: str, job: Mapping[str, Any]) -> PrintReport:
    elapsed, left = _number(job, "time_printing"), _number(job, "time_remaining")
    whole = (elapsed or 0.0) + (left or 0.0)
    shown, message = STATES[state], ""
    if state == "ATTENTION":  # with a job it is a print that the printer has paused
        shown, message = (PrintState.PAUSED if job else shown), WAITS
    if state == "ERROR":
        message = TROUBLE
    return PrintReport(
        state=shown,
        sent=_number(job, "progress"),
        time_progress=None
        if elapsed is None or left is None or not whole
        else 100 * elapsed / whole,
        elapsed=elapsed,
        left=left,
        message=message,
    )


def job(answer: Answer) -> Job:
    """Take an answer of `/api/v1/job` apart; 204 is no job. Raises LinkError, DeviceError, BadReply."""
    if answer.status == 204:
        return Job()
    said = _object(found(answer, "tell its job"), "job")
    file = _object(said.get("file", {}), "file")
    return Job(_id(said), short(file.get("display_name") or file.get("name") or ""))


def storage(answer: Answer) -> Storage:
    """The first place that takes files. Raises DeviceError where there is none."""
    listed = _object(found(answer, "tell where files go"), "storage").get("storage_list", [])
    for entry in listed if isinstance(listed, list) else []:
        place = _object(entry, "storage_list")
        path = place.get("path")
        is_open = place.get("available") is True and place.get("read_only", False) is False
        if is_open and isinstance(path, str) and path.strip("/"):
            free = _number(place, "free_space")
            return Storage(path.strip("/"), None if free is None else int(free))
    raise DeviceError("the printer has nowhere to put a file: is a USB drive or an SD card in it?")


def size(answer: Answer) -> int | None:
    """Bytes of a file that the printer has; None where it does not tell. Raises as `found`."""
    bytes_ = _number(_object(found(answer, "tell of the file"), "file"), "size")
    return None if bytes_ is None else int(bytes_)


def found(answer: Answer, what: str) -> Any:
    """What was asked for, as JSON. Raises as `accepted`, and BadReply."""
    accepted(answer, what, busy=LinkError)
    return answer.json()


def accepted(answer: Answer, what: str, busy: type[LinkError | DeviceError] = DeviceError) -> None:
    """Raise DeviceError where the printer refused; what was asked is in `what`, as a verb.

    `busy` is what it is called when it can't answer at all (5xx): of a question that says nothing
    of the print.
    """
    if answer.ok:
        return
    kind = busy if answer.status >= 500 else DeviceError
    words = _words(answer) or "it does not say why"
    raise kind(f"the printer does not {what}: {words} ({answer.status})")


def short(text: object) -> str:
    """A printer's words on one line, without what can't be printed, and not too long."""
    line = " ".join(str(text).split())
    return "".join(sign for sign in line if sign.isprintable())[:LONGEST]


def _words(answer: Answer) -> str:
    """Why it refused: title and text of JSON, or the text itself."""
    try:
        said = answer.json()
    except BadReply:
        return short(answer.text)
    if not isinstance(said, dict):
        return short(answer.text)
    return short(": ".join(str(said[key]) for key in ("title", "text", "message") if said.get(key)))


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadReply(f"PrusaLink's {what} is {short(value)!r}, which is no JSON object")
    return value


def _number(holder: Mapping[str, Any], name: str) -> float | None:
    value = holder.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < MOST:
        raise BadReply(f"PrusaLink's {name} is {short(value)!r}, which is no number")
    return float(value)


def _id(job: Mapping[str, Any]) -> str:
    number = job.get("id")
    if number is None:
        return ""
    if isinstance(number, bool) or not isinstance(number, int) or not abs(number) < MOST:
        raise BadReply(f"PrusaLink's job has the id {short(number)!r}, which is no whole number")
    return str(number)

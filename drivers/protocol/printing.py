"""What every printer says and does, whatever it is reached by: the same words for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol, TypeVar

from drivers.errors import DeviceError, DriverError, NotMeasured, RequestError
from drivers.forms import TextFile
from drivers.survey import Profile, Survey, refusals
from drivers.wire import Ref, Wire

T = TypeVar("T")
MOST_REASONS: Final = 5
"""Reasons that a refusal names; there may be as many as the file has lines."""


class PrintState(Enum):
    """What the printer does with a print. The states in …ing end by themselves."""

    IDLE = 0
    CHECKING = 1  # the file is examined; the printer knows nothing of it
    UPLOADING = 2
    STARTING = 3
    PRINTING = 4
    PAUSING = 5
    PAUSED = 6
    RESUMING = 7
    FINISHING = 8  # the last moves
    CANCELLING = 9
    BUSY = 10  # it works on something that is no print
    ATTENTION = 11  # it waits for a person who stands before it
    ERROR = 12  # it takes no print before a person has seen to it


class PrintOwner(Enum):
    """Who began the print that is under way."""

    NOBODY = 0  # there is none
    AGENT = 1
    FOREIGN = 2  # somebody else: it is shown, and not touched


class PrintResult(Enum):
    """How the last print of this agent ended."""

    NONE = 0  # there was none, or it is under way
    DONE = 1
    CANCELLED = 2  # somebody wanted so
    FAILED = 3  # the printer or the file
    INTERRUPTED = 4  # the connection or the board was lost: nobody knows more than what was taken
    UNKNOWN = 5


class Heaters(Enum):
    """Whether any heater is told to heat."""

    OFF = 0
    ON = 1
    UNKNOWN = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintReport:
    """A print as it stands. None is what the printer does not tell.

    Attributes:
        sent: How much of the file's bytes it has, %.
        time_progress: How much of the print's time is over, %, as the slicer reckoned.
        elapsed: Seconds since it began, pauses included.
        left: Seconds to go, as the slicer or the printer reckons.
        height: Of the current layer, mm.
        reason: Why the last print ended as it did, "" where nothing need be said.
        message: What the printer asks or tells the person before it.
    """

    state: PrintState = PrintState.IDLE
    owner: PrintOwner = PrintOwner.NOBODY
    result: PrintResult = PrintResult.NONE
    file: str = ""
    sent: float | None = None
    time_progress: float | None = None
    elapsed: float | None = None
    left: float | None = None
    layer: int | None = None
    layers: int | None = None
    height: float | None = None
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PrinterStatus:
    """One look at a printer: temperatures in °C, places in mm. None is what it does not tell.

    `more_targets` are those of further heaters, such as a second nozzle or a chamber; None is one
    that is there and whose target is not known.
    """

    nozzle: float | None = None
    nozzle_target: float | None = None
    bed: float | None = None
    bed_target: float | None = None
    x: float | None = None
    y: float | None = None
    z: float | None = None
    more_targets: tuple[float | None, ...] = ()
    firmware: str | None = None
    print: PrintReport = PrintReport()

    @property
    def heaters(self) -> Heaters:
        """Whether any target is above 0; unknown when none is told, or one is not known."""
        own = [it for it in (self.nozzle_target, self.bed_target) if it is not None]
        targets = [*own, *self.more_targets]
        if any(targets):
            return Heaters.ON
        return Heaters.UNKNOWN if not targets or None in targets else Heaters.OFF


@dataclass(frozen=True)
class PrinterRef(Ref[T]):
    """A value of a printer by its name, which each wire looks up in its own way."""

    name: str


def told(status: PrinterStatus, ref: Ref[Any]) -> Any:
    """The value of a ref in a look at the printer; NotMeasured where it does not tell it."""
    if not isinstance(ref, PrinterRef):
        raise TypeError(f"{ref} is no value of a printer")
    holder: Any = status
    name = ref.name
    if name.startswith("print_"):
        holder, name = status.print, PRINT_FIELDS.get(name, name.removeprefix("print_"))
    value = getattr(holder, name)
    return NotMeasured(f"the printer does not tell its {ref.name}") if value is None else value


PRINT_FIELDS: Final[Mapping[str, str]] = {"print_progress": "sent"}
"""Readings whose field in the report has another name."""


class PrintEnded(DeviceError):
    """A print ended before its last line. `result` says how."""

    result: PrintResult = PrintResult.FAILED

    @classmethod
    def because(cls, result: PrintResult, words: str) -> PrintEnded:
        """The error of a print that ended so."""
        error = cls(words)
        error.result = result
        return error


class PrinterWire(Wire, Protocol):
    """What a printer's commands need of its wire. Each may raise a DriverError."""

    async def print_file(self, file: TextFile, profile: Profile) -> Mapping[str, Any]:
        """Examine, send and follow a print to its end. Raises PrintEnded, RequestError, LinkError."""
        ...

    async def pause_print(self) -> None:
        """Return when it is paused. Raises RequestError for a foreign print, or none."""
        ...

    async def resume_print(self) -> None:
        """Return when it goes on. Raises as pause_print."""
        ...

    async def cancel_print(self) -> None:
        """Return when it has ended. Raises as pause_print."""
        ...

    async def make_safe(self) -> None:
        """End whatever is printed, whoever began it; heaters and fan off, and read back that they are."""
        ...

    async def interrupt(self) -> None:
        """Stop at once, past every queue."""
        ...


class DirectWire(PrinterWire, Protocol):
    """A wire that takes single orders beside a print."""

    async def order(self, line: str) -> None:
        """Have one line of G-code carried out. Raises DriverError."""
        ...

    async def must_be_at_rest(self) -> None:
        """Raise DeviceBusy while anything is printed, by whomever."""
        ...

    async def must_not_be_foreign(self) -> None:
        """Raise DeviceBusy while something is printed that somebody else began."""
        ...


async def admitted(file: TextFile, profile: Profile, *, by_lines: bool = True) -> Survey:
    """Examine a file. Raises RequestError when this printer must not get it; nothing is sent.

    `by_lines` is false for a printer that takes whole files.
    """
    survey = await file.survey()
    reasons = refusals(file.name, survey, profile, by_lines=by_lines)
    if reasons:
        more = len(reasons) - MOST_REASONS
        also = [f"and {more} more"] if more > 0 else []
        raise RequestError("; ".join([*reasons[:MOST_REASONS], *also]))
    return survey


def why(error: BaseException) -> str:
    """The words of an error for the report of a print."""
    return str(error) if isinstance(error, DriverError) else f"{type(error).__name__}: {error}"

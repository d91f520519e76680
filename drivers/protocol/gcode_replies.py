"""What a RepRap firmware says, line by line.

Sources: the G-code documentation at marlinfw.org (M105, M110, M113, M114, M115, M118, host action
commands) and the RepRap wiki's page "G-code", section "Replies from the RepRap machine".
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


class Kind(Enum):
    """What a line means to whoever waits for an acknowledgement."""

    OK = auto()  # taken; data may ride on it
    RESEND = auto()  # send again from this line number
    BUSY = auto()  # still at work: not an acknowledgement, but a sign of life
    WAIT = auto()  # idle, with nothing in the buffer
    START = auto()  # the board has just started
    LINE_ERROR = auto()  # a line was spoilt on the way; a resend follows, as a rule
    FATAL = auto()  # the board has killed itself, or refuses every move
    HARMLESS = auto()  # called an error, but none of ours
    ERROR = auto()  # a refusal
    UNKNOWN = auto()  # the firmware has no such command
    ACTION = auto()  # a request to the host, from the printer's own display
    TEMPERATURE = auto()
    POSITION = auto()
    TEXT = auto()


@dataclass(frozen=True, slots=True)
class Reply:
    """A line, its kind, and the part of it that matters: a number, a reason, a verb."""

    kind: Kind
    text: str
    payload: str = ""

    @property
    def number(self) -> int:
        """The line number of a Resend."""
        return int(self.payload)


_FATAL = (
    r"kill\(\) called|halted|MAXTEMP|MINTEMP|thermal runaway|heating failed|stopped due to error"
)
_HARMLESS = r"\bSD\b|openRootDir|volume\.init|workDir|open failed"

TABLE: Final = tuple(
    (kind, re.compile(pattern, re.IGNORECASE if kind.name.endswith(("ERROR", "FATAL")) else 0))
    for kind, pattern in (
        (Kind.OK, r"ok(?=$|\s|[A-Z]+:)\s*(.*)"),
        (Kind.TEMPERATURE, r"(T\d?:\s*-?\d.*/.*)"),
        (Kind.POSITION, r"(X:\s*-?\d.*\bY:.*)"),
        (Kind.RESEND, r"(?:Resend|rs)\b\s*:?\s*N?(\d+)\b.*"),
        (Kind.BUSY, r"(?:echo:\s*)?busy:\s*(.*)"),
        (Kind.WAIT, r"wait()"),
        (Kind.START, r"start()"),
        (Kind.ACTION, r"//\s*action:\s*(.*)"),
        (Kind.LINE_ERROR, r"Error:\s*(.*(?:checksum|line\s?number|last line|expected line).*)"),
        (Kind.FATAL, rf"((?:Error:|!!|fatal:).*(?:{_FATAL}).*)"),
        (Kind.HARMLESS, rf"Error:\s*(.*(?:{_HARMLESS}).*)"),
        (Kind.ERROR, r"(?:Error:|!!|fatal:)\s*(.*)"),
        (Kind.UNKNOWN, r"(?:echo:\s*)?(Unknown command:.*)"),
    )
)
"""The first pattern that matches the whole of a line tells its kind."""

_CUT_ERROR = re.compile(r"Error:\s*\w?\d*")
"""A dying board may break its last words in two: `Error:0` and `: Extruder … MAXTEMP triggered`."""


def parse(line: str) -> Reply:
    """Say what a line means; what is in no row of the table is text."""
    for kind, pattern in TABLE:
        if found := pattern.fullmatch(line):
            return Reply(kind, line, found[1].strip())
    return Reply(Kind.TEXT, line, line)


class Joiner:
    """Turns received lines into replies, and puts an error that was broken in two together."""

    def __init__(self) -> None:
        self._head = ""

    def feed(self, raw: bytes) -> Reply | None:
        """Take a line; None when it is empty or only the head of an error."""
        line = raw.decode("utf-8", "replace").strip("\r\0 \t")
        if self._head:
            line, self._head = f"{self._head} {line}", ""
        elif _CUT_ERROR.fullmatch(line):
            self._head = line
            return None
        return parse(line) if line else None


def capabilities(lines: list[str]) -> dict[str, bool]:
    """The `Cap:NAME:1` lines of M115; what is not named is not there."""
    found = (re.fullmatch(r"Cap:(\w+):([01])", line) for line in lines)
    return {match[1]: match[2] == "1" for match in found if match}


def acknowledged_number(payload: str) -> int | None:
    """The line number in an acknowledgement, if it has one: `ok N5 P15 B3`, or Repetier's `ok 5`."""
    found = _NUMBERED_OK.match(payload)
    return int(found[1]) if found else None


def missing_oks(said: list[Reply], expected: int) -> int:
    """How many of so many acknowledgements did not come."""
    return max(0, expected - sum(reply.kind is Kind.OK for reply in said))


def free_places(payload: str) -> int:
    """Free places of the command queue in an advanced acknowledgement, `ok N5 P15 B3`; -1 without."""
    found = _ADVANCED_OK.match(payload)
    return int(found[1]) if found else -1


_NUMBERED_OK = re.compile(r"N?(\d{1,9})(?=\s|$)")
_ADVANCED_OK = re.compile(r"(?:N\d+ )?P\d+ B(\d{1,3})(?=\s|$)")

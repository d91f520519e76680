"""What SCPI instruments share: program messages, headers, parameters and the error queue.

Sources: IEEE 488.2-1992 chapters 7 (program messages), 10 (common commands) and 11 (status);
SCPI-1999 volume 1 chapter 6 (headers) and volume 2 chapter 21.8 (error queue and its codes).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

INPUT_LIMIT: Final = 65536
"""Bytes that an unfinished program message may grow to before it is thrown away (-363)."""

_NRF = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_TOKEN = re.compile(r"[A-Za-z0-9]+|[\[\]:*?]")

ERRORS: Final[Mapping[int, str]] = {
    -101: "Invalid character",
    -102: "Syntax error",
    -104: "Data type error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -113: "Undefined header",
    -131: "Invalid suffix",
    -151: "Invalid string data",
    -213: "Init ignored",
    -221: "Settings conflict",
    -222: "Data out of range",
    -224: "Illegal parameter value",
    -230: "Data corrupt or stale",
    -350: "Error queue overflow",
    -363: "Input buffer overrun",
}


class ScpiError(Exception):
    """A program message unit that the instrument refuses; `code` is one of `ERRORS`."""

    def __init__(self, code: int) -> None:
        super().__init__(f'{code},"{ERRORS[code]}"')
        self.code = code


@dataclass(frozen=True)
class WhenIdle:
    """The answer of a query that waits for the instrument to become idle (READ?, *OPC?)."""

    answer: Callable[[], str | None]


Answer = str | None | WhenIdle
Command = Callable[[Sequence[str]], Answer]


@dataclass
class Status:
    """The error queue and the standard event registers (IEEE 488.2 11.5, SCPI-1999 21.8)."""

    capacity: int = 20
    events: int = 128  # PON: set at power-on, until somebody looks
    event_enable: int = 0
    service_enable: int = 0
    completing: bool = False
    """Whether *OPC was sent: bit 0 is set as soon as the instrument is idle."""
    errors: deque[int] = field(default_factory=deque)

    def report(self, code: int) -> None:
        """Queue an error and set its bit in the event register; the last place becomes -350."""
        self.events |= {1: 32, 2: 16, 3: 8, 4: 4}[-code // 100]
        if len(self.errors) < self.capacity:
            self.errors.append(code)
        else:
            self.errors[-1] = -350

    def next_error(self) -> tuple[int, str]:
        """Take the oldest error from the queue; 0 and an empty text when there is none."""
        if not self.errors:
            return 0, ""
        code = self.errors.popleft()
        return code, ERRORS[code]

    def take_events(self) -> int:
        """Return the standard event register and clear it, as *ESR? does."""
        events, self.events = self.events, 0
        return events

    def clear(self) -> None:
        """Empty the queue and the event register, as *CLS does; the enables stay."""
        self.errors.clear()
        self.events = 0
        self.completing = False

    @property
    def byte(self) -> int:
        """The status byte: bit 2 error available, bit 5 event summary, bit 6 master summary."""
        byte = (4 if self.errors else 0) | (32 if self.events & self.event_enable else 0)
        return byte | (64 if byte & self.service_enable else 0)


class Parser:
    """Program messages in, response messages out; it executes one unit after the other.

    `commands` maps headers in the notation of manuals, such as ``[SENSe:]VOLTage[:DC]:NPLC?``,
    to what executes them. `idle` tells whether an overlapped operation has ended: units behind a
    `WhenIdle` answer wait for it, as the input buffer of an instrument does.
    """

    def __init__(
        self,
        commands: Mapping[str, Command],
        status: Status,
        idle: Callable[[], bool] = lambda: True,
    ) -> None:
        self._table = [(header(notation), command) for notation, command in commands.items()]
        self._status = status
        self._idle = idle
        self._input = bytearray()
        self.forget()

    def forget(self) -> None:
        """Drop everything half received, waiting or half answered: a new connection."""
        self._input.clear()
        self._units: deque[str] = deque()
        self._path = ""
        self._answers: list[str] = []
        self._waiting: WhenIdle | None = None

    def feed(self, data: bytes) -> bytes:
        """Take bytes in pieces of any size; return the response messages that are complete."""
        self._input += data
        said = self.proceed()
        if len(self._input) > INPUT_LIMIT:
            self._input.clear()
            self._status.report(-363)
        return said

    def proceed(self) -> bytes:
        """Execute what is waiting for its turn, up to the next unit that has to wait for idle."""
        said = b""
        self._complete()
        while self._next_unit():
            said += self._end_of_message()
            self._complete()
        return said

    def _complete(self) -> None:
        if self._status.completing and self._idle():
            self._status.completing = False
            self._status.events |= 1

    def _next_unit(self) -> bool:
        """Execute one unit, or begin the next message; false when there is nothing to do now."""
        if self._waiting is not None:
            if not self._idle():
                return False
            waiting, self._waiting = self._waiting, None
            self._attempt(waiting.answer)
            return True
        if self._units:
            unit = self._units.popleft()
            self._attempt(lambda: self._execute(unit))
            return True
        return self._next_message()

    def _next_message(self) -> bool:
        line, newline, rest = self._input.partition(b"\n")
        if not newline:
            return False
        self._input = rest
        self._path = ""
        try:
            self._units.extend(split_outside_quotes(line.decode("ascii").strip(), ";"))
        except UnicodeDecodeError:
            self._status.report(-101)
        except ScpiError as refused:
            self._status.report(refused.code)
        return True

    def _end_of_message(self) -> bytes:
        if self._units or self._waiting is not None or not self._answers:
            return b""
        answers, self._answers = self._answers, []
        return ";".join(answers).encode("ascii") + b"\n"

    def _attempt(self, unit: Callable[[], Answer]) -> None:
        try:
            answer = unit()
        except ScpiError as refused:
            self._status.report(refused.code)
            return
        if isinstance(answer, WhenIdle):
            self._waiting = answer
        elif answer is not None:
            self._answers.append(answer)

    def _execute(self, unit: str) -> Answer:
        name, *rest = unit.split(maxsplit=1) or [""]
        command = self._find(name)
        parameters = split_outside_quotes(rest[0].strip() if rest else "", ",")
        return command([parameter.strip() for parameter in parameters])

    def _find(self, name: str) -> Command:
        """Resolve a header against the path of the unit before it (SCPI-1999 6.2.4)."""
        if not re.fullmatch(r"\*?[A-Za-z]\w*\??|:?[A-Za-z]\w*(?::[A-Za-z]\w*)*\??", name):
            raise ScpiError(-102)
        if name.startswith("*"):
            full = name
        else:
            full = name[1:] if name.startswith(":") else self._path + name
            self._path = full.rpartition(":")[0] + ":" if ":" in full else ""
        for pattern, command in self._table:
            if pattern.fullmatch(full):
                return command
        raise ScpiError(-113)


def header(notation: str) -> re.Pattern[str]:
    """Compile a header as manuals write it: capitals are the short form, brackets optional."""
    out = ""
    for token in _TOKEN.findall(notation):
        if token.isalnum():
            short = "".join(c for c in token if not c.islower())
            out += f"(?:{short}|{token.upper()})"
        else:
            out += {"[": "(?:", "]": ")?", ":": ":", "*": r"\*", "?": r"\?"}[token]
    return re.compile(out, re.IGNORECASE)


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """Split at a separator, except inside quoted strings; nothing splits to no parts.

    Raises `ScpiError` -151 when a string is not closed.
    """
    parts, quote = [""], ""
    for c in text:
        if c == separator and not quote:
            parts.append("")
            continue
        if c in "\"'" and quote in ("", c):
            quote = "" if quote else c
        parts[-1] += c
    if quote:
        raise ScpiError(-151)
    return parts if text else []


def at_most(parameters: Sequence[str], most: int, least: int = 0) -> Sequence[str]:
    """Return the parameters when their number is right; -109 for too few, -108 for too many."""
    if len(parameters) < least:
        raise ScpiError(-109)
    if len(parameters) > most:
        raise ScpiError(-108)
    return parameters


def number(text: str, low: float, high: float) -> float:
    """Read decimal numeric data (<NRf>) from `low` to `high`.

    Raises `ScpiError`: -104 no number, -131 a suffix, -222 outside the range.
    """
    found = _NRF.match(text)
    if not found:
        raise ScpiError(-104)
    if found.end() != len(text):
        raise ScpiError(-131)
    value = float(text)
    if not low <= value <= high:
        raise ScpiError(-222)
    return value


def boolean(text: str) -> bool:
    """Read boolean data: ON, OFF, 1 or 0; -224 for anything else."""
    try:
        return {"ON": True, "1": True, "OFF": False, "0": False}[text.upper()]
    except KeyError:
        raise ScpiError(-224) from None

"""How a Marlin board reads its lines: comments, length, line numbers and checksums.

Source: the G-code documentation at marlinfw.org (`M110`, `M112`) and the RepRap wiki's page
"G-code", section "Special fields" (`N` and `*`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import reduce
from operator import xor

LINE_BYTES = 95
"""Bytes of a line that are kept: MAX_CMD_SIZE (96) less the terminator. The rest is dropped."""

_NUMBERED = re.compile(r"\s*N\s*(-?\d+)\s*")
_CODE = re.compile(r"\s*([GMT])\s*(\d+)(?:\.(\d+))?\s*")
_WORD = re.compile(r"([A-Z])\s*([-+]?(?:\d+\.?\d*|\.\d+))?")
_URGENT = re.compile(r"\s*(?:N\s*-?\d+\s*)?(M108|M112|M410)(?!\d)")
_SECOND_NUMBER = re.compile(r"M110\b.*?N\s*(-?\d+)")


def checksum(body: str) -> int:
    """Exclusive-or of every byte before the `*`, 0 to 255."""
    return reduce(xor, body.encode("latin-1"), 0)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line that was accepted: its command, and the line number if it bore one."""

    text: str
    number: int | None = None


@dataclass(frozen=True)
class Refused:
    """Why a line was not accepted, in the board's words."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Command:
    """A line taken apart: `G1 X2 F1200` has the code `G1` and the words X and F."""

    text: str
    code: str
    words: dict[str, float | None]
    rest: str

    def number(self, letter: str, default: float) -> float:
        """The number behind `letter`, or `default` where there is no such word or no number."""
        value = self.words.get(letter)
        return default if value is None else value


def parse(text: str) -> Command:
    """Take a command apart; a text without a code has the empty code."""
    code = _CODE.match(text)
    if code is None:
        return Command(text=text.strip(), code="", words={}, rest=text.strip())
    name = f"{code[1]}{int(code[2])}" + (f".{code[3]}" if code[3] else "")
    rest = text[code.end() :]
    words = {letter: float(value) if value else None for letter, value in _WORD.findall(rest)}
    return Command(text=text.strip(), code=name, words=words, rest=rest.strip())


@dataclass
class LineReader:
    """Gathers bytes to lines: `;` begins a comment, and what is over-long is cut off silently."""

    _kept: bytearray = field(default_factory=bytearray)
    _comment: bool = False

    def feed(self, byte: int) -> str | None:
        """Take one byte; return the line that it ends. An empty line is none at all."""
        if byte in b"\r\n":
            line = self._kept.decode("latin-1")
            self.forget()
            return line or None
        if byte == ord(";"):
            self._comment = True
        elif not self._comment and len(self._kept) < LINE_BYTES:
            self._kept.append(byte)
        return None

    def forget(self) -> None:
        """Drop a line that is half read."""
        self._kept.clear()
        self._comment = False


@dataclass
class LineCounter:
    """The line numbers of one connection: each is its predecessor plus one."""

    last: int = 0

    def check(self, line: str) -> Line | Refused:
        """Accept a line, and count it if it is numbered; or refuse it and stay."""
        numbered = _NUMBERED.match(line)
        if numbered is None:
            told = _SECOND_NUMBER.match(line.lstrip())
            self.last = int(told[1]) if told else self.last
            return Line(text=line.partition("*")[0].strip())
        second = _SECOND_NUMBER.search(line, numbered.end())
        number = int(second[1] if second else numbered[1])
        if "M110" not in line and number != self.last + 1:
            return Refused("Line Number is not Last Line Number+1")
        body, star, claimed = line.rpartition("*")
        if not star:
            return Refused("No Checksum with line number")
        if not _same(claimed, checksum(body)):
            return Refused("checksum mismatch")
        self.last = number
        return Line(text=body[numbered.end() :].strip(), number=number)


def _same(claimed: str, computed: int) -> bool:
    digits = re.match(r"\s*(\d+)", claimed)
    return digits is not None and int(digits[1]) == computed


@dataclass
class EmergencyParser:
    """Looks for M108, M112 and M410 in the bytes as they arrive, before they are queued.

    It heeds neither the checksum nor the room in the queue (marlinfw.org, M112 and M108:
    `EMERGENCY_PARSER`).
    """

    _line: bytearray = field(default_factory=bytearray)

    def feed(self, byte: int) -> str | None:
        """Take one byte; return the urgent command whose line it ends."""
        if byte not in b"\r\n":
            if len(self._line) < LINE_BYTES:
                self._line.append(byte)
            return None
        urgent = _URGENT.match(self._line.decode("latin-1"))
        self._line.clear()
        return urgent[1] if urgent else None

    def forget(self) -> None:
        """Drop a line that is half read."""
        self._line.clear()

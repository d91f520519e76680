"""How a board reads its lines: comments, length, line numbers and checksums.

Sources: Marlin's queue.cpp and e_parser.h, for what becomes of a line; marlinfw.org, the pages of
M110 and M112; the RepRap wiki's page "G-code", section "Special fields" (`N` and `*`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import reduce
from operator import xor
from typing import Final

LINE_BYTES: Final = 95
"""Bytes of a line that are kept: MAX_CMD_SIZE (96) less the terminator. The rest is dropped."""

_KEPT_RAW: Final = 1024  # a comment or backslashes may stand before the byte that is one too many
_NUMBERED = re.compile(r" *N *(-?\d+) *")
_CODE = re.compile(r"\s*([GMT])\s*(\d+)(?:\.(\d+))?\s*")
_WORD = re.compile(r"([A-Z])\s*([-+]?(?:\d+\.?\d*|\.\d+))?")
_EXTENDED = re.compile(r"\s*([A-Z][A-Z_]{2,}[A-Z0-9_]*)\b\s*")
_URGENT = re.compile(rb" *(?:N *-?[\d ]*)?(M108|M112|M410|M524|M876 *S(\d))(?!\d)")
_SECOND_NUMBER = re.compile(r"M110\b.*?N\s*(-?\d+)")
_DIGITS = re.compile(r"\s*(\d+)")


def checksum(body: str) -> int:
    """Exclusive-or of every byte before the `*`, 0 to 255."""
    return reduce(xor, body.encode("latin-1"), 0)


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was accepted: its command, and the line number if it bore one."""

    text: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a line was not accepted, in Marlin's words, and the number that it bore."""

    reason: str
    number: int | None = None


WRONG_NUMBER: Final = "Line Number is not Last Line Number+1"
WRONG_SUM: Final = "checksum mismatch"
NO_SUM: Final = "No Checksum with line number"
STRAY_SUM: Final = "No Line Number with checksum"


@dataclass(frozen=True, slots=True, kw_only=True)
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
    """Take a command apart; a text without a code has the empty code.

    A word such as `SET_FAN_SPEED` is a code too: Klipper's extended commands.
    """
    code = _CODE.match(text)
    if code is None:
        extended = _EXTENDED.match(text)
        name = extended[1] if extended else ""
        return Command(text=text.strip(), code=name, words={}, rest=text.strip())
    letter, digits, sub = code.groups()
    name = f"{letter}{int(digits)}" + (f".{sub}" if sub else "")
    rest = text[code.end() :]
    words = {letter: float(value) if value else None for letter, value in _WORD.findall(rest)}
    return Command(text=text.strip(), code=name, words=words, rest=rest.strip())


@dataclass
class LineReader:
    """Gathers pieces to lines: `;` begins a comment, and what is over-long is cut off silently.

    A backslash is dropped, and what follows it is kept, be it a `;` (queue.cpp, "escaped char"):
    so a host whose checksum counts the backslash is refused for ever.
    """

    _kept: bytearray = field(default_factory=bytearray)

    def feed(self, piece: bytes) -> str | None:
        """Take a piece with a line end at its end or nowhere; return the line that it ends.

        An empty line is none at all.
        """
        kept = self._kept
        kept += piece
        if piece[-1:] not in (b"\n", b"\r"):
            del kept[_KEPT_RAW:]
            return None
        raw = bytes(kept).rstrip(b"\r\n")
        kept.clear()
        if b"\\" in raw or b"\b" in raw:
            raw = _unescaped(raw)
        elif b";" in raw:
            raw = raw.partition(b";")[0]
        return raw[:LINE_BYTES].decode("latin-1") or None

    @property
    def half_read(self) -> bool:
        """Whether a line has been begun."""
        return bool(self._kept)

    def forget(self) -> None:
        """Drop a line that is half read."""
        self._kept.clear()


def _unescaped(raw: bytes) -> bytes:
    """Take away backslashes, comments, and what a backspace erases."""
    line = bytearray()
    escaped = False
    for byte in raw:
        if escaped:
            escaped = False
            line.append(byte)
        elif byte == ord("\\"):
            escaped = True
        elif byte == ord(";"):
            break
        elif byte == ord("\b"):
            del line[-1:]
        else:
            line.append(byte)
        if len(line) >= LINE_BYTES:
            break
    return bytes(line)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a firmware asks of line numbers and checksums. The defaults are those of Marlin 2."""

    in_order: bool = True
    """Whether each number has to be its predecessor plus one."""
    checked: bool = True
    """Whether a checksum is looked at."""
    number_needs_sum: bool = True
    always_sum: bool = False
    """Whether a line without a checksum is refused; M110 never is."""
    stray_sum: bool = True
    """Whether a checksum without a line number is ignored; else the line is refused."""


@dataclass
class LineCounter:
    """The line numbers of one connection."""

    rules: Rules = field(default_factory=Rules)
    last: int = 0

    def check(self, line: str) -> Line | Refused:
        """Accept a line, and count it if it is numbered; or refuse it and stay."""
        numbered = _NUMBERED.match(line)
        if numbered is None:
            return self._without_number(line)
        number = int(numbered[1])
        first = "M110" in line
        if first and (second := _SECOND_NUMBER.search(line, numbered.end())):
            number = int(second[1])
        if self.rules.in_order and not first and number != self.last + 1:
            return Refused(WRONG_NUMBER, number)
        body, star, claimed = line.rpartition("*")
        if not star:
            if self.rules.number_needs_sum:
                return Refused(NO_SUM, number)
            body = line
        elif self.rules.checked and not _same(claimed, checksum(body)):
            return Refused(WRONG_SUM, number)
        self.last = number
        return Line(body[numbered.end() :].strip(), number)

    def _without_number(self, line: str) -> Line | Refused:
        text, star, _ = line.partition("*")
        if star and not self.rules.stray_sum:
            return Refused(STRAY_SUM)
        if not star and self.rules.always_sum and "M110" not in line:
            return Refused(NO_SUM)
        told = _SECOND_NUMBER.match(line.lstrip())
        self.last = int(told[1]) if told else self.last
        return Line(text.strip())


def _same(claimed: str, computed: int) -> bool:
    digits = _DIGITS.match(claimed)
    return digits is not None and int(digits[1]) == computed


@dataclass
class EmergencyParser:
    """Looks for M108, M112, M410, M524 and M876 in the bytes as they arrive, before they are queued.

    It heeds neither the checksum nor the room in the queue (e_parser.h; marlinfw.org, M112 and
    M108: `EMERGENCY_PARSER`).
    """

    _line: bytearray = field(default_factory=bytearray)

    def feed(self, piece: bytes) -> str | None:
        """Take a piece with a line end at its end or nowhere; return the urgent command it ends."""
        line = self._line
        if piece[-1:] not in (b"\n", b"\r"):
            line += piece
            del line[LINE_BYTES:]
            return None
        if line:
            piece = bytes(line) + piece
            line.clear()
        urgent = _URGENT.match(piece) if b"M" in piece else None
        return None if urgent is None else urgent[1].decode("ascii")

    def forget(self) -> None:
        """Drop a line that is half read."""
        self._line.clear()

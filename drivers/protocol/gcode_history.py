"""Line numbers and checksums, and the lines that a board may ask for again.

A line is `N<number> <command>*<checksum>`, where the checksum is the exclusive-or of every byte
before the `*` (RepRap wiki, "G-code", special fields).
"""

import re
from collections import deque
from functools import reduce
from operator import xor
from typing import Final

HISTORY: Final = 500
LONGEST_LINE: Final = 90
"""Bytes with number and checksum. Marlin drops without a word what is beyond 95 (MAX_CMD_SIZE)."""


def frame(number: int, line: str) -> bytes:
    """A numbered line with its checksum."""
    body = f"N{number} {line}".encode("ascii")
    return b"%s*%d\n" % (body, reduce(xor, body, 0))


class History:
    """The last lines by their numbers, which follow each other without a gap."""

    def __init__(self) -> None:
        self.count_from(1)

    def count_from(self, number: int) -> None:
        """Begin a new numbering, in which nothing has been sent."""
        self.next = number
        self._lines: deque[bytes] = deque(maxlen=HISTORY)

    def framed(self, line: str) -> bytes:
        """The line as it would be sent next."""
        return frame(self.next, line)

    def enter(self, line: str) -> bytes:
        """Give a line the next number, and return it as it is sent."""
        framed = frame(self.next, line)
        self.keep(framed)
        return framed

    def keep(self, framed: bytes) -> None:
        """Take in a line that has the next number already."""
        self._lines.append(framed)
        self.next += 1

    def sent(self, number: int) -> bytes | None:
        """A line as it was sent, or None if it is no longer, or not yet, in the history."""
        place = number - self.next + len(self._lines)
        return self._lines[place] if 0 <= place < len(self._lines) else None

    def void_all(self) -> None:
        """Let nothing that was sent be done by being sent again."""
        for number in range(self.next - len(self._lines), self.next):
            self.void(number)

    def void(self, number: int) -> None:
        """Let a line that was given up do nothing, should the board still ask for it again.

        Whoever sent it has been told that its outcome is unknown, and may have looked at the printer.
        """
        place = number - self.next + len(self._lines)
        if 0 <= place < len(self._lines):
            self._lines[place] = frame(number, "M105")


def code_of(line: str) -> str:
    """The code of a line, `G1` of `G01X10`; else its first word."""
    found = _CODE.match(line)
    return f"{found[1].upper()}{int(found[2])}" if found else line.partition(" ")[0]


_CODE: Final = re.compile(r"\s*([GMTgmt])\s*(\d{1,6})(?![.\d])")

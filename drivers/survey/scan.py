"""The examination of a file, piece by piece: no more of it than a line is held in memory."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Final

from drivers.survey.encoding import BINARY, HEAD, Utf8, disguise
from drivers.survey.orders import LONGEST_KEPT, MOST_CODES, is_cut_off
from drivers.survey.program import Program
from drivers.survey.report import Survey, Trouble

PIECE: Final = 64 * 1024
"""Bytes looked at in one go."""
BLOCK: Final = 512
"""Lines looked at in one go; there is a mark behind each block, wherever else marks are."""
LONE_RETURN: Final = (
    "it has a carriage return in the middle of a line, where some printers begin a new one: "
    "save it with ordinary line ends"
)
NOT_UTF8: Final = "it is not UTF-8 from here on, as a comment in CP949 is not: save it as UTF-8"


class Scan:
    """Examines a file whose bytes are fed in pieces of any size; the survey does not depend on them.

    It never raises: whatever the bytes are, the survey says so. Each megabyte takes about a tenth of
    a second, so a loop that has others to serve has the process `drivers.survey` do it.

    Attributes:
        is_hopeless: Whether the file is no text at all, and nothing more need be fed.
    """

    def __init__(self) -> None:
        self.is_hopeless = False
        self._hopeless = Survey()
        self._head: bytes | None = b""  # until there is enough to tell other kinds of files
        self._size = 0
        self._hash = sha256()
        self._utf8 = Utf8()
        self._program = Program()
        self._followed = 0  # bytes of whole lines
        self._lines: list[bytes] = []  # whole lines, not looked at yet
        self._unseen: dict[int, int] = {}  # how much of them was not kept, by their index
        self._rest = b""  # the beginning of a line, and how much more of it was not kept
        self._skipped = 0
        self._lone: int | None = None  # the first line with a return in its middle

    def feed(self, piece: bytes) -> None:
        """Examine the next bytes."""
        if self._head is not None:
            piece = self._head + piece
            self._head = piece
            if len(piece) < HEAD:
                return
            self._begin()
        for begin in range(0, len(piece), PIECE):
            if self.is_hopeless:
                return
            self._take(piece[begin : begin + PIECE])

    def finish(self) -> Survey:
        """What was found, when there is nothing more."""
        if head := self._begin():
            self._take(head)
        if self.is_hopeless:
            return self._hopeless
        self._utf8.feed(b"", is_last=True)
        if self._lone is None:
            self._look_for_a_lone_return([self._rest])
        last = self._rest.partition(b";")[0].strip()
        if self._rest:
            self._end_line()
        self._follow(1)
        self._judge(last)
        return self._survey()

    def _begin(self) -> bytes:
        """Look at the first bytes, once, and return them."""
        head, self._head = self._head or b"", None
        if text := disguise(head):
            self._give_up(min(len(head), HEAD), 1, text)
        return head

    def _take(self, piece: bytes) -> None:
        nul = piece.find(0)
        if self.is_hopeless or nul >= 0:
            line = self._program.lines + len(self._lines) + piece[:nul].count(b"\n") + 1
            self._give_up(self._size + nul, line, BINARY)
            return
        self._size += len(piece)
        self._hash.update(piece)
        self._utf8.feed(piece)
        if self._skipped:
            tail, newline, piece = piece.partition(b"\n")
            if self._lone is None and b"\r" in tail[:-1]:
                self._lone = self._program.lines + len(self._lines) + 1
            self._skipped += len(tail)
            if not newline:
                return
            self._end_line()
        whole = self._rest + piece
        *lines, rest = whole.split(b"\n")
        if self._lone is None and b"\r" in whole:
            self._look_for_a_lone_return(lines)
        if max(map(len, lines), default=0) > LONGEST_KEPT:
            lines = [self._kept(line, index) for index, line in enumerate(lines, len(self._lines))]
        self._lines += lines
        self._rest, self._skipped = rest[:LONGEST_KEPT], max(0, len(rest) - LONGEST_KEPT)
        self._follow(BLOCK)

    def _look_for_a_lone_return(self, lines: list[bytes]) -> None:
        """Some printers begin a line behind a carriage return, where others see a comment go on."""
        for index, line in enumerate(lines, len(self._lines)):
            if 0 <= line.find(b"\r") < len(line) - 1:
                self._lone = self._program.lines + index + 1
                return

    def _kept(self, line: bytes, index: int) -> bytes:
        if len(line) > LONGEST_KEPT:
            self._unseen[index] = len(line) - LONGEST_KEPT
        return line[:LONGEST_KEPT]

    def _give_up(self, size: int, line: int, text: str) -> None:
        if not self.is_hopeless:
            self.is_hopeless = True
            trouble = Trouble(line=line, code="", text=text)
            self._hopeless = Survey(size=size, trouble=(trouble,))

    def _end_line(self) -> None:
        """The line that was kept is whole now."""
        if self._skipped:
            self._unseen[len(self._lines)] = self._skipped
        self._lines.append(self._rest)
        self._rest, self._skipped = b"", 0

    def _follow(self, least: int) -> None:
        """Look at the lines in blocks, so that nothing depends on how the bytes were cut."""
        while len(self._lines) >= least:
            block, self._lines = self._lines[:BLOCK], self._lines[BLOCK:]
            self._followed = self._program.follow(block, self._followed, self._unseen)
            self._unseen = {i - BLOCK: more for i, more in self._unseen.items() if i >= BLOCK}

    def _judge(self, last: bytes) -> None:
        """What is wrong with the file as a whole; `last` is an order without an end of line."""
        program = self._program
        troubles, lines = program.troubles, program.lines
        missing = program.ending.missing(program.sayings.name, program.sayings.version)
        if self._utf8.bad_line is not None:
            troubles.whole(self._utf8.bad_line, NOT_UTF8)
        if self._lone is not None:
            troubles.whole(self._lone, LONE_RETURN)
        if program.codes.is_full:
            troubles.whole(0, f"it has more than {MOST_CODES} different codes: it is no program")
        if not self._size:
            troubles.whole(0, "it is empty")
        elif not program.rate.orders:
            troubles.whole(0, "it has no line of G-code")
        elif last and is_cut_off(last):
            troubles.whole(lines, "it is cut off in the middle of this line")
        elif missing:
            troubles.whole(lines, f"it is cut off: {missing}")

    def _survey(self) -> Survey:
        program = self._program
        motion, marks, peaks = program.motion, program.marks, program.heat.peaks
        slicer = program.sayings.slicer(marks.layer)
        rows, seconds = marks.rows(self._size, motion.seconds, slicer.seconds)
        return Survey(
            size=self._size,
            sha256=self._hash.hexdigest(),
            lines=program.lines,
            commands=program.rate.orders,
            trouble=program.troubles.listed(),
            more_trouble=program.troubles.more,
            codes=program.codes.uses(),
            box=motion.box.extents(),
            printed=motion.printed.extents(),
            unplaced=motion.frame.unplaced,
            nozzle=peaks.get("nozzle"),
            bed=peaks.get("bed"),
            chamber=peaks.get("chamber"),
            feed=motion.frame.fastest,
            slicer=replace(slicer, thumbnails=tuple(program.thumbnails.found)),
            seconds=seconds,
            marks=rows,
            demand=program.rate.demand(),
        )

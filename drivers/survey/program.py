"""The lines of a file: what each is, and who has to know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from drivers.survey.blocks import Ending, Thumbnails
from drivers.survey.encoding import without_mark
from drivers.survey.heat import Heat
from drivers.survey.line_rate import LineRate
from drivers.survey.marks import MINUTE, TELLING, Marks
from drivers.survey.motion import Motion
from drivers.survey.orders import (
    LONGEST_TEXT,
    MOVES_AS_WRITTEN,
    Codes,
    code_of,
    objection,
    plain_move,
    words_of,
)
from drivers.survey.slicers import KEPT, Sayings, comment_of, duration
from drivers.survey.troubles import Troubles

STROKES: Final = (b"G1 X", b"G0 X", b"G0 F", b"G1 F")
MOST_DULL: Final = 1000
STRAIGHT: Final = frozenset({"G0", "G1"})
CURVED: Final = frozenset({"G2", "G3", "G5"})


class Program:
    """Follows a program, block by block, and hands each line to those whom it concerns."""

    def __init__(self) -> None:
        self.troubles, self.codes = Troubles(), Codes()
        self.rate, self.marks, self.heat = LineRate(), Marks(), Heat()
        self.motion = Motion(self.rate, self._risen)
        self.sayings, self.ending, self.thumbnails = Sayings(), Ending(), Thumbnails()
        self.lines = 0
        self._block: Sequence[bytes] = ()
        self._begin = 0  # offset of the block's first byte
        self._unseen: Mapping[int, int] = {}
        self._dull: set[bytes] = set()  # comments that say nothing to anybody

    def follow(self, block: Sequence[bytes], begin: int, unseen: Mapping[int, int]) -> int:
        """Look at lines without their ends; return the offset behind them, newlines included.

        `begin` is the offset of the first one, and `unseen` tells by index how many bytes of a line
        were cut off.
        """
        self._block, self._begin, self._unseen = block, begin, unseen
        text, count, done = b"\n".join(block), len(block), 0
        lines = [line.rstrip() for line in block] if b"\r" in text else block
        while done < count:
            if lines[done].startswith(STROKES) and self.motion.frame.is_steady:
                done = self.motion.strokes(lines, done, self.lines + done + 1)
            if done < count:
                self._line(lines[done], self.lines + done + 1)
                done += 1
        self.codes.add_moves(block, text, self.lines + 1)
        behind = self._behind(self.lines + count)
        self.marks.add(behind, self.motion.seconds)
        self.lines += count
        return behind

    def _line(self, line: bytes, number: int) -> None:
        text = (without_mark(line) if number == 1 else line).strip()
        if text.startswith(b";"):
            self._comment(text, number)
        elif order := text.partition(b";")[0].rstrip():
            is_counted = self._block[number - self.lines - 1].startswith(MOVES_AS_WRITTEN)
            if is_counted and (words := plain_move(order)):
                self.motion.move(order[:2].decode(), words, len(order), number)
            else:
                self._order(order, number, is_counted=is_counted)

    def _comment(self, text: bytes, number: int) -> None:
        if text in self._dull and not self.thumbnails.is_open:
            return
        if self.thumbnails.concerns(text):
            self.thumbnails.see(text, self._behind(number - 1), self._behind(number))
            return
        comment = comment_of(text)
        if self.marks.see(comment):
            self.motion.layer()
        elif comment.key == "TIME_ELAPSED":
            self._mark(number, elapsed=duration(comment.value))
        is_dull = not (self.sayings.see(comment) or self.ending.see(comment, number))
        if (
            is_dull
            and comment.key not in TELLING
            and len(self._dull) < MOST_DULL
            and len(text) < KEPT
        ):
            self._dull.add(text)  # most comments say the same again and again

    def _order(self, text: bytes, number: int, *, is_counted: bool) -> None:
        code = code_of(text)
        reason, is_by_lines = objection(text, code)
        if reason:
            self.troubles.add(number, code, reason, by_lines=is_by_lines)
        if code and not is_counted:
            self.codes.add(code, number)
        if code and len(text) <= LONGEST_TEXT:
            self._carry_out(code, text, number)
        else:
            self.rate.order(len(text))

    def _carry_out(self, code: str, text: bytes, number: int) -> None:
        listed = words_of(text)
        words = dict(listed)
        size = len(text)
        if code in STRAIGHT:
            self.motion.move(code, words, size, number)
        elif code in CURVED:
            self.motion.curve(code, words, size, number)
        else:
            self.motion.order(code, words, size, number)
        self.heat.see(code, listed, number)
        self.heat.see_named(code, text, number)
        if code == "M73":
            left = words.get("R")
            seconds = None if left is None else left * MINUTE
            self._mark(number, left=seconds, percent=words.get("P"))

    def _risen(self, z: float, is_climb: bool, number: int) -> None:
        if self.marks.risen(z, climbs=is_climb):
            self._mark(number)

    def _mark(
        self,
        number: int,
        *,
        elapsed: float | None = None,
        left: float | None = None,
        percent: float | None = None,
    ) -> None:
        self.marks.add(
            self._behind(number), self.motion.seconds, elapsed=elapsed, left=left, percent=percent
        )

    def _behind(self, number: int) -> int:
        """The offset behind a line of the block."""
        count = number - self.lines
        unseen = sum(more for index, more in self._unseen.items() if index < count)
        return self._begin + sum(map(len, self._block[:count])) + count + unseen

"""The receiving end of a board: bytes come in at any time, lines are read when there is time.

Sources: Marlin's queue.cpp and MarlinSerial.cpp; marlinfw.org, Configuration, `RX_BUFFER_SIZE`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from simulators.marlin_lines import (
    WRONG_NUMBER,
    EmergencyParser,
    Line,
    LineCounter,
    LineReader,
    Refused,
)
from simulators.marlin_talk import Talk
from simulators.marlin_tally import Tally

_PIECE = re.compile(rb"[^\r\n]*[\r\n]|[^\r\n]+")
_ENDS = re.compile(rb"[\r\n]")
_NUMBER = re.compile(r"N *\d+")

Damage = Callable[[str], str]


def one_wrong_bit(line: str, place: int) -> str:
    """The line with the lowest bit of one character turned over."""
    return line[:place] + chr(ord(line[place]) ^ 1) + line[place + 1 :]


def lost_digit(line: str) -> str:
    """The line without the last digit of its number; the line itself if it has none."""
    return _NUMBER.sub(lambda found: found[0][:-1] if len(found[0]) > 2 else "N", line, count=1)


@dataclass
class Disturbance:
    """Noise on the wire to the board: each line is damaged with a probability, by seeded chance."""

    probability: float = 0.0
    dice: random.Random = field(default_factory=lambda: random.Random(0))
    next: list[Damage] = field(default_factory=list)
    """What becomes of the next lines, one after another."""
    damaged: int = 0

    def __call__(self, line: str) -> str:
        """Return what arrives of a line."""
        if self.next:
            self.damaged += 1
            return self.next.pop(0)(line)
        if self.probability and self.dice.random() < self.probability:
            self.damaged += 1
            return one_wrong_bit(line, self.dice.randrange(len(line)))
        return line


@dataclass
class Receiver:
    """Bytes to lines. Its buffer takes some bytes that wait to be read; more of them are lost."""

    talk: Talk
    tally: Tally
    disturbance: Disturbance
    _buffer: bytearray = field(default_factory=bytearray)
    _reader: LineReader = field(default_factory=LineReader)
    _skips: int = 0

    def __post_init__(self) -> None:
        """Count lines by the rules of the firmware."""
        self.counter = LineCounter(self.talk.dialect.rules)
        self._size = self.talk.options.receive_bytes
        self._emergency = EmergencyParser() if self.talk.options.emergency_parser else None

    @property
    def empty(self) -> bool:
        """Whether nothing waits to be read."""
        return not self._buffer

    def pieces(self, data: bytes) -> Iterator[tuple[bytes, str | None]]:
        """Cut bytes at line ends, and say which urgent command ends there."""
        for piece in _PIECE.findall(data):
            self.tally.heard(len(piece))
            yield piece, None if self._emergency is None else self._emergency.feed(piece)

    def store(self, piece: bytes, *, is_read: bool) -> None:
        """Put bytes into the buffer. What is read at the same time has room for all of them."""
        room = len(piece) if is_read else self._size - len(self._buffer)
        self._buffer += piece[:room]
        if len(piece) > room:
            self.tally.lost += len(piece) - room

    def read(self) -> Line | None:
        """Read up to the end of a line that is accepted; None when none is whole.

        A line that is refused is asked for again, and what came after it is lost.
        """
        while self._buffer:
            end = _ENDS.search(self._buffer)
            count = len(self._buffer) if end is None else end.end()
            piece = bytes(self._buffer[:count])
            del self._buffer[:count]
            text = self._reader.feed(piece)
            if text is not None:
                line = self.counter.check(self.disturbance(text))
                if isinstance(line, Line):
                    self._skips = 0
                    self.tally.accepted(line)
                    return line
                self._refuse(line)
            elif piece[-1:] == b"\n" and self.talk.dialect.ok_to_nothing:
                self.talk.say("ok")
        return None

    def refuse(self, reason: str, claimed: int | None = None) -> None:
        """Report a line as not accepted, and ask for the one after the last good line.

        `claimed` is said in place of the number of that line, as if a digit were lost on the way.
        """
        last = self.counter.last if claimed is None else claimed - 1
        self._say_refused(Refused(reason, last + 1), last)

    def ask_again(self) -> None:
        """Lose what is under way, and ask for the line after the last good one."""
        self.flush()
        self.talk.say(f"Resend: {self.counter.last + 1}")
        self._say_ok()

    def flush(self) -> None:
        """Lose what has come and was not read, and the line that is half read."""
        self._buffer.clear()
        self._reader.forget()

    def forget_line(self) -> None:
        """Drop a line that is half read."""
        self._reader.forget()
        if self._emergency is not None:
            self._emergency.forget()

    def _refuse(self, refused: Refused) -> None:
        if self._skips and refused.reason == WRONG_NUMBER:
            self._skips -= 1
            self.talk.say(f"skip {refused.number}")
            self.talk.say("ok")
        else:
            self._say_refused(refused, self.counter.last)

    def _say_refused(self, refused: Refused, last: int) -> None:
        dialect = self.talk.dialect
        self.tally.refused += 1
        only_told = refused.number is None and not dialect.stray_sum_is_asked_again
        said = dialect.refusal(refused, last)
        for line in said[:1] if only_told else said:
            self.talk.say(line)
        if not only_told:
            self.flush()
            self._skips = dialect.skips
            self._say_ok()

    def _say_ok(self) -> None:
        asked = self.talk.options.ok_after_resend
        if self.talk.dialect.ok_after_resend if asked is None else asked:
            self.talk.say("ok")

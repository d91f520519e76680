"""G-code as the host of a networked printer takes it: from a file or from a script, line by line.

Sources: klipper3d.org, G-Codes ("Command parameters" of extended commands); the pages of the
classical commands at marlinfw.org/docs/gcode.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

LINE_S: Final = 0.001
"""What any line costs the host in seconds; keeps a file of comments from taking no time."""

_CLASSICAL = re.compile(r"([GMT])0*(\d+)(?:\.\d+)?(?=\D|$)")
_WORD = re.compile(r"([A-Z])\s*(-?(?:\d+\.?\d*|\.\d+))?")
_EXTENDED = re.compile(r"[A-Z_][A-Z0-9_]+(?=\s|$)")
_OPTION = re.compile(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|(\S+))')


class GcodeError(Exception):
    """A command that the firmware refuses; the text is what it says."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One command: `code` is ``G1`` or ``SET_PRINT_STATS_INFO``, `rest` what follows it.

    `words` are the letters of a classical command; a letter without a number is 0. `options` are
    the KEY=VALUE pairs of an extended one, with keys in capitals.
    """

    code: str
    rest: str
    words: dict[str, float] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)

    def number(self, letter: str, default: float) -> float:
        """Return the value of a word, or `default` when it is not there."""
        return self.words.get(letter, default)


def parse(text: str) -> Line | None:
    """Read a line without its comment; None when nothing is left of it.

    Raises `GcodeError` for what is no command, with Klipper's words.
    """
    bare = text.partition(";")[0].strip()
    if not bare:
        return None
    head = bare.upper()
    if classical := _CLASSICAL.match(head):
        rest = bare[classical.end() :].strip()
        words = {letter: float(value or 0) for letter, value in _WORD.findall(rest.upper())}
        return Line(code=classical[1] + classical[2], rest=rest, words=words)
    if extended := _EXTENDED.match(head):
        rest = bare[extended.end() :].strip()
        found = _OPTION.findall(rest)
        options = {key.upper(): quoted.replace('\\"', '"') or bare for key, quoted, bare in found}
        return Line(code=extended[0], rest=rest, options=options)
    raise GcodeError(f'Unknown command:"{bare}"')


class Tape:
    """A file as it is printed; `position` counts the bytes of the lines that were taken."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)
        self.position = 0

    def take(self) -> str | None:
        """Return the next line, or None at the end of the file."""
        if self.position >= self.size:
            return None
        end = self._content.find(b"\n", self.position)
        stop = self.size if end < 0 else end + 1
        line = self._content[self.position : stop]
        self.position = stop
        return line.decode("utf-8", "replace").strip()


@dataclass
class Action:
    """What the printer is doing: for so many `seconds`, or until `until` holds.

    `during` is told the part that is done, 0 to 1, each time it has grown; `then` is called once
    at the end.
    """

    seconds: float = LINE_S
    until: Callable[[], bool] | None = None
    during: Callable[[float], None] | None = None
    then: Callable[[], None] | None = None
    elapsed: float = 0.0

    def due_in(self) -> float:
        """Seconds until it may end; infinite while it waits for something."""
        return math.inf if self.until is not None else max(self.seconds - self.elapsed, 0.0)

    def advance(self, dt: float) -> bool:
        """Let time pass; return whether it has ended."""
        self.elapsed += dt
        part = 1.0 if self.seconds <= 0 else min(self.elapsed / self.seconds, 1.0)
        if self.during is not None:
            self.during(part)
        done = self.until() if self.until is not None else self.elapsed >= self.seconds - 1e-9
        if done and self.then is not None:
            self.then()
        return done


class Script:
    """Commands that somebody sent; `done` when the last has ended or one has failed.

    `error` then is what the firmware said, "" when all went well.
    """

    def __init__(self, text: str) -> None:
        self._lines = deque(line.strip() for line in text.splitlines())
        self._waiting: list[Callable[[Script], None]] = []
        self.done = False
        self.error = ""

    def take(self) -> str | None:
        """Return the next line, or None when there is no more."""
        return self._lines.popleft() if self._lines else None

    def finish(self, error: str = "") -> None:
        """End it, and tell those who wait; nothing happens when it has ended."""
        if self.done:
            return
        self.done, self.error = True, error
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback(self)

    def then(self, callback: Callable[[Script], None]) -> None:
        """Call back when it has ended; at once if it has."""
        if self.done:
            callback(self)
        else:
            self._waiting.append(callback)

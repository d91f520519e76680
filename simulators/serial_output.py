"""What a board says on its serial line, and the ways in which that goes wrong."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field


@dataclass
class SerialOutput:
    """Lines that were said and not yet fetched. The fault fields are set by the simulators."""

    ending: str = "\n"
    silent_for: float = 0.0
    """Seconds during which every line is lost."""
    lose_next_ok: bool = False
    double_next_ok: bool = False
    split_next: bool = False
    """Whether a line end falls into the middle of the next line."""
    lose_oks: float = 0.0
    """Probability with which each line that begins with `ok` is lost."""
    split_lines: float = 0.0
    """Probability with which each line is split like that."""
    halve_lines: float = 0.0
    """Probability with which each line comes in two halves, `pause` seconds apart."""
    pause: float = 0.0
    dice: random.Random = field(default_factory=lambda: random.Random(0))
    lost_oks: int = 0
    """Lines beginning with `ok` that were lost by the two faults."""
    _said: list[str] = field(default_factory=list)
    _held_back: list[str] = field(default_factory=list)
    _held_for: float = 0.0

    def say(self, line: str) -> None:
        """Say one line, without its line end."""
        if self.silent_for > 0:
            return
        if line.startswith("ok"):
            if self._loses_ok():
                self.lost_oks += 1
                return
            if self.double_next_ok:
                self.double_next_ok = False
                self._send(line + self.ending)
        if len(line) > 1 and self._splits():
            middle = len(line) // 2
            line = line[:middle] + self.ending + line[middle:]
        self._send(line + self.ending)

    def due_in(self) -> float:
        """Seconds until the rest of a halved line comes."""
        return self._held_for if self._held_back else math.inf

    def advance(self, dt: float) -> None:
        """Let `dt` seconds pass."""
        if self.silent_for > 0:
            self.silent_for = max(0.0, self.silent_for - dt)
        if self._held_back:
            self._held_for -= dt
            if self._held_for <= 1e-9:
                self._said += self._held_back
                self._held_back.clear()

    def take(self) -> bytes:
        """Fetch what was said since the last call."""
        if not self._said:
            return b""
        said = "".join(self._said).encode("latin-1")
        self._said.clear()
        return said

    def forget(self) -> None:
        """Drop what was said and not yet fetched: nobody is there to hear it."""
        self._said.clear()
        self._held_back.clear()

    def _send(self, text: str) -> None:
        if self._held_back:
            self._held_back.append(text)
        elif self.halve_lines and self.dice.random() < self.halve_lines:
            middle = self.dice.randrange(1, len(text))
            self._said.append(text[:middle])
            self._held_back.append(text[middle:])
            self._held_for = self.pause
        else:
            self._said.append(text)

    def _loses_ok(self) -> bool:
        if self.lose_next_ok:
            self.lose_next_ok = False
            return True
        return bool(self.lose_oks) and self.dice.random() < self.lose_oks

    def _splits(self) -> bool:
        if self.split_next:
            self.split_next = False
            return True
        return bool(self.split_lines) and self.dice.random() < self.split_lines

"""What a board says on its serial line, and the ways in which that goes wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass
class SerialOutput:
    """Lines that were said and not yet fetched. The fault fields are set by the simulators."""

    ending: str = "\n"
    silent_for: float = 0.0
    """Seconds during which every line is lost."""
    lose_next_ok: bool = False
    split_next: bool = False
    """Whether a line end falls into the middle of the next line."""
    _said: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        """Say one line, without its line end."""
        if self.silent_for > 0:
            return
        if self.lose_next_ok and line.startswith("ok"):
            self.lose_next_ok = False
            return
        if self.split_next and len(line) > 1:
            self.split_next = False
            middle = len(line) // 2
            line = line[:middle] + self.ending + line[middle:]
        self._said.append(line + self.ending)

    def advance(self, dt: float) -> None:
        """Let `dt` seconds pass."""
        self.silent_for = max(0.0, self.silent_for - dt)

    def take(self) -> bytes:
        """Fetch what was said since the last call."""
        said = "".join(self._said).encode("latin-1")
        self._said.clear()
        return said


@dataclass
class Timer:
    """Goes off every `period` seconds of simulated time; 0 is never."""

    period: float
    _elapsed: float = 0.0

    def restart(self) -> None:
        """Begin a whole period anew."""
        self._elapsed = 0.0

    def due_in(self) -> float:
        """Seconds until it goes off."""
        return self.period - self._elapsed if self.period > 0 else math.inf

    def advance(self, dt: float) -> bool:
        """Let `dt` seconds pass; True if it went off."""
        if self.period <= 0:
            return False
        self._elapsed += dt
        if self._elapsed < self.period - 1e-9:
            return False
        self._elapsed = 0.0
        return True

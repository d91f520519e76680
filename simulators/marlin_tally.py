"""What a board counts for whoever measures a host."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field

from simulators.marlin_lines import Line, parse
from simulators.marlin_waits import Clock

BITS_PER_BYTE = 10


@dataclass
class Tally:
    """Bytes and hunger of a board's line; it outlives a reset. Times are the board's own, in s.

    `received` holds every command as it was accepted, in order, without number and checksum.
    What cannot be a command, such as the tail of a line whose head was lost, is in `rubbish`.
    """

    clock: Clock
    baud: int | None = None
    received: list[str] = field(default_factory=list)
    rubbish: list[str] = field(default_factory=list)
    arrived: int = 0
    """Bytes that came."""
    lost: int = 0
    """Bytes for which there was no room."""
    refused: int = 0
    """Lines that were asked for again."""
    first_at: float | None = None
    """When the first byte began to come."""
    last_at: float = 0.0
    """When the last byte had come."""
    starved: float = 0.0
    """Seconds between the two in which no byte came, although the board had nothing to do."""
    _hungry: float = 0.0

    @property
    def share(self) -> float:
        """Of the time between the first byte and the last, the part in which bytes came."""
        if self.first_at is None or self.baud is None or self.last_at <= self.first_at:
            return 0.0
        return self.arrived * BITS_PER_BYTE / self.baud / (self.last_at - self.first_at)

    def heard(self, count: int) -> None:
        """Count bytes, the last of which has just come."""
        took = 0.0 if self.baud is None else count * BITS_PER_BYTE / self.baud
        if self.first_at is None:
            self.first_at = self.clock.now - took
        else:
            self.starved += max(0.0, self._hungry - took)
        self._hungry = 0.0
        self.arrived += count
        self.last_at = self.clock.now

    def hungers(self, dt: float) -> None:
        """Let `dt` seconds pass in which the board could have taken more."""
        self._hungry += dt

    def accepted(self, line: Line) -> None:
        """Keep a line that was accepted."""
        kept = self.rubbish if line.number is None and not parse(line.text).code else self.received
        kept.append(line.text)

    def clear(self) -> None:
        """Begin to count anew."""
        self.received.clear()
        self.rubbish.clear()
        self.arrived = self.lost = self.refused = 0
        self.first_at, self.last_at = None, 0.0
        self.starved = self._hungry = 0.0

    def digest(self, without: Collection[str] = ()) -> tuple[int, str]:
        """Count the commands received, and their SHA-256, each ended by a line feed.

        Commands whose codes are in `without`, such as M105, are left out.
        """
        kept = [line for line in self.received if parse(line).code not in without]
        text = "".join(f"{line}\n" for line in kept)
        return len(kept), hashlib.sha256(text.encode("latin-1")).hexdigest()

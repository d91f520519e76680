"""What goes wrong between an instrument and its reader: bytes in either way, spoilt bytes out.

Pure: no socket and no clock. A reply goes in as bytes and comes out as what reaches the wire,
each piece with its delay, so that a server only has to send it.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["lose", "delay", "garble", "cut", "duplicate", "disconnect", "hang"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Disconnect:
    """The link drops at this point; what comes after it belongs to the next connection."""


@dataclass(frozen=True)
class Restart:
    """The instrument starts anew at this point, as after a dip of its supply."""


Mishap = Disconnect | Restart
Piece = tuple[float, bytes | Disconnect]
"""What reaches the wire, and how many seconds later than it should."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing to do to replies: to the `next` ones, or to each with a `probability`.

    - `lose`: nothing arrives.
    - `delay`: everything arrives `seconds` late.
    - `garble`: `flips` bytes arrive as other bytes.
    - `cut`: only the first `keep` bytes arrive (None: a random part, never all of it).
    - `duplicate`: everything arrives twice.
    - `disconnect`: the link drops after `keep` bytes (None: a random part).
    - `hang`: the instrument is silent and deaf from here on, until it is told otherwise.

    Raises `ValueError` for a fault that says neither or both of `next` and `probability`, or
    whose numbers make no sense.
    """

    kind: Kind
    next: int | None = None
    probability: float | None = None
    seconds: float = 0.0
    keep: int | None = None
    flips: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"fault must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if (self.next is None) == (self.probability is None):
            raise ValueError("a fault needs either next or probability")
        if self.next is not None and self.next < 1:
            raise ValueError(f"next must be at least 1 reply, not {self.next}")
        if self.probability is not None and not 0 < self.probability <= 1:
            raise ValueError(f"probability must be above 0 and at most 1, not {self.probability}")
        if self.kind == "delay" and not 0 < self.seconds < math.inf:
            raise ValueError(f"a delay needs seconds above 0, not {self.seconds}")
        if self.keep is not None and self.keep < 0:
            raise ValueError(f"keep must be at least 0 bytes, not {self.keep}")
        if self.flips < 1:
            raise ValueError(f"flips must be at least 1 byte, not {self.flips}")


@dataclass
class _Rule:
    """A fault in force, and for how many replies it still is; None is for ever."""

    fault: Fault
    left: int | None

    def fires(self, rng: random.Random) -> bool:
        if self.fault.probability is not None:
            return rng.random() < self.fault.probability
        if self.left is not None:
            self.left -= 1
        return True


class Faults:
    """The faults in force, what they have done so far, and whether the instrument hangs.

    Faults act in the order in which they were added. `counts` has one entry per kind that has
    fired; `replies` counts all replies that came by.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._rules: list[_Rule] = []
        self.counts: Counter[Kind] = Counter()
        self.replies = 0
        self.hung = False
        self._ahead: list[tuple[int, Mishap]] = []
        self._names: dict[bytes, bytes] = {}
        self._words, self._pause, self._quiet_for = b"", 0.0, 0.0

    def add(self, fault: Fault) -> None:
        """Put a fault in force, after those that are."""
        self._rules.append(_Rule(fault, fault.next))

    def hang(self) -> None:
        """Make the instrument silent and deaf now, without waiting for a reply."""
        self.counts["hang"] += 1
        self.hung = True

    def strike(self, mishap: Mishap, after: int) -> None:
        """Let a mishap happen when `after` more bytes have been heard. ValueError for less than 0."""
        if after < 0:
            raise ValueError(f"after must be at least 0 bytes, not {after}")
        self._ahead = sorted([*self._ahead, (after, mishap)], key=lambda entry: entry[0])

    def answer_as(self, own: bytes, other: bytes) -> None:
        """Let every reply have `other` where the instrument says `own`: another one answers."""
        if not own:
            raise ValueError("own must be what the instrument says, and is empty")
        self._names[own] = other

    def babble(self, words: bytes, every: float) -> None:
        """Let `words` come every so many seconds, whatever is asked; b"" ends that."""
        if not 0 < every < math.inf:
            raise ValueError(f"every must be above 0 s, not {every}")
        self._words, self._pause, self._quiet_for = words, every, 0.0

    def clear(self) -> None:
        """Take all faults away and end a hang; the counters stay."""
        self._rules.clear()
        self._ahead.clear()
        self._names.clear()
        self._words = b""
        self.hung = False

    def heard(self, data: bytes) -> list[bytes | Mishap]:
        """Return what becomes of bytes on their way to the instrument, in order."""
        if self.hung:
            return []
        pieces: list[bytes | Mishap] = []
        start = 0
        for after, mishap in self._ahead:
            if after <= len(data):
                pieces += [data[start:after], mishap]
                start = after
        self._ahead = [(n - len(data), mishap) for n, mishap in self._ahead if n > len(data)]
        return [piece for piece in (*pieces, data[start:]) if piece != b""]

    def chatter(self, dt: float) -> bytes:
        """Return what a babbling instrument says within `dt` seconds."""
        if not self._words:
            return b""
        times, self._quiet_for = divmod(self._quiet_for + dt, self._pause)
        return self._words * int(times)

    def spoil(self, reply: bytes) -> list[Piece]:
        """Return what reaches the wire of one reply, in order."""
        if not reply:
            return []
        self.replies += 1
        for own, other in self._names.items():
            reply = reply.replace(own, other)
        pieces: list[Piece] = [] if self.hung else [(0.0, reply)]
        for rule in self._rules:
            if pieces and rule.fires(self._rng):
                self.counts[rule.fault.kind] += 1
                pieces = self._act(rule.fault, pieces)
        self._rules = [rule for rule in self._rules if rule.left != 0]
        return pieces

    def _act(self, fault: Fault, pieces: list[Piece]) -> list[Piece]:
        match fault.kind:
            case "lose":
                return []
            case "hang":
                self.hung = True
                return []
            case "delay":
                return [(delay + fault.seconds, what) for delay, what in pieces]
            case "duplicate":
                return pieces * 2
            case "garble":
                return [(delay, self._garbled(what, fault.flips)) for delay, what in pieces]
            case "cut":
                return [(delay, self._first(what, fault.keep)) for delay, what in pieces]
            case "disconnect":
                delay, what = pieces[0]
                return [(delay, self._first(what, fault.keep)), (delay, Disconnect())]

    def _garbled(self, what: bytes | Disconnect, flips: int) -> bytes | Disconnect:
        if isinstance(what, Disconnect):
            return what
        spoilt = bytearray(what)
        for place in self._rng.sample(range(len(what)), min(flips, len(what))):
            spoilt[place] ^= self._rng.randrange(1, 256)
        return bytes(spoilt)

    def _first(self, what: bytes | Disconnect, keep: int | None) -> bytes | Disconnect:
        if isinstance(what, Disconnect) or not what:
            return what
        return what[: self._rng.randrange(len(what)) if keep is None else keep]

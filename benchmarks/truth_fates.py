"""What becomes of each reply of a truth device, and the time that this necessarily costs.

Pure: no socket and no clock. Each fate is dealt by a seeded die; the rate of faults goes through
0, 1, 5 and 20 % over and over, so that a line that was brought out of step is also seen on calm
water.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal, get_args

Kind = Literal["late", "lost", "duplicated", "garbled", "cut", "split"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
RATES: Final = (0.0, 0.01, 0.05, 0.20)
STRETCH: Final = 50
"""Replies that are dealt at one rate before the next rate's turn."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The seconds that a line lives by: the device's own, and those that its reader waits.

    `silence` is what the line must be quiet between two frames, 0 where nothing asks for it.
    """

    device: float
    silence: float = 0.0
    first_byte: float = 0.030
    next_byte: float = 0.010

    @property
    def plain(self) -> float:
        """What a reading without a fault takes at least."""
        return self.silence + self.device


PACES: Final = {"rtu": Pace(device=0.002, silence=0.00175), "scpi": Pace(device=0.003)}
"""A controller that turns round in 2 ms, on a line faster than 19,200 baud, where the standard asks
for 1.75 ms of silence; a multimeter at its fastest, 300 readings a second."""

CALM: Final = 5
"""Replies at the beginning that meet no fault: a device is greeted before it is measured."""

LATEST: Final = 2.5
"""Time-outs after which the latest of the late replies comes."""


@dataclass(frozen=True)
class Dealt:
    """One reply as it reaches the wire: (seconds after the request was taken up, bytes).

    The device is `busy` for so many seconds. `fault` are those that the fault adds, to whoever
    waits for the reply, to the time of a plain one.
    """

    pieces: tuple[tuple[float, bytes], ...]
    busy: float
    fault: float = 0.0


class Fates:
    """Deals fates to the replies of one line.

    `flips` are the patterns that a byte may be garbled with. Modbus has a CRC and takes any. Text
    has no checksum: a digit that became another digit is a valid answer that nothing can tell from
    the true one, so text is garbled as wrong baud rates and framing errors do it, beyond ASCII.
    """

    def __init__(
        self, pace: Pace, seed: int, *, rates: tuple[float, ...] = RATES, flips: range
    ) -> None:
        self.pace, self._rates, self._flips = pace, rates, flips
        self._dice = random.Random(seed)
        self._dealt = 0
        self.counts: Counter[Kind] = Counter()

    def deal(self, reply: bytes) -> Dealt:
        """Let one reply meet its fate."""
        rate = self._rates[self._dealt // STRETCH % len(self._rates)]
        self._dealt += 1
        if self._dealt <= CALM or self._dice.random() >= rate:
            return self._on_time(reply)
        kind = self._dice.choice(KINDS)
        self.counts[kind] += 1
        match kind:
            case "late":
                return self._late(reply)
            case "lost":
                pace = self.pace
                return Dealt((), pace.device, pace.first_byte - pace.device)
            case "duplicated":
                return self._on_time(reply * 2)
            case "garbled":
                return self._garbled(reply)
            case "cut":
                return self._on_time(
                    reply[: self._dice.randrange(1, len(reply))], self.pace.next_byte
                )
            case "split":
                return self._split(reply)

    def _on_time(self, reply: bytes, fault: float = 0.0) -> Dealt:
        device = self.pace.device
        return Dealt(((device, reply),), device, fault)

    def _late(self, reply: bytes) -> Dealt:
        busy = self.pace.first_byte * self._dice.uniform(1.02, LATEST)
        return Dealt(((busy, reply),), busy, busy - self.pace.device)

    def _garbled(self, reply: bytes) -> Dealt:
        place = self._dice.randrange(len(reply))
        flip = self._flips[self._dice.randrange(len(self._flips))]
        spoilt = reply[:place] + bytes([reply[place] ^ flip]) + reply[place + 1 :]
        ends = reply.endswith(b"\n") and place == len(reply) - 1
        return self._on_time(spoilt, self.pace.next_byte if ends else 0.0)

    def _split(self, reply: bytes) -> Dealt:
        place = self._dice.randrange(1, len(reply))
        pause = self.pace.next_byte * self._dice.uniform(0.1, 0.4)
        begin, end = self.pace.device, self.pace.device + pause
        return Dealt(((begin, reply[:place]), (end, reply[place:])), end, pause)

"""How far one unit of a serial bus can be trusted not to owe an old reply."""

import random
from collections import deque
from dataclasses import dataclass
from typing import Final

from drivers.errors import LinkTimeout

BITS_PER_CHARACTER: Final = 11
FASTEST_COUNTED: Final = 19_200
SWAPPED_AFTER: Final = 2
"""Attempts in a row without an echo, after which another device may have taken the unit's place."""


@dataclass(slots=True)
class Standing:
    """What a bus knows of one unit's debts; it outlives the unit's connections."""

    is_new: bool = True  # nothing was asked of it since this program began
    in_doubt: bool = False
    owes_until: float = 0.0  # of the loop's clock: until then an old reply may come
    longest: float = 0.0  # seconds a reply may take
    echoes: bool | None = None  # whether it knows function 8/0; None: not known yet
    probes: int = 0  # questions whether it does
    fences_lost: int = 0  # attempts in a row to get back in step that failed

    def lose_fence(self) -> None:
        """Note that no echo came: on a bad line chance, more than once a reason to ask anew."""
        self.fences_lost += 1
        if self.fences_lost == SWAPPED_AFTER:
            self.echoes, self.probes, self.fences_lost = None, 0, 0


def silence(baudrate: int) -> float:
    """Return the seconds between two frames: 3.5 characters, and 1.75 ms above 19,200 baud.

    Source: MODBUS over Serial Line V1.02, 2.5.1.1.
    """
    if baudrate > FASTEST_COUNTED:
        return 1.75e-3
    return 3.5 * BITS_PER_CHARACTER / baudrate


class FenceLost(LinkTimeout):
    """The unit is out of step and did not answer the fence, so the request was not sent."""

    sent = False


class StillOwing(Exception):
    """An old reply of a unit may come, and it is waited for off the bus; nothing was sent."""


class Nonces:
    """Random numbers of 16 bits for echoes, none of them twice in 64: an echo may be late as well."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._used: deque[int] = deque(maxlen=64)

    def next(self) -> int:
        """Throw one that was not used lately."""
        while (nonce := self._dice.randrange(0x10000)) in self._used:
            pass
        self._used.append(nonce)
        return nonce

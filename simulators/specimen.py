"""A specimen in the oven, with its leads on the meter: a platinum resistor.

Source: IEC 60751, the linear part of its characteristic between 0 and 200 °C.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

__all__ = ["Specimen"]

R0_OHM: Final = 100.0
"""Resistance at 0 °C."""
PER_KELVIN: Final = 3.85e-3


class Specimen:
    """A Pt100 that is as warm as what it lies in; `temperature` tells that, in °C.

    `aged` is by how much of itself its resistance has risen for good, for the experimenter to set.
    """

    def __init__(self, temperature: Callable[[], float]) -> None:
        self._temperature = temperature
        self.aged = 0.0

    def ohms(self) -> float:
        """Resistance now, in Ohm."""
        return R0_OHM * (1 + PER_KELVIN * self._temperature()) * (1 + self.aged)

"""The hottest temperatures that a file asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isfinite
from typing import Final

from drivers.survey.report import Peak

HEATERS: Final = {
    "M104": ("nozzle", "SRB"),  # B is the hottest of Marlin's AUTOTEMP
    "M109": ("nozzle", "SRB"),
    "G10": ("nozzle", "SR"),  # with P, RepRapFirmware's temperatures of a tool
    "M568": ("nozzle", "SR"),
    "M140": ("bed", "SR"),
    "M190": ("bed", "SR"),
    "M141": ("chamber", "SR"),
    "M191": ("chamber", "SR"),
    "M303": ("nozzle", "S"),  # tuning heats up as well; E-1 is the bed, E-2 the chamber
}
"""What a code heats, and the letters of its temperatures."""

NAMED: Final = frozenset({"SET_HEATER_TEMPERATURE", "PID_CALIBRATE"})
"""Klipper's own orders that heat, with HEATER= and TARGET=. Source: Klipper, "G-Codes"."""

_PARAMETER = re.compile(rb"(HEATER|TARGET)\s*=\s*\"?([^\s\"]+)", re.IGNORECASE)
_TUNED: Final = {-1.0: "bed", -2.0: "chamber"}


class Heat:
    """Remembers the hottest nozzle, bed and chamber."""

    def __init__(self) -> None:
        self.peaks: dict[str, Peak] = {}

    def see(self, code: str, words: Sequence[tuple[str, float | None]], line: int) -> None:
        """Look at an order. Where a letter comes twice, the hotter one counts."""
        base = code.partition(".")[0]
        if base not in HEATERS or (base == "G10" and "P" not in dict(words)):
            return
        place, letters = HEATERS[base]
        if base == "M303":
            place = _TUNED.get(dict(words).get("E") or 0.0, place)
        for letter, value in words:
            if letter in letters and value is not None:
                self._heated(place, value, line, code)

    def see_named(self, code: str, text: bytes, line: int) -> None:
        """Look at an order that names its heater; one that is no bed and no chamber counts as a nozzle."""
        if code not in NAMED:
            return
        said = {name.upper(): value for name, value in _PARAMETER.findall(text)}
        heater = said.get(b"HEATER", b"").lower()
        place = "bed" if b"bed" in heater else "chamber" if b"chamber" in heater else "nozzle"
        try:
            value = float(said.get(b"TARGET", b""))
        except ValueError:  # none, or one that Klipper refuses
            return
        if isfinite(value):
            self._heated(place, value, line, code)

    def _heated(self, place: str, value: float, line: int, code: str) -> None:
        known = self.peaks.get(place)
        if known is None or value > known.value:
            self.peaks[place] = Peak(value=value, line=line, code=code)

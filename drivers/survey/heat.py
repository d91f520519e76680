"""The hottest temperatures that a file asks for."""

from __future__ import annotations

from collections.abc import Sequence
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
                known = self.peaks.get(place)
                if known is None or value > known.value:
                    self.peaks[place] = Peak(value=value, line=line, code=code)

"""What slicers write into comments: who they are, how long it takes, how much filament it needs.

Read from the files that PrusaSlicer, SuperSlicer, OrcaSlicer, BambuStudio and Cura write. Each has
its own words, before or behind the program.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from drivers.survey.report import Slicer

KEPT: Final = 400
"""Bytes of a comment that are looked at; slicers put whole scripts into one."""
PLACEHOLDER_S: Final = 6666
"""CuraEngine writes this time before it knows a better one, and leaves it when run by itself."""

_KEYED = re.compile(r"([^:=;]{1,60}?)\s*[:=]\s*(.*)")
_MAKER = re.compile(
    r"(?:g-?code )?generated (?:by|with) ([A-Za-z][\w-]*?)(?:_SteamEngine)?(?:\(R\))?"
    r"(?: prusa edition)?(?: version)? v?(\d\S*)"
    r"|(BambuStudio|OrcaSlicer) (\d\S*)",
    re.IGNORECASE,
)
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([dhms])")
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,12})?")
_UNITS: Final = {"d": 86400, "h": 3600, "m": 60, "s": 1}


class Comment(NamedTuple):
    """A comment of the form "key = value" or "key: value"; else the key is all of it."""

    key: str
    value: str


def comment_of(line: bytes) -> Comment:
    """The comment in a line that begins with a semicolon."""
    text = line[1:KEPT].decode("utf-8", "replace").strip()
    match = _KEYED.fullmatch(text)
    return Comment(match[1], match[2]) if match else Comment(text, "")


def duration(text: str) -> float | None:
    """Seconds of "1d 2h 3m 4s", or of a number alone; None for anything else."""
    parts = _PART.findall(text)
    if parts:
        return sum(float(number) * _UNITS[unit] for number, unit in parts)
    return float(text) if _NUMBER.fullmatch(text) else None


def total(text: str) -> float | None:
    """The sum of "1.5, 2" or "1.5m, 2m", one for each extruder."""
    numbers = _NUMBER.findall(text)
    return sum(map(float, numbers)) if numbers else None


def metres(text: str) -> float | None:
    """Millimetres of "1.5m, 2m"."""
    found = total(text)
    return None if found is None else found * 1000


def whole_time(text: str) -> float | None:
    """The second time of "3h 31m 41s; total estimated time: 3h 37m 27s", with what is around it."""
    return duration(text.rpartition("total estimated time:")[2])


_FIELDS: Final[dict[str, tuple[str, Callable[[str], float | None]]]] = {
    "estimated printing time (normal mode)": ("seconds", duration),
    "model printing time": ("seconds", whole_time),
    "total estimated time": ("seconds", duration),
    "TIME": ("seconds", duration),
    "total layer number": ("layers", total),
    "total layers count": ("layers", total),
    "LAYER_COUNT": ("layers", total),
    "layer_height": ("layer_height", total),
    "Layer height": ("layer_height", total),
    "filament used [mm]": ("filament_mm", total),
    "total filament length [mm]": ("filament_mm", total),
    "Filament used": ("filament_mm", metres),
    "filament used [g]": ("filament_g", total),
    "total filament used [g]": ("filament_g", total),
    "total filament weight [g]": ("filament_g", total),
    "Filament weight": ("filament_g", total),
}
"""Words of the slicers: which field of Slicer they fill, and how they are read."""


class Sayings:
    """Collects what a slicer says of itself and of the print. The first word counts."""

    def __init__(self) -> None:
        self.name = self.version = ""
        self._said: dict[str, float] = {}
        self._elapsed: float | None = None

    def see(self, comment: Comment) -> bool:
        """Look at a comment; True if it says something."""
        if comment.key in _FIELDS:
            field, read = _FIELDS[comment.key]
            self._say(comment.key, field, read(comment.value))
        elif comment.key == "TIME_ELAPSED":
            self._elapsed = duration(comment.value)
        elif not self.name and (maker := _MAKER.match(comment.key)):
            self.name, self.version = (maker[1] or maker[3]), (maker[2] or maker[4])
        else:
            return False
        return True

    def slicer(self, layers: int | None) -> Slicer:
        """Everything that was said; `layers` are those that were counted."""
        said = self._said
        counted = said.get("layers", layers)
        return Slicer(
            name=self.name,
            version=self.version,
            seconds=said.get("seconds", self._elapsed),
            layers=None if counted is None else int(counted),
            layer_height=said.get("layer_height"),
            filament_mm=said.get("filament_mm"),
            filament_g=said.get("filament_g"),
        )

    def _say(self, key: str, field: str, value: float | None) -> None:
        if not value or (key == "TIME" and value == PLACEHOLDER_S):
            return
        if key == "LAYER_COUNT":  # of each object, where they are printed one after the other
            self._said[field] = self._said.get(field, 0.0) + value
        else:
            self._said.setdefault(field, value)

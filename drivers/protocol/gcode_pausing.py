"""What is sent when a print pauses and when it goes on: retract, lift, step aside, and back again. Pure.

Source: the pages of G0-G1, G90-G91, G92, M82-M83, M114 and M400 at marlinfw.org/docs/gcode.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from drivers.protocol.gcode_source import Modes
from drivers.survey import Profile

RETRACT_MM: Final = 2.0
LIFT_MM: Final = 5.0
RETRACT_FEED: Final = 1800
LIFT_FEED: Final = 600
TRAVEL_FEED: Final = 6000
"""In mm/min, as F words are."""

Place = Mapping[str, float]
"""Where the head stands, by axis X, Y, Z and E, in mm."""


def place_of(report: Iterable[str]) -> Place:
    """The place in the answer to M114: the position as it was asked for, before its step counts.

    Empty where the answer does not hold all three axes and the filament.
    """
    for line in report:
        found = dict(re.findall(r"\b([XYZE]):\s*(-?\d+(?:\.\d+)?)", line.partition("Count")[0]))
        if set("XYZE") <= set(found):
            return {axis: float(found[axis]) for axis in "XYZE"}
    return {}


def pausing(profile: Profile, place: Place) -> list[str]:
    """The lines that bring the head aside, once it stands still at `place`."""
    if profile.pause is not None:
        return list(profile.pause)
    if not place:
        return []
    script = ["G21", "G91", "M83", f"G1 E-{RETRACT_MM:g} F{RETRACT_FEED}"]
    if lift := _lift(profile, place):
        script.append(f"G1 Z{lift:g} F{LIFT_FEED}")
    script.append("G90")
    if aside := _aside(profile):
        script.append(f"G1 {aside} F{TRAVEL_FEED}")
    return [*script, "M400"]


def resuming(profile: Profile, modes: Modes, place: Place) -> list[str]:
    """The lines that bring the head back to `place`, and the board's modes to what they were."""
    if profile.resume is not None:
        return list(profile.resume)
    if not place:
        return []
    script = ["G21", "G90"]
    if _aside(profile):
        script.append(f"G1 X{place['X']:g} Y{place['Y']:g} F{TRAVEL_FEED}")
    if _lift(profile, place):
        script.append(f"G1 Z{place['Z']:g} F{LIFT_FEED}")
    script += ["M83", f"G1 E{RETRACT_MM:g} F{RETRACT_FEED}", f"G92 E{place['E']:g}"]
    return [*script, *_restored(modes)]


def _restored(modes: Modes) -> list[str]:
    lines = ["G90" if modes.absolute else "G91", "M82" if modes.absolute_e else "M83"]
    if modes.inches:
        lines.append("G20")
    if modes.feed is not None:
        lines.append(f"G1 F{modes.feed:g}")
    return lines


def _lift(profile: Profile, place: Place) -> float:
    """How far the head may rise, mm. Without a volume nobody knows where the top is."""
    if "Z" not in profile.volume:
        return 0.0
    return round(min(LIFT_MM, max(0.0, profile.volume["Z"][1] - place["Z"])), 3)


def _aside(profile: Profile) -> str:
    """The place where the part is out of the way and, where the bed moves, comes forward: X low, Y high."""
    if not {"X", "Y"} <= set(profile.volume):
        return ""
    (left, _), (_, back) = profile.volume["X"], profile.volume["Y"]
    return f"X{left:g} Y{back:g}"

"""The examination of files of G-code: what is in them, and whether a printer may get them.

    scan = Scan()
    for piece in pieces:
        scan.feed(piece)
    survey = scan.finish()
    refusals("part.gcode", survey, profile)

As a process of its own: `python -m drivers.survey < part.gcode` prints the survey as JSON.
"""

from drivers.profile import Bound, Buffers, Profile
from drivers.survey.admission import refusals, warnings
from drivers.survey.report import (
    Demand,
    Extent,
    Load,
    Peak,
    Place,
    Slicer,
    Spot,
    Survey,
    Thumbnail,
    Trouble,
    Use,
)
from drivers.survey.scan import Scan

__all__ = [
    "Bound",
    "Buffers",
    "Demand",
    "Extent",
    "Load",
    "Peak",
    "Place",
    "Profile",
    "Scan",
    "Slicer",
    "Spot",
    "Survey",
    "Thumbnail",
    "Trouble",
    "Use",
    "refusals",
    "warnings",
]

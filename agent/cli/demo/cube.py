"""A small cube to print: 10 mm wide, one wall, a few layers. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from math import pi

WIDTH_MM = 10.0
CORNER_MM = 60.0
LAYER_MM = 0.2
LAYERS = 50
LINE_MM = 0.45
FILAMENT_MM = 1.75
WALL_FEED, TRAVEL_FEED = 1800, 6000
"""In mm/min, as F words are."""
BED_C, NOZZLE_C = 40, 200

PER_MM = LINE_MM * LAYER_MM / (pi * FILAMENT_MM**2 / 4)
"""Filament pushed for a millimetre of wall, in mm."""


def cube() -> str:
    """The G-code of the cube, with absolute moves and relative extrusion."""
    return "\n".join([*_begin(), *(line for n in range(LAYERS) for line in _layer(n)), *_end()])


def _begin() -> Iterator[str]:
    yield "; a cube of 10 mm for the first print: one wall, no bottom, no top"
    yield "G21"
    yield "G90"
    yield "M83"
    yield f"M140 S{BED_C}"
    yield f"M104 S{NOZZLE_C}"
    yield "G28"
    yield f"M109 S{NOZZLE_C}"
    yield "M106 S128"


def _layer(number: int) -> Iterator[str]:
    near, far = CORNER_MM, CORNER_MM + WIDTH_MM
    yield f"; layer {number + 1} of {LAYERS}"
    yield f"G0 X{near:.2f} Y{near:.2f} Z{(number + 1) * LAYER_MM:.2f} F{TRAVEL_FEED}"
    push = WIDTH_MM * PER_MM
    for x, y in ((far, near), (far, far), (near, far), (near, near)):
        yield f"G1 X{x:.2f} Y{y:.2f} E{push:.4f} F{WALL_FEED}"


def _end() -> Iterator[str]:
    yield "M104 S0"
    yield "M140 S0"
    yield "M107"
    yield f"G0 Z{LAYERS * LAYER_MM + 10:.2f} F{TRAVEL_FEED}"
    yield "M84"
    yield ""

"""What files a printer may get: its volume, its limits, and codes allowed or forbidden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Bound:
    """The highest value allowed, and the words of who set it: "config/station.yaml:40"."""

    value: float
    source: str


@dataclass(frozen=True, slots=True)
class Buffers:
    """What the firmware holds of what was sent: lines in its command queue, bytes received."""

    lines: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What one printer may get, and how it is paused.

    Attributes:
        volume: Lowest and highest coordinate in mm by axis, "X", "Y" or "Z". An axis that is
            missing is not checked.
        source: The words of who set the volume and the forbidden codes.
        feed: Fastest feed in mm/min.
        nozzle: Hottest nozzle in °C.
        bed: Hottest bed in °C.
        chamber: Hottest chamber in °C.
        allow: Codes that this printer may get although they are forbidden to all: "M500".
        forbid: Codes that it must not get although others may: "G29".
        pause: G-code that moves the head aside; None is the driver's own.
        resume: G-code that brings it back; None is the driver's own.
        cancel: G-code after a print that was cancelled; None is the driver's own.
        buffers: What the firmware holds, where it is known.
    """

    volume: Mapping[str, tuple[float, float]] = field(default_factory=lambda: MappingProxyType({}))
    source: str = "the printer's profile"
    feed: Bound | None = None
    nozzle: Bound | None = None
    bed: Bound | None = None
    chamber: Bound | None = None
    allow: frozenset[str] = frozenset()
    forbid: frozenset[str] = frozenset()
    pause: tuple[str, ...] | None = None
    resume: tuple[str, ...] | None = None
    cancel: tuple[str, ...] | None = None
    buffers: Buffers | None = None

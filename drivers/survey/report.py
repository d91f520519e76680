"""What the examination of a file has found: facts, whatever printer it is meant for."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Self, TypeAlias, get_args, get_origin, get_type_hints

Row: TypeAlias = tuple[int, float | None, int | None, float | None]
"""Bytes from the beginning to behind a line, seconds printed by then, layer, its height in mm."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """Why the file can't be printed: the line, its code or "", and a sentence about it.

    `by_lines` marks what only keeps the file from being sent line by line over a serial line; a
    printer that takes whole files may well understand it.
    """

    line: int
    code: str
    text: str
    by_lines: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """How often a code is used, and the line of the first time."""

    count: int
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """A line and the code in it."""

    line: int
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Peak:
    """The highest value, and the first line that sets it, by which code."""

    value: float
    line: int
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Extent:
    """The lowest and the highest coordinate of an axis in mm, each with the first line and code."""

    low: float
    low_line: int
    low_code: str
    high: float
    high_line: int
    high_code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Thumbnail:
    """A picture in the file's comments, and where its base64 is found, with the comment signs.

    Width and height are in pixels; `format` is "png", "jpg" or "qoi"; `offset` and `length` are
    bytes.
    """

    width: int
    height: int
    format: str
    offset: int
    length: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Slicer:
    """What the slicer says of itself and of the print. What it does not say is "" or None."""

    name: str = ""
    version: str = ""
    seconds: float | None = None
    layers: int | None = None
    layer_height: float | None = None
    filament_mm: float | None = None
    filament_g: float | None = None
    thumbnails: tuple[Thumbnail, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """A share of the print that needs about this many bytes/s: how long it lasts, its first line."""

    needed: float
    seconds: float
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Demand:
    """What the serial line has to carry: loads from the lowest to the highest, and the worst one.

    Seconds are lengths divided by feeds, without acceleration. A real head is slower, so that the
    line never has to carry more than this.
    """

    loads: tuple[Load, ...] = ()
    worst: Load | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """How far a print is: seconds over and left, layer of how many (from 1), its height in mm."""

    seconds: float | None
    left: float | None
    layer: int | None
    layers: int | None
    height: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """What is in a file of G-code.

    Attributes:
        size: Bytes. Of a file that was given up (see `trouble`), how many were looked at.
        sha256: Hex digits; "" when the file was given up.
        lines: All lines.
        commands: Lines that would be sent: not blank, not only a comment.
        trouble: Why no printer can be sent this file, by lines; at most 20.
        more_trouble: How many of them are not listed.
        codes: Use of each code: "G1", "G29.1", "T0", "START_PRINT", "M118 //action".
        box: Where the head is moved to, by axis "X", "Y", "Z"; an axis may be missing.
        printed: The same, of moves alone that extrude, from their beginnings.
        unplaced: Axes whose coordinates are set anew while the head is at a place that the file
            does not tell, as after homing: nobody can know where later moves end.
        nozzle: Hottest nozzle in °C.
        bed: Hottest bed in °C.
        chamber: Hottest chamber in °C.
        feed: Fastest feed in mm/min.
        slicer: What the slicer says.
        seconds: How long the print takes: what the slicer says, else lengths divided by feeds.
        marks: How far the print is behind a line, in the order of the file; at most about 2,000.
        demand: What a serial line has to carry.
    """

    size: int = 0
    sha256: str = ""
    lines: int = 0
    commands: int = 0
    trouble: tuple[Trouble, ...] = ()
    more_trouble: int = 0
    codes: Mapping[str, Use] = field(default_factory=dict)
    box: Mapping[str, Extent] = field(default_factory=dict)
    printed: Mapping[str, Extent] = field(default_factory=dict)
    unplaced: Mapping[str, Spot] = field(default_factory=dict)
    nozzle: Peak | None = None
    bed: Peak | None = None
    chamber: Peak | None = None
    feed: Peak | None = None
    slicer: Slicer = Slicer()
    seconds: float | None = None
    marks: tuple[Row, ...] = ()
    demand: Demand = Demand()

    def at(self, offset: int) -> Place:
        """How far the print is when so many bytes of the file have been printed."""
        after = bisect_right(self.marks, offset, key=lambda row: row[0])
        row: Row = self.marks[after - 1] if after else (0, None, None, None)
        seconds = self._seconds(row, after, offset)
        known = seconds is not None and self.seconds is not None
        return Place(
            seconds=seconds,
            left=max(0.0, (self.seconds or 0.0) - (seconds or 0.0)) if known else None,
            layer=row[2],
            layers=self.slicer.layers,
            height=row[3],
        )

    def to_json(self) -> str:
        """The survey as one line of JSON, in ASCII."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The survey that `to_json` wrote. Raises ValueError when the text is no such thing."""
        try:
            survey: Self = _decoded(cls, json.loads(text))
        except (AttributeError, KeyError, TypeError, IndexError) as error:
            raise ValueError(f"this is no survey of a file: {error!r}") from error
        return survey

    def _seconds(self, row: Row, after: int, offset: int) -> float | None:
        """Between two marks, time goes with the bytes."""
        if row[1] is None or after >= len(self.marks):
            return row[1]
        following = self.marks[after]
        share = (offset - row[0]) / (following[0] - row[0])
        return row[1] + share * ((following[1] or row[1]) - row[1])


def _decoded(hint: Any, value: Any) -> Any:
    """A value of JSON as the type that a field is declared with."""
    if isinstance(hint, type) and is_dataclass(hint):
        hints = _hints(hint)
        return hint(**{name: _decoded(hints[name], value[name]) for name in hints})
    arguments = get_args(hint)
    match get_origin(hint):
        case origin if origin is UnionType:
            return None if value is None else _decoded(arguments[0], value)
        case origin if origin is tuple and ... in arguments:
            return tuple(_decoded(arguments[0], item) for item in value)
        case origin if origin is tuple:
            return _row(arguments, value)
        case None:
            return _plain(hint, value)
    return {name: _decoded(arguments[1], item) for name, item in value.items()}


def _row(kinds: tuple[Any, ...], value: list[Any]) -> tuple[Any, ...]:
    """There are thousands of these, so they are not looked at one by one."""
    if len(value) != len(kinds):
        raise TypeError(f"{value!r} is no row of {len(kinds)}")
    return tuple(value)


def _plain(hint: type, value: Any) -> Any:
    kinds = (int, float) if hint is float else hint
    if not isinstance(value, kinds):
        raise TypeError(f"{value!r} is not of type {hint.__name__}")
    return value


@cache
def _hints(shape: type) -> Mapping[str, Any]:
    return get_type_hints(shape)

"""A line of G-code as GRBL 1.1 reads it: words, modal groups, and what it refuses.

Source: Grbl v1.1 Commands, "View gcode parser state" (modal groups and defaults), Grbl v1.1
Interface, "Grbl Response Messages" (error codes 1 to 36), Grbl v1.1 Jogging. Left out, and so
refused with error 20: arcs, probing, G28, G30, G43.1, G93 and M7.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from simulators.grbl_motion import Kind
from simulators.grbl_settings import AXES, Refusal, Vector

_WORD = re.compile(r"([A-Z])([-+]?(?:\d+\.?\d*|\.\d+))?")
_VALUE_LETTERS = set("FIJKLNPRSTXYZ")
_GROUPS = {
    **dict.fromkeys(("G0", "G1", "G80"), "motion"),
    **dict.fromkeys(("G4", "G10", "G53", "G92", "G92.1"), "non-modal"),
    **dict.fromkeys(("G17", "G18", "G19"), "plane"),
    **dict.fromkeys(("G20", "G21"), "units"),
    **dict.fromkeys(("G90", "G91"), "distance"),
    **dict.fromkeys(("G54", "G55", "G56", "G57", "G58", "G59"), "coordinates"),
    "G40": "cutter",
    "G49": "tool length",
    "G61": "path",
    "G91.1": "arc distance",
    "G94": "feed mode",
    **dict.fromkeys(("M0", "M1", "M2", "M30"), "program"),
    **dict.fromkeys(("M3", "M4", "M5"), "spindle"),
    **dict.fromkeys(("M8", "M9"), "coolant"),
}


@dataclass(frozen=True, kw_only=True)
class Modes:
    """What the parser remembers from line to line; the defaults are those after a reset."""

    motion: str = "G0"
    coordinates: str = "G54"
    plane: str = "G17"
    units: str = "G21"
    distance: str = "G90"
    spindle: str = "M5"
    coolant: str = "M9"
    tool: int = 0
    feed: float = 0.0
    speed: float = 0.0

    def report(self) -> str:
        """The answer to `$G`."""
        return (
            f"[GC:{self.motion} {self.coordinates} {self.plane} {self.units} {self.distance} G94 "
            f"{self.spindle} {self.coolant} T{self.tool} F{self.feed:.0f} S{self.speed:.0f}]"
        )


@dataclass
class Offsets:
    """The work coordinate systems and the G92 offset, mm."""

    systems: dict[str, Vector] = field(
        default_factory=lambda: {f"G{n}": (0.0, 0.0, 0.0) for n in range(54, 60)}
    )
    g92: Vector = (0.0, 0.0, 0.0)

    def total(self, system: str) -> Vector:
        """What is added to work coordinates to give machine coordinates."""
        a, b = self.systems[system], self.g92
        return a[0] + b[0], a[1] + b[1], a[2] + b[2]


@dataclass(frozen=True, kw_only=True)
class Block:
    """A line that was understood: its words, and the modes that hold after it."""

    values: Mapping[str, float]
    commands: Mapping[str, str]
    modes: Modes

    @property
    def scale(self) -> float:
        """Millimetres of the unit that lengths are given in."""
        return 25.4 if self.modes.units == "G20" else 1.0

    @property
    def has_axes(self) -> bool:
        """Whether any of X, Y and Z is in the line."""
        return any(axis in self.values for axis in AXES)

    @property
    def moves(self) -> bool:
        """Whether its axis words are the target of a move."""
        return self.has_axes and self.commands.get("non-modal") not in ("G10", "G92")

    @property
    def kind(self) -> Kind:
        """Whether it moves by rapid or by feed."""
        return Kind.RAPID if self.modes.motion == "G0" else Kind.FEED

    def target(self, planned: Vector, offset: Vector) -> Vector:
        """Where it moves to in machine coordinates, mm."""
        machine = self.commands.get("non-modal") == "G53"
        x, y, z = (
            self._along(axis, planned[i], 0.0 if machine else offset[i], machine=machine)
            for i, axis in enumerate(AXES)
        )
        return x, y, z

    def _along(self, axis: str, planned: float, offset: float, *, machine: bool) -> float:
        if axis not in self.values:
            return planned
        value = self.values[axis] * self.scale
        if self.modes.distance == "G91" and not machine:
            return planned + value
        return value + offset


def read_block(line: str, modes: Modes) -> Block:
    """Understand a line without spaces and comments, in capitals; or raise `Refusal`."""
    values, commands = _words(line)
    _check_values(values)
    modes = _next_modes(values, commands, modes)
    block = Block(values=values, commands=commands, modes=modes)
    _check_use(block)
    return block


def read_jog(line: str, modes: Modes) -> Block:
    """Understand what follows `$J=`; it changes no mode. Or raise `Refusal`."""
    values, commands = _words(line)
    _check_values(values)
    allowed = {"G20", "G21", "G90", "G91", "G53"}
    if not set(commands.values()) <= allowed or not set(values) <= set("XYZFN"):
        raise Refusal(16)
    block = Block(
        values=values,
        commands=commands,
        modes=replace(
            modes,
            units=commands.get("units", modes.units),
            distance=commands.get("distance", modes.distance),
        ),
    )
    if not block.has_axes:
        raise Refusal(26)
    if not values.get("F"):
        raise Refusal(22)
    return block


def _words(line: str) -> tuple[dict[str, float], dict[str, str]]:
    values: dict[str, float] = {}
    commands: dict[str, str] = {}
    at = 0
    while at < len(line):
        word = _WORD.match(line, at)
        if word is None:
            raise Refusal(1)
        if word[2] is None:
            raise Refusal(2)
        at = word.end()
        _sort(word[1], float(word[2]), values, commands)
    return values, commands


def _sort(letter: str, number: float, values: dict[str, float], commands: dict[str, str]) -> None:
    if letter in "GM":
        name = f"{letter}{number:g}"
        if name.startswith("G59."):
            raise Refusal(29)
        if name not in _GROUPS:
            raise Refusal(20)
        if _GROUPS[name] in commands:
            raise Refusal(21)
        commands[_GROUPS[name]] = name
    elif letter not in _VALUE_LETTERS:
        raise Refusal(20)
    elif letter in values:
        raise Refusal(25)
    else:
        values[letter] = number


def _check_values(values: Mapping[str, float]) -> None:
    if any(values.get(letter, 0.0) < 0 for letter in "FNPST"):
        raise Refusal(4)
    if not 0 <= values.get("N", 1) <= 9_999_999:
        raise Refusal(27)


def _next_modes(values: Mapping[str, float], commands: Mapping[str, str], modes: Modes) -> Modes:
    units = commands.get("units", modes.units)
    feed = values["F"] * (25.4 if units == "G20" else 1.0) if "F" in values else modes.feed
    return Modes(
        motion=commands.get("motion", modes.motion),
        coordinates=commands.get("coordinates", modes.coordinates),
        plane=commands.get("plane", modes.plane),
        units=units,
        distance=commands.get("distance", modes.distance),
        spindle=commands.get("spindle", modes.spindle),
        coolant=commands.get("coolant", modes.coolant),
        tool=int(values.get("T", modes.tool)),
        feed=feed,
        speed=values.get("S", modes.speed),
    )


def _check_use(block: Block) -> None:
    """Refuse words that are missing (26, 28), at odds (24, 30, 31) or of no use (36)."""
    command, motion = block.commands.get("non-modal"), block.commands.get("motion")
    if command in ("G10", "G92") and motion in ("G0", "G1"):
        raise Refusal(24)
    if command in ("G10", "G92") and not block.has_axes:
        raise Refusal(26)
    needed = {"G4": "P", "G10": "PL"}.get(command or "", "")
    if any(letter not in block.values for letter in needed):
        raise Refusal(28)
    if command == "G53" and block.modes.motion == "G80":
        raise Refusal(30)
    if block.moves and block.modes.motion == "G80":
        raise Refusal(31)
    if block.modes.motion == "G1" and (block.moves or motion == "G1") and block.modes.feed == 0:
        raise Refusal(22)
    if set(block.values) - set("FNSTXYZ") - set(needed):
        raise Refusal(36)

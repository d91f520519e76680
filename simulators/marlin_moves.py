"""The axes of a printer: its moves, its modes, and where it says that it stands.

Source: the page of each command at marlinfw.org/docs/gcode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from simulators.marlin_arcs import centre_by_radius, segments
from simulators.marlin_lines import Command
from simulators.marlin_motion import AXES, STEPS_PER_MM, Planner, Position
from simulators.marlin_talk import Talk
from simulators.marlin_waits import Action, Actions, Clock, Wait, Waits, sleep

HOMING_RATE = {"X": 50.0, "Y": 50.0, "Z": 4.0}
"""Rate towards the end stop, mm/s; touching it twice takes half a second more."""

STOPPED = (
    "Error:Printer stopped due to errors. Fix the error and use M999 to restart. "
    "(Temperature is reset. Set it after restarting)"
)


@dataclass
class Moves:
    """Axes and planner. `is_hot` tells whether filament may be moved."""

    talk: Talk
    clock: Clock
    planner: Planner
    is_hot: Callable[[], bool]
    homed: set[str] = field(default_factory=set)
    stopped: bool = False
    _offset: dict[str, float] = field(default_factory=lambda: dict.fromkeys(AXES, 0.0))
    _absolute: bool = True
    _absolute_e: bool = True
    _millimetres: float = 1.0
    _feed: float = 1500.0
    _feed_percent: float = 100.0
    _flow_percent: float = 100.0

    def actions(self) -> Actions:
        """What to do for each code."""
        return {
            **_same(self._move, ("G0", "G1")),
            **_same(self._arc, ("G2", "G3") if self.talk.options.arcs else ()),
            "G4": self._dwell,
            **_same(self._set_units, ("G20", "G21")),
            "G28": self._home,
            **_same(self._set_absolute, ("G90", "G91")),
            "G92": self._set_position,
            **_same(self._motors_off, ("M18", "M84")),
            **_same(self._set_absolute_e, ("M82", "M83")),
            "M114": self._say_position,
            "M220": self._set_feed_percent,
            "M221": self._set_flow_percent,
            "M400": self._finish_moves,
            "M410": self._quick_stop,
            **_same(self._select_tool, ("T0", "T1", "T2", "T3")),
        }

    def synchronise(self) -> Waits:
        """Wait until every move has ended."""
        yield Wait(done=lambda: self.planner.idle, due_in=self.planner.idle_in)

    def where(self) -> str:
        """The report of the position: where the axes are to go, and the steps they have gone."""
        at = {axis: self.planner.planned[axis] + self._offset[axis] for axis in AXES}
        if self.talk.dialect.position == "count":
            steps = self.planner.position
            count = " ".join(f"{a}:{steps[a] * STEPS_PER_MM[a]:.0f}" for a in "XYZ")
            return " ".join(f"{a}:{at[a]:.2f}" for a in AXES) + f" Count {count}"
        digits = 3 if self.talk.dialect.position == "plain" else 4
        return " ".join(f"{axis}:{at[axis]:.{digits}f}" for axis in AXES)

    def _move(self, command: Command) -> Waits | None:
        target = self._asked(command)
        return None if target is None else self._plan([target])

    def _arc(self, command: Command) -> Waits | None:
        target = self._asked(command)
        if target is None:
            return None
        start, clockwise = self.planner.planned, command.code == "G2"
        end = {**start, **target}
        radius = command.words.get("R")
        if radius is not None:
            centre = centre_by_radius(start, end, radius * self._millimetres, clockwise=clockwise)
        else:
            i, j = (command.number(letter, 0.0) * self._millimetres for letter in "IJ")
            centre = (start["X"] + i, start["Y"] + j) if i or j else None
        if centre is None:
            self.talk.say("Error:G2/G3 bad parameters")
            return None
        return self._plan(segments(start, end, centre, clockwise=clockwise))

    def _asked(self, command: Command) -> dict[str, float] | None:
        """Where a move is to go; None for a move that is not made."""
        rate = command.words.get("F")
        if rate is not None and rate > 0:
            self._feed = rate * self._millimetres
        if self.stopped:
            self.talk.say(STOPPED)
            return None
        target = self._target(command)
        return None if self.talk.dialect.refuses_moves and self._refused(target) else target

    def _plan(self, targets: Iterable[Position]) -> Waits | None:
        """Queue moves, waiting for room where there is none."""
        rate = self._feed * self._feed_percent / 6000.0
        waiting = iter(targets)
        for target in waiting:
            if self.planner.free <= 0:
                return self._plan_later(target, waiting, rate)
            self.planner.move(target, rate)
        return None

    def _plan_later(self, target: Position, others: Iterable[Position], rate: float) -> Waits:
        for one in (target, *others):
            if self.planner.free <= 0:
                yield Wait(
                    done=lambda: self.planner.free > 0, due_in=self.planner.due_in, planned=True
                )
            self.planner.move(one, rate)

    def _target(self, command: Command) -> dict[str, float]:
        target: dict[str, float] = {}
        for axis in AXES:
            value = command.words.get(axis)
            if value is not None:
                target[axis] = self._inside(axis, self._native(axis, value * self._millimetres))
        if "E" in target and not self.is_hot():
            self.talk.say("echo: cold extrusion prevented")
            # The filament counts as moved, so that a later absolute E is no huge jump.
            self._offset["E"] += target["E"] - self.planner.planned["E"]
            del target["E"]
        return target

    def _native(self, axis: str, value: float) -> float:
        absolute = self._absolute_e if axis == "E" else self._absolute
        return value - self._offset[axis] if absolute else value + self.planner.planned[axis]

    def _inside(self, axis: str, value: float) -> float:
        """Cut to the bed, as the firmware's software end stops do with a homed axis."""
        if axis not in self.homed or self.talk.dialect.refuses_moves:
            return value
        return min(max(value, 0.0), self.talk.options.size[axis])

    def _refused(self, target: dict[str, float]) -> bool:
        """Refuse a move as Klipper does: before homing, or out of the printer."""
        size = self.talk.options.size
        axes = [axis for axis in target if axis != "E"]
        place = " ".join(f"{target.get(axis, 0.0):.3f}" for axis in "XYZ")
        if any(axis not in self.homed for axis in axes):
            self.talk.say(f"!! Must home axis first: {place} [0.000]")
            return True
        if any(not 0.0 <= target[axis] <= size[axis] for axis in axes):
            self.talk.say(f"!! Move out of range: {place} [0.000]")
            return True
        return False

    def _finish_moves(self, _: Command) -> Waits:
        return self.synchronise()

    def _dwell(self, command: Command) -> Waits:
        yield from self.synchronise()
        yield from sleep(self.clock, command.number("S", command.number("P", 0.0) / 1000.0))

    def _home(self, command: Command) -> Waits:
        yield from self.synchronise()
        named = [axis for axis in "XYZ" if axis in command.words]
        for axis in named or "XYZ":
            self.planner.move({axis: 0.0}, HOMING_RATE[axis])
            yield from self.synchronise()
            yield from sleep(self.clock, 0.5)
            self.planner.place(axis, 0.0)
            self._offset[axis] = 0.0
            self.homed.add(axis)

    def _set_position(self, command: Command) -> None:
        for axis in AXES:
            value = command.words.get(axis)
            if value is not None:
                self._offset[axis] = value * self._millimetres - self.planner.planned[axis]

    def _say_position(self, _: Command) -> None:
        if self.talk.dialect.position == "ok C:":
            self.talk.riding = f" C: {self.where()}"
        else:
            self.talk.say(self.where())

    def _motors_off(self, _: Command) -> Waits:
        yield from self.synchronise()
        self.homed.clear()

    def _quick_stop(self, _: Command) -> None:
        self.planner.stop()

    def _set_absolute(self, command: Command) -> None:
        self._absolute = self._absolute_e = command.code == "G90"

    def _set_absolute_e(self, command: Command) -> None:
        self._absolute_e = command.code == "M82"

    def _set_units(self, command: Command) -> None:
        self._millimetres = 25.4 if command.code == "G20" else 1.0

    def _set_feed_percent(self, command: Command) -> None:
        if not command.words:
            self.talk.say(f"FR:{self._feed_percent:.0f}%")
        self._feed_percent = command.number("S", self._feed_percent)

    def _set_flow_percent(self, command: Command) -> None:
        if not command.words:
            self.talk.say(f"echo:E0 Flow: {self._flow_percent:.0f}%")
        self._flow_percent = command.number("S", self._flow_percent)

    def _select_tool(self, command: Command) -> None:
        if command.code != "T0":
            self.talk.say(f"echo:{command.code} Invalid extruder")


def _same(action: Action, codes: Iterable[str]) -> Actions:
    return dict.fromkeys(codes, action)

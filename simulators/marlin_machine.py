"""The printer behind the serial port: its axes, its heaters, and what each command does to them.

Source: the page of each command at marlinfw.org/docs/gcode. A command that has to wait is a
generator of `Wait`s; the board runs it on while simulated time passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from simulators.marlin_heaters import Heater, Settling
from simulators.marlin_lines import Command
from simulators.marlin_motion import AXES, STEPS_PER_MM, Planner

HOMING_RATE = {"X": 50.0, "Y": 50.0, "Z": 4.0}
"""Rate towards the end stop, mm/s; touching it twice takes half a second more."""

STOPPED = (
    "Error:Printer stopped due to errors. Fix the error and use M999 to restart. "
    "(Temperature is reset. Set it after restarting)"
)


@dataclass(frozen=True, kw_only=True)
class Wait:
    """What a command waits for, and what the host hears meanwhile."""

    done: Callable[[], bool]
    due_in: Callable[[], float]
    busy: str = "processing"
    report: Callable[[], str] | None = None
    breakable: bool = False


Waits = Iterator[Wait]


@dataclass
class Machine:
    """State and commands of one printer. `now` counts simulated seconds since power-up."""

    say: Callable[[str], None]
    size: dict[str, float]
    min_extrude: float
    nozzle: Heater
    bed: Heater
    now: float = 0.0
    planner: Planner = field(default_factory=Planner)
    homed: set[str] = field(default_factory=set)
    fan: int = 0
    display: str = ""
    stopped: bool = False
    _offset: dict[str, float] = field(default_factory=lambda: dict.fromkeys(AXES, 0.0))
    _absolute: bool = True
    _absolute_e: bool = True
    _millimetres: float = 1.0
    _feed: float = 1500.0
    _feed_percent: float = 100.0

    def due_in(self) -> float:
        """Seconds for which nothing changes of itself."""
        return min(self.planner.due_in(), self.nozzle.due_in(), self.bed.due_in())

    def advance(self, dt: float) -> list[str]:
        """Let time pass; return the faults for which the firmware kills itself."""
        self.now += dt
        self.planner.advance(dt)
        heaters = (self.nozzle, self.bed)
        faults = [(heater.advance(dt), heater.spec.label) for heater in heaters]
        return [f"{fault}, system stopped! Heater_ID: {label}" for fault, label in faults if fault]

    def make_cold(self) -> None:
        """Take the heat and the fan away, and drop every move."""
        self.nozzle.aim(0.0)
        self.bed.aim(0.0)
        self.fan = 0
        self.planner.stop()

    def stop(self) -> None:
        """Stop as a failed probe makes the firmware do: cold, and no move until M999."""
        self.make_cold()
        self.stopped = True
        self.say(STOPPED)

    def run(self, command: Command) -> Waits:
        """Do what a command says, waiting where it waits."""
        action = self._ACTIONS.get(command.code)
        if action is not None:
            waits = action(self, command)
            if waits is not None:
                yield from waits
            return
        self.say(f'echo:Unknown command: "{command.text}"')

    def temperatures(self) -> str:
        """The temperature report, as M105 gives it."""
        n, b = self.nozzle, self.bed
        return (
            f" T:{n.temperature:.2f} /{n.target:.2f} B:{b.temperature:.2f} /{b.target:.2f}"
            f" @:{round(n.duty * 127)} B@:{round(b.duty * 127)}"
        )

    # Motion

    def _move(self, command: Command) -> Waits | None:
        rate = command.words.get("F")
        if rate is not None and rate > 0:
            self._feed = rate * self._millimetres
        if self.stopped:
            self.say(STOPPED)
            return None
        return self._plan(self._target(command))

    def _plan(self, target: dict[str, float]) -> Waits:
        yield Wait(done=lambda: self.planner.free > 0, due_in=self.planner.due_in)
        self.planner.move(target, self._feed * self._feed_percent / 100.0 / 60.0)

    def _target(self, command: Command) -> dict[str, float]:
        target: dict[str, float] = {}
        for axis in AXES:
            value = command.words.get(axis)
            if value is not None:
                target[axis] = self._inside(axis, self._native(axis, value * self._millimetres))
        if "E" in target and self.nozzle.temperature < self.min_extrude:
            self.say("echo: cold extrusion prevented")
            # The filament counts as moved, so that a later absolute E is no huge jump.
            self._offset["E"] += target["E"] - self.planner.planned["E"]
            del target["E"]
        return target

    def _native(self, axis: str, value: float) -> float:
        absolute = self._absolute_e if axis == "E" else self._absolute
        return value - self._offset[axis] if absolute else value + self.planner.planned[axis]

    def _inside(self, axis: str, value: float) -> float:
        """Cut to the bed, as the firmware's software end stops do with a homed axis."""
        if axis not in self.homed:
            return value
        return min(max(value, 0.0), self.size[axis])

    def _synchronise(self) -> Waits:
        yield Wait(done=lambda: self.planner.idle, due_in=self.planner.due_in)

    def _finish_moves(self, _: Command) -> Waits:
        yield from self._synchronise()

    def _dwell(self, command: Command) -> Waits:
        yield from self._synchronise()
        yield from self._sleep(command.number("S", command.number("P", 0.0) / 1000.0))

    def _sleep(self, seconds: float) -> Waits:
        end = self.now + seconds
        yield Wait(done=lambda: self.now >= end - 1e-9, due_in=lambda: end - self.now)

    def _home(self, command: Command) -> Waits:
        yield from self._synchronise()
        named = [axis for axis in "XYZ" if axis in command.words]
        for axis in named or "XYZ":
            self.planner.move({axis: 0.0}, HOMING_RATE[axis])
            yield from self._synchronise()
            yield from self._sleep(0.5)
            self.planner.place(axis, 0.0)
            self._offset[axis] = 0.0
            self.homed.add(axis)

    def _set_position(self, command: Command) -> None:
        for axis in AXES:
            value = command.words.get(axis)
            if value is not None:
                self._offset[axis] = value * self._millimetres - self.planner.planned[axis]

    def _say_position(self, _: Command) -> None:
        where = " ".join(f"{a}:{self.planner.planned[a] + self._offset[a]:.2f}" for a in AXES)
        count = " ".join(f"{a}:{self.planner.position[a] * STEPS_PER_MM[a]:.0f}" for a in "XYZ")
        self.say(f"{where} Count {count}")

    def _motors_off(self, _: Command) -> Waits:
        yield from self._synchronise()
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
        self._feed_percent = command.number("S", self._feed_percent)

    # Heat

    def _heat(self, command: Command) -> Waits | None:
        waits = command.code in ("M109", "M190")
        heater = self.nozzle if command.code in ("M104", "M109") else self.bed
        target = command.words.get("S")
        if target is None and waits:
            target = command.words.get("R")
        if target is not None:
            heater.aim(target)
        return self._settle(heater, cooling_too="R" in command.words) if waits else None

    def _settle(self, heater: Heater, *, cooling_too: bool) -> Waits:
        settling = Settling(heater, cooling_too=cooling_too)
        yield Wait(
            done=lambda: settling.done(self.now),
            due_in=lambda: math.inf,
            report=lambda: f"{self.temperatures()} W:{settling.remaining(self.now)}",
            breakable=True,
        )

    def _set_fan(self, command: Command) -> None:
        asked = command.number("S", 255.0) if command.code == "M106" else 0.0
        self.fan = round(min(max(asked, 0.0), 255.0))

    # Talk

    def _show(self, command: Command) -> None:
        self.display = command.rest

    def _echo(self, command: Command) -> None:
        """M118 sends text back: `A1` puts `// ` before it, `E1` puts `echo:`."""
        text, before = command.rest, ""
        while text[:2] in ("A1", "E1", "P0", "P1"):
            before += {"A1": "// ", "E1": "echo:"}.get(text[:2], "")
            text = text[2:].lstrip()
        self.say(before + text)

    def _pause(self, _: Command) -> Waits:
        yield from self._synchronise()
        yield Wait(
            done=lambda: False, due_in=lambda: math.inf, busy="paused for user", breakable=True
        )

    def _say_card(self, _: Command) -> None:
        self.say("Not SD printing")

    def _select_tool(self, command: Command) -> None:
        if command.code != "T0":
            self.say(f"echo:{command.code} Invalid extruder")

    def _nothing(self, _: Command) -> None:
        """A command that the board has already acted on, or that changes only how it talks."""

    _ACTIONS: ClassVar[dict[str, Callable[[Machine, Command], Waits | None]]] = {
        **dict.fromkeys(("G0", "G1"), _move),
        "G4": _dwell,
        **dict.fromkeys(("G20", "G21"), _set_units),
        "G28": _home,
        **dict.fromkeys(("G90", "G91"), _set_absolute),
        "G92": _set_position,
        **dict.fromkeys(("M0", "M1"), _pause),
        **dict.fromkeys(("M18", "M84"), _motors_off),
        "M27": _say_card,
        **dict.fromkeys(("M82", "M83"), _set_absolute_e),
        **dict.fromkeys(("M104", "M109", "M140", "M190"), _heat),
        **dict.fromkeys(("M106", "M107"), _set_fan),
        **dict.fromkeys(("M108", "M110"), _nothing),
        "M114": _say_position,
        "M117": _show,
        "M118": _echo,
        "M220": _set_feed_percent,
        "M400": _finish_moves,
        "M410": _quick_stop,
        **dict.fromkeys(("T0", "T1", "T2", "T3"), _select_tool),
    }

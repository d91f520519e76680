"""The board of a networked printer: its heaters, its head, its fan, and the commands for them.

Sources: the page of each command at marlinfw.org/docs/gcode; klipper3d.org, G-Codes
(SET_PRINT_STATS_INFO, SET_HEATER_TEMPERATURE, TURN_OFF_HEATERS) and Config Reference
(min_extrude_temp, max_temp).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from simulators.marlin_heaters import BED, NOZZLE, TICK, Heater, Settling
from simulators.networked_gcode import Action, GcodeError, Line
from simulators.networked_head import AXES, Head

MIN_EXTRUDE: Final = 170.0
"""Degrees Celsius below which the nozzle is too cold to push filament."""


@dataclass(frozen=True, kw_only=True)
class Firmware:
    """How the firmware takes what it can't do.

    With `refuses` a command that makes no sense fails, and a print ends with it: a move before
    homing, cold extrusion, too much heat, as in Klipper. Without it such a command is cut to what
    is possible and a remark is made, as in Marlin. With `breaks_heating` a cancel or a pause ends
    the wait for a temperature; without it only an emergency stop does.
    """

    refuses: bool
    breaks_heating: bool


KLIPPER: Final = Firmware(refuses=True, breaks_heating=False)
MARLIN: Final = Firmware(refuses=False, breaks_heating=True)


@dataclass
class Shown:
    """What commands have put on the display: text, part done in percent, minutes left, layers."""

    text: str = ""
    percent: float | None = None
    minutes_left: float | None = None
    layer: int | None = None
    layers: int | None = None


class Board:
    """Carries out commands: each becomes an `Action` that takes its time.

    Raises `GcodeError` from `run` for a command that the firmware refuses.
    """

    def __init__(self, firmware: Firmware, ambient: float, size: dict[str, float]) -> None:
        self.firmware = firmware
        self.now = 0.0
        self.head = Head(size)
        self.heaters = {"nozzle": Heater(NOZZLE, ambient), "bed": Heater(BED, ambient)}
        self.fan = 0.0
        self.shown = Shown()
        self.say: Callable[[str], None] = lambda _: None
        self.break_wait = False

    def advance(self, dt: float) -> str:
        """Let time pass; return the thermal fault for which the firmware stops, or ""."""
        self.now += dt
        left = dt
        while left > 1e-9:
            step = min(left, TICK)
            left -= step
            for name, heater in self.heaters.items():
                if fault := heater.advance(step):
                    return f"{fault}: {name}"
        return ""

    def heat(self, name: str, celsius: float) -> None:
        """Set the target of the `nozzle` or the `bed`. Raises `GcodeError` when it is refused."""
        limit = self.heaters[name].spec.max_temperature
        if self.firmware.refuses and not 0.0 <= celsius <= limit:
            raise GcodeError(
                f"Requested temperature ({celsius:.1f}) out of range (0.0:{limit:.1f})"
            )
        self.heaters[name].aim(celsius)

    def cool(self) -> None:
        """Switch the heaters and the fan off."""
        for heater in self.heaters.values():
            heater.aim(0.0)
        self.fan = 0.0

    def run(self, line: Line) -> Action:
        """Begin a command."""
        command = self._COMMANDS.get(line.code)
        if command is None:
            self._say_unknown(line)
            return Action()
        return command(self, line) or Action()

    def temperatures(self) -> str:
        """The report of M105."""
        n, b = self.heaters["nozzle"], self.heaters["bed"]
        return f"T:{n.temperature:.1f} /{n.target:.1f} B:{b.temperature:.1f} /{b.target:.1f}"

    # Moves

    def _move(self, line: Line) -> Action:
        target = self.head.target(line)
        if self.firmware.refuses:
            self._check_homed(target)
        else:
            target = {a: self._inside(a, value) for a, value in target.items()}
        pushes = "E" in target and target["E"] > self.head.planned["E"]
        if pushes and self.heaters["nozzle"].temperature < MIN_EXTRUDE:
            self._extrude_cold(target)
        return self.head.go(target)

    def _check_homed(self, target: dict[str, float]) -> None:
        axes = [axis for axis in "XYZ" if axis in target]
        if any(axis not in self.head.homed for axis in axes):
            where = " ".join(f"{target.get(axis, 0.0):.3f}" for axis in AXES)
            raise GcodeError(f"Must home axis first: {where}")
        if any(not 0.0 <= target[axis] <= self.head.size[axis] for axis in axes):
            where = " ".join(f"{target.get(axis, 0.0):.3f}" for axis in AXES)
            raise GcodeError(f"Move out of range: {where}")

    def _extrude_cold(self, target: dict[str, float]) -> None:
        if self.firmware.refuses:
            raise GcodeError(
                "Extrude below minimum temp\nSee the 'min_extrude_temp' config option for details"
            )
        self.say("echo: cold extrusion prevented")
        self.head.offset["E"] += self.head.planned["E"] - target.pop("E")

    def _inside(self, axis: str, value: float) -> float:
        return value if axis == "E" else min(max(value, 0.0), self.head.size[axis])

    def _home(self, line: Line) -> Action:
        return self.head.home("".join(a for a in "XYZ" if a in line.words) or "XYZ")

    def _dwell(self, line: Line) -> Action:
        return Action(line.number("S", line.number("P", 0.0) / 1000.0))

    def _set_origin(self, line: Line) -> None:
        self.head.set_origin(line)

    def _set_absolute(self, line: Line) -> None:
        self.head.absolute = self.head.absolute_e = line.code == "G90"

    def _set_absolute_e(self, line: Line) -> None:
        self.head.absolute_e = line.code == "M82"

    def _set_speed(self, line: Line) -> None:
        self.head.speed_factor = max(line.number("S", 100.0), 1.0) / 100.0

    def _set_flow(self, line: Line) -> None:
        self.head.extrude_factor = max(line.number("S", 100.0), 1.0) / 100.0

    def _motors_off(self, _: Line) -> None:
        self.head.homed.clear()

    def _say_position(self, _: Line) -> None:
        at = self.head.coordinates()
        self.say(" ".join(f"{axis}:{at[axis]:.3f}" for axis in AXES))

    # Heat

    def _set_heat(self, line: Line) -> Action | None:
        name = "nozzle" if line.code in ("M104", "M109") else "bed"
        target = line.words.get("S", line.words.get("R"))
        if target is not None:
            self.heat(name, target)
        if line.code in ("M104", "M140"):
            return None
        heater = self.heaters[name]
        settling = Settling(heater, cooling_too="R" in line.words, residency=0.0)
        self.break_wait = False
        return Action(until=lambda: self.break_wait or settling.done(self.now))

    def _set_heater(self, line: Line) -> None:
        names = {"extruder": "nozzle", "heater_bed": "bed"}
        name = line.options.get("HEATER", "")
        if name not in names:
            raise GcodeError(f"The value '{name}' is not valid for HEATER")
        self.heat(names[name], float(line.options.get("TARGET", "0")))

    def _heaters_off(self, _: Line) -> None:
        for heater in self.heaters.values():
            heater.aim(0.0)

    def _say_temperatures(self, _: Line) -> None:
        self.say(self.temperatures())

    def _set_fan(self, line: Line) -> None:
        asked = line.number("S", 255.0) if line.code == "M106" else 0.0
        self.fan = min(max(asked / 255.0, 0.0), 1.0)

    # Display

    def _show(self, line: Line) -> None:
        self.shown.text = line.rest

    def _show_progress(self, line: Line) -> None:
        if "P" in line.words:
            self.shown.percent = line.words["P"]
        if "R" in line.words:
            self.shown.minutes_left = line.words["R"]

    def _set_layers(self, line: Line) -> None:
        if "TOTAL_LAYER" in line.options:
            self.shown.layers = int(line.options["TOTAL_LAYER"]) or None
            self.shown.layer = None if self.shown.layers is None else 0
        if "CURRENT_LAYER" in line.options and self.shown.layers is not None:
            self.shown.layer = min(int(line.options["CURRENT_LAYER"]), self.shown.layers)

    def _respond(self, line: Line) -> None:
        self.say(f"echo: {line.rest}")

    def _nothing(self, _: Line) -> None:
        """A command that changes nothing that can be seen."""

    def _say_unknown(self, line: Line) -> None:
        text = f"{line.code} {line.rest}".strip()
        self.say(
            f'// Unknown command:"{line.code}"'
            if self.firmware.refuses
            else f'echo:Unknown command: "{text}"'
        )

    _COMMANDS: ClassVar[dict[str, Callable[[Board, Line], Action | None]]] = {
        **dict.fromkeys(("G0", "G1", "G2", "G3"), _move),
        "G4": _dwell,
        "G28": _home,
        **dict.fromkeys(("G90", "G91"), _set_absolute),
        "G92": _set_origin,
        **dict.fromkeys(("M82", "M83"), _set_absolute_e),
        **dict.fromkeys(("M104", "M109", "M140", "M190"), _set_heat),
        "SET_HEATER_TEMPERATURE": _set_heater,
        "TURN_OFF_HEATERS": _heaters_off,
        "M105": _say_temperatures,
        **dict.fromkeys(("M106", "M107"), _set_fan),
        "M114": _say_position,
        "M117": _show,
        "M118": _respond,
        "M73": _show_progress,
        "SET_PRINT_STATS_INFO": _set_layers,
        **dict.fromkeys(("M18", "M84"), _motors_off),
        "M220": _set_speed,
        "M221": _set_flow,
        **dict.fromkeys(("G20", "G21", "G29", "M110", "M155", "M204", "M205", "M400"), _nothing),
        **dict.fromkeys(("M115", "M201", "M203", "M862", "M900", "M486", "T0"), _nothing),
    }

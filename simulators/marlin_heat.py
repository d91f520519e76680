"""The heat of a printer: nozzle, bed and the part fan.

Source: marlinfw.org, M104, M105, M106, M109, M140 and M190.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulators.marlin_heaters import Heater, Settling
from simulators.marlin_lines import Command
from simulators.marlin_talk import Talk
from simulators.marlin_waits import Actions, Clock, Wait, Waits


@dataclass
class Heat:
    """Two heaters and a fan, of 0 to 255."""

    talk: Talk
    clock: Clock
    nozzle: Heater
    bed: Heater
    fan: int = 0

    def actions(self) -> Actions:
        """What to do for each code."""
        return {
            "M104": self._heat,
            "M109": self._heat,
            "M140": self._heat,
            "M190": self._heat,
            "M106": self._set_fan,
            "M107": self._set_fan,
        }

    def temperatures(self) -> str:
        """The temperature report, as M105 gives it, with a space before it."""
        return self.talk.dialect.temperatures(self.nozzle, self.bed)

    def off(self) -> None:
        """Take the heat and the fan away."""
        self.nozzle.aim(0.0)
        self.bed.aim(0.0)
        self.fan = 0

    def advance(self, dt: float) -> list[str]:
        """Let time pass; return the faults for which the firmware kills itself."""
        faults = [(h.advance(dt), h.spec.label) for h in (self.nozzle, self.bed)]
        return [f"{fault}, system stopped! Heater_ID: {label}" for fault, label in faults if fault]

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
            done=lambda: settling.done(self.clock.now),
            due_in=lambda: math.inf,
            report=lambda: f"{self.temperatures()} W:{settling.remaining(self.clock.now)}",
            breakable=True,
        )

    def _set_fan(self, command: Command) -> None:
        asked = command.number("S", 255.0) if command.code == "M106" else 0.0
        self.fan = round(min(max(asked, 0.0), 255.0))

"""The status report of GRBL 1.1, and which of its fields are due.

Source: Grbl v1.1 Interface, "Real-time Status reports".
"""

from __future__ import annotations

from dataclasses import dataclass

from simulators.grbl_machine import Machine, State
from simulators.grbl_settings import AXES, Vector

_BUSY = (State.RUN, State.HOLD, State.JOG, State.DOOR, State.HOME)
_INCH = 25.4


@dataclass
class Reporter:
    """Counts the reports: `WCO:` is due in every 10th (30th in motion), `Ov:` in the one after."""

    machine: Machine
    _until_offset: int = 0
    _until_overrides: int = 1
    _offset: Vector | None = None
    _overrides: tuple[object, ...] | None = None

    def restart(self) -> None:
        """Count as after a reset: the first report has the offset, the second the overrides."""
        self._until_offset, self._until_overrides = 0, 1
        self._offset = self._overrides = None

    def line(self, free_bytes: int) -> str:
        """A report of this moment; `free_bytes` is the room in the receive buffer."""
        machine = self.machine
        mask = int(machine.settings.values[10])
        fields = [machine.state_text, self._position(work=not mask & 1)]
        if mask & 2:
            fields.append(f"Bf:{machine.planner.free},{free_bytes}")
        rate = machine.planner.speed * 60.0 / self._unit
        fields.append(f"FS:{rate:.0f},{machine.spindle_speed:.0f}")
        if machine.pressed:
            fields.append("Pn:" + "".join(axis for axis in AXES if axis in machine.pressed))
        fields += self._now_and_then()
        return f"<{'|'.join(fields)}>"

    @property
    def _unit(self) -> float:
        return _INCH if self.machine.settings.on(13) else 1.0

    def vector(self, values: Vector) -> str:
        """Three lengths in the unit of the reports (`$13`)."""
        digits = 4 if self.machine.settings.on(13) else 3
        # Adding nothing turns a negative zero into a zero.
        return ",".join(f"{round(v / self._unit, digits) + 0.0:.{digits}f}" for v in values)

    def _position(self, *, work: bool) -> str:
        position = self.machine.planner.position
        if not work:
            return f"MPos:{self.vector(position)}"
        x, y, z = (p - o for p, o in zip(position, self.machine.offset, strict=True))
        return f"WPos:{self.vector((x, y, z))}"

    def _now_and_then(self) -> list[str]:
        machine = self.machine
        planner = machine.planner
        overrides = (planner.feed_percent, planner.rapid_percent, machine.spindle_percent)
        changing = (*overrides, self._accessories())
        if self._overrides is not None and changing != self._overrides:
            self._until_overrides = 0
        busy = machine.state in _BUSY
        if self._until_offset <= 0 or machine.offset != self._offset:
            self._until_offset, self._offset = (30 if busy else 10) - 1, machine.offset
            self._until_overrides = max(0, self._until_overrides - 1)
            return [f"WCO:{self.vector(machine.offset)}"]
        self._until_offset -= 1
        if self._until_overrides > 0:
            self._until_overrides -= 1
            return []
        self._until_overrides, self._overrides = (20 if busy else 10) - 1, changing
        shown = [f"Ov:{','.join(f'{percent:.0f}' for percent in overrides)}"]
        return [*shown, f"A:{self._accessories()}"] if self._accessories() else shown

    def _accessories(self) -> str:
        modes = self.machine.modes
        turning = {"M3": "S", "M4": "C"}.get(modes.spindle, "")
        if self.machine.spindle_halted:
            turning = ""
        return turning + ("F" if modes.coolant == "M8" else "")

"""What a GRBL 1.1 controller does with a line: G-code, jogs, homing, and the `$` commands.

Source: Grbl v1.1 Commands, "Grbl '$' Commands"; Grbl v1.1 Jogging; Grbl v1.1 Configuration,
`$20` to `$27`. A line that has to wait is a generator of `Wait`s. Left out: start-up lines
(`$Nx=`) and the loss of bytes that arrive while the EEPROM is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simulators.grbl_block import Block, Modes, read_block, read_jog
from simulators.grbl_machine import Machine, State
from simulators.grbl_motion import Kind
from simulators.grbl_report import Reporter
from simulators.grbl_settings import AXES, Refusal, Vector

HELP = "[HLP:$$ $# $G $I $N $x=val $Nx=line $J=line $SLP $C $X $H ~ ! ? ctrl-x]"


@dataclass(frozen=True, kw_only=True)
class Wait:
    """What a line waits for before it is answered."""

    done: Callable[[], bool]
    due_in: Callable[[], float]


Waits = Iterator[Wait]


@dataclass
class Program:
    """Carries out one line after the other. `missing_switch` is an axis that cannot be homed."""

    machine: Machine
    reporter: Reporter
    rx_bytes: int = 128
    build_text: str = ""
    missing_switch: str = ""

    def run(self, line: str) -> Waits:
        """Carry out a line without spaces and comments, in capitals; or raise `Refusal`."""
        if line.startswith("$"):
            yield from self._system(line[1:])
        elif line:
            if self.machine.state in (State.ALARM, State.JOG):
                raise Refusal(9)
            yield from self._block(read_block(line, self.machine.modes))

    # G-code

    def _block(self, block: Block) -> Waits:
        machine, before = self.machine, self.machine.modes
        checking = machine.state is State.CHECK
        if self._must_stand(block, before) and not checking:
            yield self._standing()
        machine.modes = block.modes
        if block.commands.get("non-modal") == "G4" and not checking:
            yield self._sleep(block.values["P"])
        self._set_offsets(block)
        if block.moves:
            yield from self._move(block, checking=checking)
        yield from self._end(block.commands.get("program", ""), checking=checking)

    def _must_stand(self, block: Block, before: Modes) -> bool:
        """Whether the line waits for all motion: dwell, spindle, coolant, and every offset."""
        now = block.modes
        same = (now.spindle, now.coolant, now.coordinates) == (
            before.spindle,
            before.coolant,
            before.coordinates,
        )
        turning = now.spindle != "M5" and now.speed != before.speed
        command = block.commands.get("non-modal")
        return not same or turning or command in ("G4", "G10", "G92", "G92.1")

    def _set_offsets(self, block: Block) -> None:
        offsets, command = self.machine.offsets, block.commands.get("non-modal")
        if command == "G92.1":
            offsets.g92 = (0.0, 0.0, 0.0)
        elif command == "G92":
            system = offsets.systems[self.machine.modes.coordinates]
            offsets.g92 = self._so_that_here_is(block, offsets.g92, system)
        elif command == "G10":
            self._set_system(block)

    def _set_system(self, block: Block) -> None:
        """`G10 L2 P1 X5` sets the offset of G54; `G10 L20 P1 X5` makes it so that here X is 5."""
        offsets, number = self.machine.offsets, int(block.values["P"])
        name = f"G{53 + number}" if number else self.machine.modes.coordinates
        if name not in offsets.systems or block.values["L"] not in (2, 20):
            raise Refusal(20)
        old = offsets.systems[name]
        if block.values["L"] == 20:
            offsets.systems[name] = self._so_that_here_is(block, old, offsets.g92)
        else:
            x, y, z = (
                block.values.get(a, o) for a, o in zip(AXES, _unscaled(old, block), strict=True)
            )
            offsets.systems[name] = (x * block.scale, y * block.scale, z * block.scale)

    def _so_that_here_is(self, block: Block, old: Vector, other: Vector) -> Vector:
        here = self.machine.planner.planned
        x, y, z = (
            here[i] - other[i] - block.values[axis] * block.scale
            if axis in block.values
            else old[i]
            for i, axis in enumerate(AXES)
        )
        return x, y, z

    def _move(self, block: Block, *, checking: bool) -> Waits:
        machine = self.machine
        target = block.target(machine.planner.planned, machine.offset)
        if machine.settings.on(20) and not machine.settings.reaches(target):
            yield from self._brake()
            machine.alarm(2)
        elif checking:
            machine.planner.planned = target
        else:
            yield from self._plan(target, block.modes.feed, block.kind, State.RUN)

    def _plan(self, target: Vector, rate: float, kind: Kind, state: State) -> Waits:
        machine = self.machine
        yield Wait(done=lambda: machine.planner.free > 0, due_in=machine.planner.due_in)
        machine.planner.move(target, rate, kind)
        if not machine.planner.idle:
            machine.state = state

    def _brake(self) -> Waits:
        planner = self.machine.planner
        planner.holding = True
        yield Wait(done=lambda: planner.speed == 0, due_in=planner.due_in)

    def _end(self, command: str, *, checking: bool) -> Waits:
        """M0 pauses until `~`; M2 and M30 put the modes back."""
        if command in ("", "M1") or checking:
            return
        machine = self.machine
        yield self._standing()
        if command == "M0":
            machine.hold()
            yield Wait(done=lambda: machine.state is not State.HOLD, due_in=lambda: math.inf)
            return
        modes = machine.modes
        machine.modes = Modes(motion="G1", tool=modes.tool, feed=modes.feed, units=modes.units)
        machine.say("[MSG:Pgm End]")

    def _standing(self) -> Wait:
        planner = self.machine.planner
        return Wait(done=lambda: planner.idle, due_in=planner.due_in)

    def _sleep(self, seconds: float) -> Wait:
        machine, end = self.machine, self.machine.now + seconds
        return Wait(done=lambda: machine.now >= end - 1e-9, due_in=lambda: end - machine.now)

    # The `$` commands

    def _system(self, text: str) -> Waits:
        if text.startswith("J="):
            yield from self._jog(text[2:])
        elif text == "H":
            yield from self._home()
        elif text == "X":
            self._unlock()
        elif text in ("", "G", "$", "C", "SLP"):
            self._at_any_time(text)
        else:
            self._need(State.IDLE, State.ALARM)
            self._at_rest(text)

    def _need(self, *states: State) -> None:
        if self.machine.state not in states:
            raise Refusal(8)

    def _jog(self, text: str) -> Waits:
        machine = self.machine
        self._need(State.IDLE, State.JOG)
        block = read_jog(text, machine.modes)
        target = block.target(machine.planner.planned, machine.offset)
        if machine.settings.on(20) and not machine.settings.reaches(target):
            raise Refusal(15)
        yield from self._plan(target, block.values["F"] * block.scale, Kind.JOG, State.JOG)

    def _unlock(self) -> None:
        if self.machine.state is State.ALARM:
            self.machine.state = State.IDLE
            self.machine.say("[MSG:Caution: Unlocked]")

    def _at_any_time(self, text: str) -> None:
        machine = self.machine
        if text == "":
            machine.say(HELP)
        elif text == "G":
            machine.say(machine.modes.report())
        elif text == "$":
            if machine.state in (State.RUN, State.HOLD):
                raise Refusal(8)
            for line in machine.settings.lines():
                machine.say(line)
        elif text == "C":
            self._toggle_check()
        else:
            self._need(State.IDLE, State.ALARM)

    def _toggle_check(self) -> None:
        if self.machine.state is State.CHECK:
            self.machine.say("[MSG:Disabled]")
            return
        self._need(State.IDLE)
        self.machine.state = State.CHECK
        self.machine.say("[MSG:Enabled]")

    def _at_rest(self, text: str) -> None:
        machine = self.machine
        if text == "#":
            self._say_parameters()
        elif text == "I":
            machine.say(f"[VER:1.1h.20190825:{self.build_text}]")
            machine.say(f"[OPT:V,15,{self.rx_bytes}]")
        elif text.startswith("I="):
            self.build_text = text[2:]
        elif text == "N":
            machine.say("$N0=")
            machine.say("$N1=")
        elif text == "RST=$":
            machine.settings.restore()
            machine.say("[MSG:Restoring defaults]")
        else:
            number, equals, value = text.partition("=")
            if not equals:
                raise Refusal(3)
            machine.settings.store(number, value)

    def _say_parameters(self) -> None:
        offsets, nowhere = self.machine.offsets, (0.0, 0.0, 0.0)
        vector = self.reporter.vector
        for name, offset in {**offsets.systems, "G28": nowhere, "G30": nowhere}.items():
            self.machine.say(f"[{name}:{vector(offset)}]")
        self.machine.say(f"[G92:{vector(offsets.g92)}]")
        self.machine.say("[TLO:0.000]")
        self.machine.say(f"[PRB:{vector(nowhere)}:0]")

    # Homing

    def _home(self) -> Waits:
        machine = self.machine
        if not machine.settings.on(22):
            raise Refusal(5)
        self._need(State.IDLE, State.ALARM)
        machine.state = State.HOME
        machine.pressed.clear()
        for axes in ("Z", "XY"):
            missing = self.missing_switch in axes and bool(self.missing_switch)
            yield self._sleep(self._search_seconds(axes, missing=missing))
            if missing:
                machine.fail_homing(9)
                return
        machine.planner.place(self._home_position())
        machine.slip = (0.0, 0.0, 0.0)
        machine.position_known = True
        machine.state = State.IDLE

    def _search_seconds(self, axes: str, *, missing: bool) -> float:
        """Seek the switch, back off, touch it slowly, and back off again."""
        values = self.machine.settings.values
        slow, fast, pull = values[24] / 60.0, values[25] / 60.0, values[27]
        if missing:
            return max(1.5 * values[130 + AXES.index(axis)] for axis in axes) / fast
        far = max(
            abs(self.machine.location[AXES.index(axis)] - self._switch(axis)) for axis in axes
        )
        return far / fast + 3.0 * pull / slow + 2.0 * values[26] / 1000.0

    def _switch(self, axis: str) -> float:
        """Where the switch is: at 0, or with `$23` at the negative end."""
        index, values = AXES.index(axis), self.machine.settings.values
        return -values[130 + index] if int(values[23]) >> index & 1 else 0.0

    def _home_position(self) -> Vector:
        pull = self.machine.settings.values[27]
        x, y, z = (self._switch(axis) + (pull if self._switch(axis) else -pull) for axis in AXES)
        return x, y, z


def _unscaled(offset: Vector, block: Block) -> Vector:
    x, y, z = (value / block.scale for value in offset)
    return x, y, z

"""The states of a GRBL 1.1 controller, and what makes it change from one to another.

Source: Grbl v1.1 Commands, "Realtime commands" and "$SLP"; Grbl v1.1 Interface, "Alarm Message"
and "Machine State"; Grbl v1.1 Jogging.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from simulators.grbl_block import Modes, Offsets
from simulators.grbl_motion import Planner
from simulators.grbl_settings import Settings, Vector

RESUME = "Reset to continue"
UNLOCK = "'$H'|'$X' to unlock"
_PERCENT = {
    0x90: ("feed", 0),
    0x91: ("feed", 10),
    0x92: ("feed", -10),
    0x93: ("feed", 1),
    0x94: ("feed", -1),
    0x99: ("spindle", 0),
    0x9A: ("spindle", 10),
    0x9B: ("spindle", -10),
    0x9C: ("spindle", 1),
    0x9D: ("spindle", -1),
}
_RAPID_PERCENT = {0x95: 100.0, 0x96: 50.0, 0x97: 25.0}


class State(StrEnum):
    """What the first field of a status report says."""

    IDLE = "Idle"
    RUN = "Run"
    HOLD = "Hold"
    JOG = "Jog"
    ALARM = "Alarm"
    DOOR = "Door"
    CHECK = "Check"
    HOME = "Home"
    SLEEP = "Sleep"


@dataclass
class Machine:
    """One controller with its stage. `say` sends a line to the host.

    `slip` is what has to be added to the position it believes in to get the true one, mm.
    """

    say: Callable[[str], None]
    settings: Settings = field(default_factory=Settings)
    offsets: Offsets = field(default_factory=Offsets)
    slip: Vector = (0.0, 0.0, 0.0)
    state: State = State.IDLE
    modes: Modes = field(default_factory=Modes)
    critical: bool = False
    """Whether a limit alarm has locked it until the next reset."""
    position_known: bool = False
    pressed: set[str] = field(default_factory=set)
    """The axes whose limit switch is closed."""
    spindle_percent: float = 100.0
    spindle_halted: bool = False
    """Whether the spindle was stopped by 0x9E or by the door, to be restored on resume."""
    now: float = 0.0
    planner: Planner = field(init=False)

    def __post_init__(self) -> None:
        self.planner = Planner(self.settings)

    # What is seen from outside

    @property
    def state_text(self) -> str:
        """The state with its sub-state, as in a status report."""
        if self.state is State.HOLD:
            return f"Hold:{int(self.planner.speed > 0)}"
        if self.state is State.DOOR:
            return f"Door:{2 if self.planner.speed > 0 else 0}"
        return self.state.value

    @property
    def suspended(self) -> bool:
        """Whether it reads no lines now."""
        return self.critical or self.state in (State.HOLD, State.DOOR, State.SLEEP)

    @property
    def location(self) -> Vector:
        """Where the carriage truly is, mm from the switches at the positive ends."""
        x, y, z = (p + s for p, s in zip(self.planner.position, self.slip, strict=True))
        return x, y, z

    @property
    def spindle_speed(self) -> float:
        """Revolutions per minute."""
        off = self.spindle_halted or self.modes.spindle == "M5"
        if off or self.state is State.CHECK:
            return 0.0
        speed = self.modes.speed * self.spindle_percent / 100.0
        return min(max(speed, self.settings.values[31]), self.settings.values[30])

    @property
    def offset(self) -> Vector:
        """Machine coordinates less work coordinates, mm."""
        return self.offsets.total(self.modes.coordinates)

    # Time

    def due_in(self) -> float:
        """Seconds until something in the motion changes by itself."""
        return self.planner.due_in()

    def advance(self, dt: float) -> None:
        """Let time pass; change state where a motion has ended."""
        self.now += dt
        if not self.planner.idle and self.planner.speed > 0:
            self.pressed.clear()
        self.planner.advance(dt)
        standing = self.planner.idle or (self.planner.holding and self.planner.speed == 0)
        if self.state is State.JOG and standing:
            self.planner.stop()
            self.state = State.IDLE
        elif self.state is State.RUN and self.planner.idle:
            self.state = State.IDLE

    # Realtime commands

    def hold(self) -> None:
        """`!`: brake and suspend; a jog is cancelled instead."""
        if self.state is State.JOG:
            self.cancel_jog()
        elif self.state in (State.IDLE, State.RUN):
            self.planner.holding = True
            self.state = State.HOLD

    def resume(self) -> None:
        """`~`: go on after a hold or a closed door, once the stage stands."""
        if self.state not in (State.HOLD, State.DOOR) or self.planner.speed > 0:
            return
        self.planner.holding = False
        self.spindle_halted = False
        self.state = State.IDLE if self.planner.idle else State.RUN

    def cancel_jog(self) -> None:
        """0x85: brake, and forget all jogs that wait."""
        if self.state is State.JOG:
            self.planner.holding = True

    def open_door(self) -> None:
        """0x84: brake and suspend, spindle off; a jog is forgotten, homing fails."""
        if self.state is State.HOME:
            self.fail_homing(7)
        elif self.state in (State.IDLE, State.HOLD, State.RUN, State.JOG):
            if self.state is State.JOG:
                self.planner.stop()
            self.planner.holding = self.spindle_halted = True
            self.state = State.DOOR
            self.say("[MSG:Check Door]")

    def toggle_spindle(self) -> None:
        """0x9E: stop or restore the spindle, in a completed hold only."""
        if self.state_text == "Hold:0":
            self.spindle_halted = not self.spindle_halted

    def toggle_coolant(self) -> None:
        """0xA0: flood coolant on or off."""
        if self.state in (State.IDLE, State.RUN, State.HOLD):
            coolant = "M9" if self.modes.coolant == "M8" else "M8"
            self.modes = replace(self.modes, coolant=coolant)

    def override(self, byte: int) -> None:
        """0x90 to 0x9D: 10 to 200 % of the programmed feed or spindle speed, or a rapid's rate."""
        if byte in _RAPID_PERCENT:
            self.planner.rapid_percent = _RAPID_PERCENT[byte]
        elif byte in _PERCENT:
            what, change = _PERCENT[byte]
            before = self.planner.feed_percent if what == "feed" else self.spindle_percent
            after = min(200.0, max(10.0, before + change)) if change else 100.0
            if what == "feed":
                self.planner.feed_percent = after
            else:
                self.spindle_percent = after

    # Alarms and resets

    def alarm(self, code: int) -> None:
        """Stop everything. Codes 1 and 2 lock the controller until it is reset."""
        self.planner.stop()
        self.modes = replace(self.modes, spindle="M5", coolant="M9")
        self.state = State.ALARM
        self.say(f"ALARM:{code}")
        if code != 2:
            self.position_known = False
        if code in (1, 2):
            self.critical = True
            self.say(f"[MSG:{RESUME}]")

    def press_limit(self, axis: str) -> None:
        """Close a limit switch. With hard limits (`$21=1`) that is ALARM:1."""
        self.pressed.add(axis)
        if self.settings.on(21) and self.state not in (State.HOME, State.ALARM, State.SLEEP):
            self.alarm(1)

    def sleep(self) -> None:
        """`$SLP`: motors, spindle and coolant off until the next reset."""
        self.planner.stop()
        self.modes = replace(self.modes, spindle="M5", coolant="M9")
        self.position_known = False
        self.state = State.SLEEP

    def fail_homing(self, code: int) -> None:
        """End homing with an alarm; the controller then starts anew."""
        self.alarm(code)
        self.restart()

    def soft_reset(self) -> None:
        """0x18: halt at once. In motion that loses the position."""
        if self.state is State.HOME:
            self.fail_homing(6)
            return
        if self.planner.speed > 0:
            self.alarm(3)
        self.restart()

    def restart(self) -> None:
        """Begin as after any reset: all modes as at first, locked if there was an alarm."""
        locked = self.state in (State.ALARM, State.SLEEP)
        self.planner.stop()
        self.planner.feed_percent = self.planner.rapid_percent = self.spindle_percent = 100.0
        self.modes = Modes()
        self.offsets.g92 = (0.0, 0.0, 0.0)
        self.critical = self.spindle_halted = False
        self.state = State.ALARM if locked else State.IDLE
        self.say("")
        self.say("Grbl 1.1h ['$' for help]")
        if self.settings.on(21) and self.pressed:
            self.say("[MSG:Check Limits]")
        if locked:
            self.say(f"[MSG:{UNLOCK}]")

    def power_up(self) -> None:
        """Begin as after power-up: the position counts from where the stage stands."""
        self.slip = self.location
        self.planner.place((0.0, 0.0, 0.0))
        self.position_known = False
        self.state = State.ALARM if self.settings.on(22) else State.IDLE
        self.restart()

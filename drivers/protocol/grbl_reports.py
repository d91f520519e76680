"""What a GRBL controller says: status reports, errors and alarms.

Source: the wiki of gnea/grbl, "Grbl v1.1 Interface" (status reports, error and alarm codes).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from drivers.errors import BadReply, DeviceError

MM_PER_INCH: Final = 25.4

_STATUS = re.compile(r"<([A-Za-z]+)(?::(\d+))?((?:\|[A-Za-z]+:[^|<>]*)+)>")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class State(Enum):
    """What the controller does."""

    IDLE = "Idle"
    RUN = "Run"
    HOLD = "Hold"
    JOG = "Jog"
    ALARM = "Alarm"
    DOOR = "Door"
    CHECK = "Check"
    HOME = "Home"
    SLEEP = "Sleep"
    TOOL = "Tool"  # grblHAL: waits for a tool change


Vector = tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """One status report, in mm, mm/min and revolutions per minute."""

    state: State
    sub: int = 0
    machine: Vector = ()
    work: Vector = ()
    feed: float | None = None
    spindle: float | None = None
    pins: str = ""
    accessories: str = ""
    alarm: int | None = None
    reason: str = field(default="it was not reported", compare=False)

    def machine_axis(self, axis: int) -> float:
        """Machine position of an axis, in mm. Raises DeviceError when it is not known now."""
        return self._axis(self.machine, axis)

    def work_axis(self, axis: int) -> float:
        """Work position of an axis, in mm. Raises DeviceError when it is not known now."""
        return self._axis(self.work, axis)

    @property
    def moving(self) -> bool:
        """Whether an axis may be in motion, or would go on by itself when a hold ends."""
        return self.state in (State.RUN, State.JOG, State.HOLD, State.HOME, State.DOOR)

    def _axis(self, position: Vector, axis: int) -> float:
        if axis >= len(position):
            raise DeviceError(f"no position of axis {'XYZABC'[axis]}: {self.reason}")
        return position[axis]


@dataclass(frozen=True, slots=True)
class Report:
    """A status report taken apart, its fields still text."""

    state: State
    sub: int
    fields: Mapping[str, str]

    def vector(self, name: str, scale: float) -> Vector:
        """A position, in mm; () where the report has none. Raises BadReply."""
        text = self.fields.get(name)
        if text is None:
            return ()
        return tuple(_number(part) * scale for part in text.split(","))

    def feed_and_speed(self, scale: float) -> tuple[float | None, float | None]:
        """Feed rate in mm/min and spindle speed in /min, where they are reported. Raises BadReply."""
        if "FS" in self.fields:
            feed, _, speed = self.fields["FS"].partition(",")
            return _number(feed) * scale, _number(speed.partition(",")[0])
        return (_number(self.fields["F"]) * scale if "F" in self.fields else None), None


def parse_report(line: str) -> Report:
    """Take a `<…>` apart. Raises BadReply when it is not whole or names an unknown state."""
    found = _STATUS.fullmatch(line)
    if found is None or not line.isascii():
        raise BadReply(f"{line[:80]!r} is not a status report")
    try:
        state = State(found[1])
    except ValueError:
        raise BadReply(f"the state {found[1]!r} is unknown") from None
    parts = (part.partition(":") for part in found[3][1:].split("|"))
    return Report(state, int(found[2] or 0), {name: text for name, _, text in parts})


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise BadReply(f"{text!r} in a status report is not a number")
    return float(text)


ERRORS: Final[Mapping[int, str]] = {
    1: "a word of G-code begins without a letter",
    2: "the value behind a letter is missing or no number",
    3: "there is no such $ command",
    4: "a negative value where only a positive one will do",
    5: "homing is not enabled ($22)",
    6: "the step pulse must be longer than 3 µs ($0)",
    7: "the stored settings were unreadable and are those of the factory again",
    8: "this $ command works only while the controller is idle",
    9: "G-code is locked out during an alarm or a jog: home first",
    10: "soft limits need homing to be enabled ($22)",
    11: "the line is too long and was not carried out",
    12: "the setting asks for more steps per second than the controller can do",
    13: "the safety door is open",
    14: "the line is too long to be stored",
    15: "the jog would leave the machine's travel and was not begun",
    16: "a jog has no =, or holds G-code that is not allowed in it",
    17: "laser mode needs a PWM output",
    20: "this G-code is unsupported or invalid",
    21: "two commands of the same modal group stand in one line",
    22: "no feed rate has been set",
    23: "this command needs a whole number",
    24: "two commands of one line both need axis words",
    25: "a word stands in the line twice",
    26: "the command needs axis words and has none",
    27: "the line number is out of range",
    28: "a value that the command needs is missing",
    29: "there are no work coordinates G59.1 to G59.3",
    30: "G53 goes only with G0 and G1",
    31: "axis words stand in a line whose command takes none",
    32: "the arc names no axis of its plane",
    33: "the target of the motion is invalid",
    34: "no arc of this radius reaches the target",
    35: "the arc needs an offset within its plane",
    36: "words are left over that no command uses",
    37: "the tool length offset goes only to the configured axis",
    38: "the tool number is too large",
}
"""Error codes of GRBL 1.1. Other firmwares have more, which pass through with their number."""

ALARMS: Final[Mapping[int, str]] = {
    1: "a limit switch was hit; the position is lost: reset and home",
    2: "a target lay outside of the travel; the position is kept: reset and unlock",
    3: "it was reset in motion; the position is lost: home",
    4: "the probe was not in its initial state before the cycle",
    5: "the probe found no contact within its travel",
    6: "homing failed: it was reset meanwhile",
    7: "homing failed: the safety door was opened",
    8: "homing failed: a limit switch stayed closed after the pull-off",
    9: "homing failed: no limit switch was found within the search distance",
}
"""Alarm codes of GRBL 1.1. Other firmwares have more, which pass through with their number."""


def alarm_text(number: int | None) -> str:
    """An alarm in words: its number and what it means."""
    if number is None:
        return "locked since before the connection: home"
    return f"{number}: {ALARMS.get(number, 'see the manual of the firmware')}"


def error_text(number: int) -> str:
    """An error in words: its number and what it means."""
    return f"error {number}: {ERRORS.get(number, 'see the manual of the firmware')}"

"""A motion stage of three axes with a GRBL 1.1h controller, as its serial port shows it.

Source: the wiki of gnea/grbl: Grbl v1.1 Interface, Commands, Jogging and Configuration.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from simulators.grbl_machine import Machine, State
from simulators.grbl_program import Program, Wait, Waits
from simulators.grbl_report import Reporter
from simulators.grbl_settings import Refusal, Vector
from simulators.serial_output import SerialOutput

RX_BYTES = 128
"""Room for bytes that were received and not yet read; more are lost."""

LINE_CHARACTERS = 80
"""The longest line, without spaces and comments; a longer one is error:11."""

_SOFT_RESET = 0x18
_SHORTEST = 1e-9


@dataclass
class _LineReader:
    """Gathers bytes to lines: no spaces, no comments, capitals. Every CR and every LF ends one."""

    kept: str = ""
    raw: str = ""
    too_long: bool = False
    _comment: str = ""

    def feed(self, byte: int) -> tuple[str, str, bool] | None:
        """Take one byte; return the line that it ends: as read, as sent, and if too long."""
        if byte in b"\r\n":
            line = (self.kept, self.raw.strip(), self.too_long)
            self.kept, self.raw, self.too_long, self._comment = "", "", False, ""
            return line
        character = chr(byte)
        if self._comment:
            self._comment = "" if self._comment == "(" and character == ")" else self._comment
        elif character in "(;":
            self._comment = character
        else:
            self.raw += character
            if character > " ":
                self._keep(character.upper())
        return None

    def _keep(self, character: str) -> None:
        if len(self.kept) < LINE_CHARACTERS:
            self.kept += character
        else:
            self.too_long = True


@dataclass
class _Input:
    """What came in and was not yet answered; a reset forgets it."""

    received: deque[int] = field(default_factory=deque)
    reader: _LineReader = field(default_factory=_LineReader)
    running: Waits | None = None
    wait: Wait | None = None
    sent: str = ""
    """The line at work, as the host sent it."""


class GrblStage:
    """A stage that is homed against switches at the positive ends of its axes.

    `location` is where the carriage stands when power comes on, mm from those switches (0 to
    minus the travel). `executed` holds every line that was answered with `ok`, as it was sent
    but without comments, outside of check mode; it outlives a reset. A reset voids the line at
    work: it is not answered any more.
    """

    def __init__(
        self,
        *,
        settings: dict[int, float] | None = None,
        location: Vector = (-50.0, -60.0, -10.0),
        resets_on_open: bool = True,
    ) -> None:
        self.executed: list[str] = []
        self.lost_bytes = 0
        self.resets_on_open = resets_on_open
        self._output = SerialOutput(ending="\r\n")
        self._machine = Machine(say=self._output.say, slip=location)
        for number, value in (settings or {}).items():
            self._machine.settings.store(str(number), f"{value:.10f}")
        self._reporter = Reporter(self._machine)
        self._program = Program(self._machine, self._reporter, RX_BYTES)
        self._input = _Input()
        self.reset_by_itself()
        self._output.take()

    # The connection

    def opened(self) -> bytes:
        """Begin a connection; with `resets_on_open` the controller starts anew and says so."""
        self._output.take()
        if self.resets_on_open:
            self.reset_by_itself()
        else:
            self._input.received.clear()
            self._input.reader = _LineReader()
        return self._output.take()

    def handle(self, data: bytes) -> bytes:
        """Take bytes off the wire, in pieces of any size; return what is answered at once."""
        for byte in data:
            self._receive(byte)
            self._run()
        return self._output.take()

    def advance(self, dt: float) -> bytes:
        """Let `dt` seconds pass, 0 or more; ValueError for less."""
        if dt < 0:
            message = f"time runs forward only, not by {dt} s"
            raise ValueError(message)
        while dt > 0:
            wait = self._input.wait
            waiting = wait is not None and not self._machine.suspended
            due = min(self._machine.due_in(), wait.due_in() if wait and waiting else dt)
            step = min(dt, max(due, _SHORTEST))
            dt -= step
            self._output.advance(step)
            self._machine.advance(step)
            self._run()
        return self._output.take()

    # What can go wrong

    def hit_limit_switch(self, axis: str = "X") -> None:
        """Close the limit switch of an axis until the stage moves: ALARM:1 if `$21=1`."""
        self._machine.press_limit(axis)
        if self._machine.critical:
            self._input.running = self._input.wait = None

    def miss_homing_switch(self, axis: str) -> None:
        """Let homing search in vain for the switch of an axis (ALARM:9); `""` repairs it."""
        self._program.missing_switch = axis

    def reset_by_itself(self) -> None:
        """Start anew as after a dip of the supply: position, modes and queue are lost."""
        self._forget_input()
        self._machine.power_up()

    def power_cycle(self) -> None:
        """See `reset_by_itself`."""
        self.reset_by_itself()

    def go_silent(self, seconds: float) -> None:
        """Lose all that the controller says for so long; it goes on reading and moving."""
        self._output.silent_for = seconds

    def lose_next_ok(self) -> None:
        """Let the next `ok` get lost on the wire."""
        self._output.lose_next_ok = True

    # What a test may look at

    @property
    def state(self) -> str:
        """As in a status report, such as `Idle` or `Hold:1`."""
        return self._machine.state_text

    @property
    def position(self) -> Vector:
        """Machine position that the controller believes in, mm."""
        return self._machine.planner.position

    @property
    def location(self) -> Vector:
        """Where the carriage truly is, mm from the switches."""
        return self._machine.location

    @property
    def position_known(self) -> bool:
        """Whether it was homed and has lost no step since."""
        return self._machine.position_known

    @property
    def spindle_speed(self) -> float:
        """Revolutions per minute at this moment."""
        return self._machine.spindle_speed

    # Bytes to lines to answers

    def _receive(self, byte: int) -> None:
        if byte == _SOFT_RESET:
            self._forget_input()
            self._machine.soft_reset()
        elif byte in b"?!~" or byte >= 0x80:
            if not self._machine.critical:
                self._realtime(byte)
        elif len(self._input.received) < RX_BYTES - 1:
            self._input.received.append(byte)
        else:
            self.lost_bytes += 1

    def _realtime(self, byte: int) -> None:
        machine = self._machine
        if byte == ord("?"):
            if machine.state is not State.HOME:
                free = RX_BYTES - len(self._input.received)
                self._output.say(self._reporter.line(free))
        elif byte == 0x84:
            homing = machine.state is State.HOME
            machine.open_door()
            if homing:
                self._forget_input()
        elif byte in _ACTIONS:
            _ACTIONS[byte](machine)
        else:
            machine.override(byte)

    def _forget_input(self) -> None:
        self._input = _Input()
        self._reporter.restart()

    def _run(self) -> None:
        """Do everything that can be done before more time has passed."""
        while not self._machine.suspended:
            if self._input.running is None and not self._begin():
                return
            if not self._proceed():
                return

    def _begin(self) -> bool:
        """Read up to the end of a line; True if there was one."""
        while self._input.received:
            line = self._input.reader.feed(self._input.received.popleft())
            if line is not None:
                text, self._input.sent, too_long = line
                self._input.running = self._answer(text, too_long=too_long)
                return True
        return False

    def _proceed(self) -> bool:
        """Run the line at work up to its next wait; False if it has to wait now."""
        mine = self._input
        if mine.running is None or (mine.wait is not None and not mine.wait.done()):
            return False
        mine.wait = None
        wait = next(mine.running, None)
        if wait is None:
            mine.running = None
        else:
            mine.wait = wait
        return True

    def _answer(self, text: str, *, too_long: bool) -> Waits:
        mine, checking = self._input, self._machine.state is State.CHECK
        try:
            if too_long:
                raise Refusal(11)
            yield from self._program.run(text)
        except Refusal as refusal:
            self._output.say(str(refusal))
            return
        if self._machine.critical:
            return  # The alarm is the answer; the reset that must follow voids the line.
        if text == "$H" and self._machine.state is State.ALARM:
            self._forget_input()  # Homing failed, and the controller has started anew.
            return
        self._output.say("ok")
        if text and not checking:
            self.executed.append(mine.sent)
        self._after(text, checking=checking)

    def _after(self, text: str, *, checking: bool) -> None:
        """What some commands do once they are acknowledged."""
        if text == "$SLP":
            self._output.say("[MSG:Sleeping]")
            self._machine.sleep()
        elif text == "$RST=$" or (text == "$C" and checking):
            self._forget_input()
            self._machine.restart()


_ACTIONS = {
    ord("!"): Machine.hold,
    ord("~"): Machine.resume,
    0x85: Machine.cancel_jog,
    0x9E: Machine.toggle_spindle,
    0xA0: Machine.toggle_coolant,
}

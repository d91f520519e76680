"""The firmware of a board from one reset to the next: queue, commands, answers, time.

Sources: Marlin's queue.cpp and gcode.cpp; marlinfw.org, Configuration, "Serial" and "Host"
(`BUFSIZE`, `EMERGENCY_PARSER`), and the pages of M105, M108, M112, M115, M410 and M999.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from simulators.marlin_lines import Command, Line, parse
from simulators.marlin_machine import Machine
from simulators.marlin_person import Injected
from simulators.marlin_receiver import Receiver
from simulators.marlin_reports import Reports
from simulators.marlin_talk import Talk
from simulators.marlin_waits import Wait, Waits

_URGENT = ("M108", "M112", "M410")
_QUIET = ("G0", "G1")  # what follows most often, and changes no timer
_ALMOST = 1e-9


@dataclass
class Board:
    """What is lost with a reset. `restart` resets it; then another board takes its place."""

    talk: Talk
    machine: Machine
    receiver: Receiver
    executed: list[str]
    restart: Callable[[], None]
    halted: bool = False
    booting: float = 0.0
    """Seconds until it begins to hear."""
    _queue: deque[Line] = field(default_factory=deque)
    _busy: float = 0.0  # seconds for which the processor takes in the command at work
    _at_work: Command | Injected | None = None
    _waits: Waits | None = None
    _wait: Wait | None = None
    _break: bool = False
    _temperatures: str = ""

    def __post_init__(self) -> None:
        """Begin with the reports that the firmware is compiled with."""
        self.reports = Reports(self.talk, self.machine)
        self._actions = self.reports.actions()
        self.options, self.dialect = self.talk.options, self.talk.dialect
        self._looked_at = self.machine.clock.now
        self._plan_look()

    def start(self) -> None:
        """Wake up: at once, or when the boot loader is done."""
        self.booting = self.options.boot_seconds
        if self.booting <= 0:
            self._greet()

    # Bytes to lines

    def receive(self, data: bytes) -> None:
        """Take bytes off the wire, and do what they set going."""
        if self.booting > 0:
            return
        for piece, urgent in self.receiver.pieces(data):
            if urgent is not None and not self.halted:
                self._act_early(urgent)
            if not self.halted:
                self.receiver.store(piece, is_read=self._reads())
                self._run()
            elif self.dialect.after_halt == "complains" and piece.strip():
                self._complain(piece)

    def wake(self) -> None:
        """Look for something to do."""
        if not self.halted and not self.booting:
            self._run()

    def refuse(self, reason: str) -> None:
        """Report a line that was not accepted, and ask for the one after the last good line."""
        self.receiver.refuse(reason)

    def kill(self, *why: str) -> None:
        """Shut down until the next reset (M112, or what the thermal protection found)."""
        self.machine.make_cold()
        self.talk.say_all(*why, *self.dialect.halted)
        self.halted = True
        self.receiver.flush()
        self._queue.clear()
        self._wait = self._waits = self._at_work = None
        self._busy = 0.0
        if self.dialect.after_halt == "restarts":
            self.restart()

    def _reads(self) -> bool:
        if self.halted or self._busy > 0:
            return False
        heating = self._wait is not None and self._wait.report is not None
        if heating and not self.options.reads_while_heating:
            return False
        return len(self._queue) < self.options.buffered_commands

    def _read(self) -> None:
        while not self.receiver.empty and self._reads():
            line = self.receiver.read()
            if line is not None:
                self._accept(line)

    def _accept(self, line: Line) -> None:
        self._queue.append(line)
        if self.dialect.taken_is_ok:
            self.talk.say("ok" if line.number is None else f"ok {line.number}")
        # Without the emergency parser, these act early only if they came without a line number.
        if line.number is None and not self.options.emergency_parser:
            code = parse(line.text).code
            if code in _URGENT:
                self._act_early(code)

    def _act_early(self, code: str) -> None:
        if code == "M112":
            self.executed.append(code)
            self.kill()
        elif code == "M410":
            self.machine.planner.stop()
        elif code == "M524":
            self.machine.card.abort()
        elif code.startswith("M876"):
            self.machine.person.answer(int(code[-1]))
        else:
            self._break = self._wait is not None and self._wait.breakable

    # Commands to answers

    def _run(self) -> None:
        """Do everything that can be done before more time has passed."""
        if self._at_work is None or self._waits is not None:
            self._read()  # else the processor is not done with the command that it takes in
        while self._busy <= 0 and not self.halted and self._proceed():
            self._read()

    def _proceed(self) -> bool:
        """Go on with the command at work, or with the next; False if time has to pass."""
        if self._waits is not None:
            return self._wait_is_over() and self._go_on(self._waits)
        if self._at_work is None:
            return self._take_next()
        command = self._at_work
        if command.text:
            self.executed.append(command.text)
        self.talk.riding = self._temperatures = ""
        waits = command.waits() if isinstance(command, Injected) else self._carry_out(command)
        if waits is not None:
            self.reports.begin_command()
            return self._go_on(waits)
        self._finish()
        return True

    def _take_next(self) -> bool:
        if self.machine.person.injected:
            self._at_work = self.machine.person.injected.popleft()
        elif self._queue:
            self._at_work = parse(self._queue[0].text)
        else:
            return False
        self._busy = self.options.line_seconds
        return True

    def _go_on(self, waits: Waits) -> bool:
        self._waits = waits
        wait = next(waits, None)
        if wait is None:
            self._waits = None
            self._finish()
        elif not wait.done():
            self._wait = wait
            self.machine.planner.expected |= not wait.planned
            self.reports.begin_wait()
            self._plan_look()
        return True

    def _wait_is_over(self) -> bool:
        if self._wait is None:
            return True
        if not (self._wait.done() or self._break):
            return False
        self._wait, self._break = None, False
        return True

    def _carry_out(self, command: Command) -> Waits | None:
        """Do what the board itself does; the rest is the printer's."""
        match command.code:
            case "M105":
                self._temperatures = self.machine.temperatures()
            case "M112":
                self.kill()
            case "M115":
                self.talk.identify()
            case "M999":
                self._resume(command)
            case "FIRMWARE_RESTART" | "RESTART" if self.dialect.complaint:
                self._restart()
            case "M410" if self.options.emergency_parser:
                pass  # It has acted when its bytes came in.
            case _:
                return self._actions.get(command.code, self.machine.run)(command)
        return None

    def _finish(self) -> None:
        """Acknowledge the command at work, and forget it."""
        ended, self._at_work = self._at_work, None
        self.reports.begin_command()
        if not self.halted and not isinstance(ended, Injected):
            planner = self.machine.planner.free
            room = self.options.buffered_commands - len(self._queue)
            line = self._queue.popleft()
            self.talk.acknowledge(line.number, self._temperatures, planner, room)
        if not (isinstance(ended, Command) and ended.code in _QUIET):
            self._plan_look()

    def _resume(self, command: Command) -> None:
        """M999: leave the stopped state; unless `S` is given, ask for the next line anew."""
        self.machine.moves.stopped = False
        if not command.number("S", 0.0):
            self.receiver.ask_again()

    def _complain(self, piece: bytes) -> None:
        code = parse(piece.decode("latin-1")).code
        if code in ("FIRMWARE_RESTART", "RESTART", "M999"):
            self._restart()
        else:
            self.talk.say_all(*self.dialect.complaint)

    def _restart(self) -> None:
        self.halted = True
        self._queue.clear()
        self.restart()

    # Time

    def due_in(self) -> float:
        """Seconds until something happens that a host could hear of."""
        if self.booting > 0:
            return self.booting
        due = self._looks_at - self.machine.clock.now
        if self._busy > 0:
            due = min(due, self._busy)
        if self._wait is not None:
            due = min(due, self._wait.due_in())
        return due

    def advance(self, dt: float) -> None:
        """Let `dt` seconds pass, no more than it is due in: things happen at their end alone."""
        machine = self.machine
        hungry = self._wait is None and self.receiver.empty
        if hungry and len(self._queue) < self.options.buffered_commands:
            self.receiver.tally.hungers(dt)
        machine.clock.now += dt
        machine.planner.advance(dt)
        if machine.clock.now >= self._looks_at - _ALMOST:
            self._look()
        if self.booting > 0:
            self._boot(dt)
        elif not self.halted:
            self._busy = self._busy - dt if self._busy - dt > _ALMOST else 0.0
            if self._busy <= 0:
                self._run()

    def _look(self) -> None:
        """Look at what changes slowly: heat, card and reports."""
        now = self.machine.clock.now
        faults = self.machine.advance(now - self._looked_at)
        self._looked_at = now
        if not (self.halted or self.booting):
            if faults:
                self.kill(f"Error:{faults[0]}")
            else:
                self.reports.say_due(self._wait, idle=self._idle)
        self._plan_look()

    def _plan_look(self) -> None:
        """Plan the next look: early rather than late."""
        due_at = self._looked_at + self.machine.due_in()
        if not self.halted:
            due_at = min(due_at, self.reports.due_at(self._wait, idle=self._idle))
        self._looks_at = due_at

    @property
    def _idle(self) -> bool:
        return not self._queue and self._at_work is None and self.receiver.empty

    def _boot(self, dt: float) -> None:
        self.booting = self.booting - dt if self.booting - dt > _ALMOST else 0.0
        if self.booting <= 0:
            self._greet()

    def _greet(self) -> None:
        self.talk.say_all(*self.dialect.banner)

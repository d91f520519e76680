"""The firmware of a Marlin board from one reset to the next: bytes, queue, commands, answers.

Source: marlinfw.org, Configuration, "Serial" and "Host" (`BUFSIZE`, `RX_BUFFER_SIZE`,
`ADVANCED_OK`, `EMERGENCY_PARSER`, `HOST_KEEPALIVE_FEATURE`), and the pages of M105, M108, M112,
M113, M115, M155, M410 and M999.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from simulators.marlin_firmware import BANNER, BoardOptions, firmware_lines
from simulators.marlin_lines import (
    Command,
    EmergencyParser,
    Line,
    LineCounter,
    LineReader,
    Refused,
    parse,
)
from simulators.marlin_machine import Machine, Wait, Waits
from simulators.serial_output import SerialOutput, Timer

_SHORTEST = 1e-6
_URGENT = ("M108", "M112", "M410")


@dataclass
class Board:
    """What is lost with a reset."""

    options: BoardOptions
    machine: Machine
    output: SerialOutput
    executed: list[str]
    halted: bool = False
    lost_bytes: int = 0
    corrupt_next: bool = False
    counter: LineCounter = field(default_factory=LineCounter)
    _reader: LineReader = field(default_factory=LineReader)
    _emergency: EmergencyParser = field(default_factory=EmergencyParser)
    _received: deque[int] = field(default_factory=deque)
    _queue: deque[Line] = field(default_factory=deque)
    _running: Waits | None = None
    _wait: Wait | None = None
    _break: bool = False
    _keep_alive: Timer = field(default_factory=lambda: Timer(2.0))
    _wait_report: Timer = field(default_factory=lambda: Timer(1.0))
    _auto_report: Timer = field(default_factory=lambda: Timer(0.0))

    def greet(self) -> None:
        """Say what a board says when it starts."""
        for line in BANNER:
            self.output.say(line)

    def forget_line(self) -> None:
        """Drop a line that is half read."""
        self._reader.forget()
        self._emergency.forget()

    # Bytes to lines

    def receive(self, byte: int) -> None:
        """Take one byte off the wire, and do what it sets going."""
        urgent = self._emergency.feed(byte) if self.options.emergency_parser else None
        if urgent is not None and not self.halted:
            self._act_early(urgent)
        if not self.halted:
            self._store(byte)
            self._run()

    def _store(self, byte: int) -> None:
        if len(self._received) < self.options.receive_bytes:
            self._received.append(byte)
        else:
            self.lost_bytes += 1

    def refuse(self, reason: str) -> None:
        """Report a line that was not accepted, and ask for the one after the last good line."""
        self.output.say(f"Error:{reason}, Last Line: {self.counter.last}")
        self._ask_again()

    def _ask_again(self) -> None:
        self._received.clear()
        self._reader.forget()
        self.output.say(f"Resend: {self.counter.last + 1}")
        if self.options.ok_after_resend:
            self.output.say("ok")

    def _read(self) -> None:
        while self._received and self._reads():
            line = self._reader.feed(self._received.popleft())
            if line is not None:
                self._accept(self._damaged(line))

    def _reads(self) -> bool:
        heating = self._wait is not None and self._wait.report is not None
        if self.halted or (heating and not self.options.reads_while_heating):
            return False
        return len(self._queue) < self.options.buffered_commands

    def _damaged(self, line: str) -> str:
        if not self.corrupt_next:
            return line
        self.corrupt_next = False
        middle = len(line) // 2
        return line[:middle] + chr(ord(line[middle]) ^ 1) + line[middle + 1 :]

    def _accept(self, text: str) -> None:
        line = self.counter.check(text)
        if isinstance(line, Refused):
            self.refuse(line.reason)
            return
        self._queue.append(line)
        code = parse(line.text).code
        # Without the emergency parser, these act early only if they came without a line number.
        if code in _URGENT and line.number is None and not self.options.emergency_parser:
            self._act_early(code)

    def _act_early(self, code: str) -> None:
        if code == "M112":
            self.executed.append(code)
            self._kill()
        elif code == "M410":
            self.machine.planner.stop()
        else:
            self._break = self._wait is not None and self._wait.breakable

    # Commands to answers

    def _run(self) -> None:
        """Do everything that can be done before more time has passed."""
        self._read()
        while (self._running is not None or self._begin()) and self._proceed():
            self._read()

    def _begin(self) -> bool:
        if not self._queue:
            return False
        command = parse(self._queue[0].text)
        self.executed.append(command.text)
        self._running = self._carry_out(command)
        self._keep_alive.restart()
        return True

    def _proceed(self) -> bool:
        """Run the command at work up to its next wait; False if it has to wait now."""
        if self._running is None or not self._wait_is_over():
            return False
        wait = next(self._running, None)
        if self.halted:
            return False
        if wait is None:
            self._running = None
        elif not wait.done():
            self._wait = wait
            self._wait_report.restart()
        return True

    def _wait_is_over(self) -> bool:
        if self._wait is None:
            return True
        if not (self._wait.done() or self._break):
            return False
        self._wait, self._break = None, False
        return True

    def _carry_out(self, command: Command) -> Waits:
        temperatures = ""
        match command.code:
            case "M105":
                temperatures = self.machine.temperatures()
            case "M112":
                self._kill()
            case "M113":
                self._set_keep_alive(command)
            case "M115":
                for line in firmware_lines(self.options):
                    self.output.say(line)
            case "M155":
                self._auto_report = Timer(max(0.0, min(60.0, command.number("S", 0.0))))
            case "M999":
                self._resume(command)
            case "M410" if self.options.emergency_parser:
                pass  # It has acted when its bytes came in.
            case _:
                yield from self.machine.run(command)
        if not self.halted:
            self._acknowledge(temperatures)

    def _acknowledge(self, temperatures: str) -> None:
        number = self._queue[0].number
        counts = ""
        if self.options.advanced_ok and not temperatures:
            named = "" if number is None else f" N{number}"
            room = self.options.buffered_commands - len(self._queue)
            counts = f"{named} P{self.machine.planner.free} B{room}"
        self._queue.popleft()
        self.output.say(f"ok{counts}{temperatures}")

    def _set_keep_alive(self, command: Command) -> None:
        seconds = command.words.get("S")
        if seconds is None:
            self.output.say(f"echo:M113 S{self._keep_alive.period:.0f}")
        else:
            self._keep_alive = Timer(max(0.0, min(60.0, seconds)))

    def _resume(self, command: Command) -> None:
        """M999: leave the stopped state; unless `S` is given, ask for the next line anew."""
        self.machine.stopped = False
        if not command.number("S", 0.0):
            self._ask_again()

    def _kill(self, why: str = "") -> None:
        """Shut down until the next reset (M112, or what the thermal protection found)."""
        self.machine.make_cold()
        if why:
            self.output.say(f"Error:{why}")
        self.output.say("Error:Printer halted. kill() called!")
        self.halted = True
        self._received.clear()
        self._queue.clear()
        self._wait = None

    # Time

    def advance(self, dt: float) -> None:
        """Let `dt` seconds pass, in steps in which nothing happens but at their ends."""
        while dt > 0:
            step = min(dt, max(self._due_in(), _SHORTEST))
            dt -= step
            self._pass(step)

    def _due_in(self) -> float:
        waiting = (
            (self._wait.due_in(), self._keep_alive.due_in(), self._wait_report.due_in())
            if self._wait is not None
            else ()
        )
        return min(self.machine.due_in(), self._auto_report.due_in(), *waiting)

    def _pass(self, dt: float) -> None:
        self.output.advance(dt)
        faults = self.machine.advance(dt)
        if self.halted:
            return
        if faults:
            self._kill(faults[0])
            return
        if self._auto_report.advance(dt):
            self.output.say(self.machine.temperatures())
        if self._wait is not None:
            self._say_waiting(self._wait, dt)
        self._run()

    def _say_waiting(self, wait: Wait, dt: float) -> None:
        if self._wait_report.advance(dt) and wait.report is not None:
            self.output.say(wait.report())
        if self._keep_alive.advance(dt):
            self.output.say(f"echo:busy: {wait.busy}")

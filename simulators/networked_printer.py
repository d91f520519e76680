"""A printer on the network, behind whatever serves it: its prints, its scripts, its troubles.

Pure: state and `advance(dt)`, no socket and no clock. What a print does is read from its file, line
by line: it heats, waits, moves and ends as the commands say. A pause, a resume and a cancel wait for
the end of the command at hand and then take their time, as on the hosts and firmwares served here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from simulators.marlin_heaters import TICK
from simulators.networked_board import Board
from simulators.networked_gcode import LINE_S, Action, GcodeError, Line, Script, parse
from simulators.networked_job import RUNNING, PrintState, WrongState
from simulators.networked_printing import SIZE, Printing, Run

Order = Callable[[Line], Action]


@dataclass
class NetworkedPrinter(Printing):
    """The machine that the servers of Moonraker, PrusaLink and OctoPrint have in common.

    `pace` is how many seconds of printing pass in one second. `orders` are commands of the host,
    by name, beside those of the board.
    """

    pace: float = 1.0
    filament_there: bool = True
    orders: dict[str, Order] = field(default_factory=dict)
    _scripts: deque[Script] = field(default_factory=deque)
    _action: Action | None = None

    @property
    def busy(self) -> bool:
        """Whether anything at all is being done."""
        return self._action is not None or bool(self._scripts) or self.active

    # What one may ask for

    def pause(self) -> Script:
        """Pause the print after the command at hand. Raises `WrongState` when none is running."""
        if not self.state_is(*RUNNING):
            raise WrongState("there is no print to pause")
        self._enter(PrintState.PAUSING)
        return self.run("PAUSE")

    def resume(self) -> Script:
        """Go on. Raises `WrongState` when the print is not paused."""
        if not self.state_is(PrintState.PAUSED) or self.attention:
            raise WrongState(self.attention or "the print is not paused")
        self._enter(PrintState.RESUMING)
        return self.run("RESUME")

    def cancel(self) -> Script:
        """End the print. Raises `WrongState` when there is none."""
        if not self.active or self.state_is(PrintState.CANCELLING):
            raise WrongState("there is no print to cancel")
        self._enter(PrintState.CANCELLING)
        return self.run("CANCEL_PRINT")

    def run(self, text: str) -> Script:
        """Run commands between those of a print; the script is done when the last has ended."""
        script = Script(text)
        if self.halted:
            script.finish(self.halted)
        else:
            self._scripts.append(script)
            if self.firmware.breaks_heating and text in ("CANCEL_PRINT", "M108"):
                self.board.break_wait = True
        return script

    def abandon(self, reason: str) -> None:
        """Lose who sends the commands of the print: it ends here, and what is hot stays hot."""
        if self.active:
            self._end(PrintState.FAILED, reason)

    def emergency_stop(self, reason: str) -> None:
        """Stop at once: cold, without position, until `reset`."""
        self.halted = reason
        self._stop_all(reason)

    def reset(self) -> None:
        """Start the firmware anew: a print is lost, heaters are off, the position is unknown."""
        self._stop_all("the firmware was reset")
        now, heaters, say = self.board.now, self.board.heaters, self.board.say
        self.board = Board(self.firmware, self.ambient, dict(SIZE))
        self.board.now, self.board.heaters, self.board.say = now, heaters, say
        self.halted = self.attention = ""
        self.job = None

    # What can go wrong

    def run_out(self) -> None:
        """Let the filament end: a running print pauses by itself and waits for a person."""
        self.filament_there = False
        if self.state_is(*RUNNING):
            self.attention = "filament runout"
            self.pause()

    def load_filament(self) -> None:
        """Let a person load filament; the print stays paused."""
        self.filament_there = True
        self.attention = ""

    def break_heater(self, name: str) -> None:
        """Cut the wire of the `nozzle` or the `bed`: the firmware notices after a while."""
        self.board.heaters[name].broken = True

    # Time

    def advance(self, dt: float) -> None:
        """Let `dt` seconds pass, 0 or more; ValueError for less."""
        if dt < 0:
            raise ValueError(f"time runs forward only, not by {dt} s")
        left = dt * self.pace
        while left > 1e-9:
            if self._action is None and not self.halted:
                self._action = self._next()
            due = self._action.due_in() if self._action is not None else left
            step = min(left, max(due, LINE_S / 10), TICK)
            left -= step
            self._pass(step)

    def _pass(self, step: float) -> None:
        self._count(step)
        if fault := self.board.advance(step):
            self.emergency_stop(fault)
            return
        action = self._action
        if action is not None and action.advance(step) and self._action is action:
            self._action = None
            self._note_position()

    def _count(self, step: float) -> None:
        if self.job is not None and self.job.active and self._run is not None:
            self.job.count(step, self.board.head.filament - self._run.filament_before)

    def _note_position(self) -> None:
        if self.job is not None and self._run is not None and self._run.of_file:
            self.job.position = self._run.tape.position

    # The next command

    def _next(self) -> Action | None:
        while self._scripts:
            script = self._scripts[0]
            text = script.take()
            if text is None:
                self._scripts.popleft()
                script.finish()
                continue
            return self._of_script(script, text)
        if self.job is not None and self._run is not None:
            return self._of_file(self._run)
        return None

    def _of_script(self, script: Script, text: str) -> Action:
        if self._run is not None:
            self._run.of_file = False
        try:
            return self._begin(text)
        except GcodeError as error:
            self.board.say(f"!! {error}")
            self._scripts.remove(script)
            script.finish(str(error))
            return Action()

    def _of_file(self, run: Run) -> Action | None:
        if self.state_is(PrintState.STARTING):
            return self._change(PrintState.STARTING, PrintState.PRINTING, self.delays.start)
        if not self.state_is(PrintState.PRINTING):
            return None
        text = run.tape.take()
        if text is None:
            return self._change(PrintState.FINISHING, PrintState.FINISHED, self.delays.finish)
        run.of_file = True
        try:
            return self._begin(text)
        except GcodeError as error:
            self.board.say(f"!! {error}")
            self.board.cool()
            self._end(PrintState.FAILED, str(error))
            return Action()

    def _begin(self, text: str) -> Action:
        line = parse(text)
        if line is None:
            return Action()
        if line.code in self.orders:
            return self.orders[line.code](line)
        if line.code == "M112":
            return self._kill()
        order = self._ORDERS.get(line.code)
        return order(self) if order is not None else self.board.run(line)

    def _kill(self) -> Action:
        self.emergency_stop("Shutdown due to M112 command")
        return Action()

    def _stop_all(self, reason: str) -> None:
        self._action = None
        scripts, self._scripts = self._scripts, deque()
        self.board.head.stop()
        self.board.head.homed.clear()
        self.board.cool()
        if self.active:
            self._end(PrintState.FAILED, reason)
        for script in scripts:
            script.finish(reason)

"""A print on a board: the states it goes through, and what each does to the board."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from simulators.networked_board import MARLIN, Board, Firmware, Shown
from simulators.networked_gcode import Action, Tape
from simulators.networked_job import EPOCH, RUNNING, Delays, Job, PrintState, WrongState

SIZE = {"X": 250.0, "Y": 210.0, "Z": 220.0}
"""How far each axis goes, in mm."""


@dataclass
class Run:
    """What a print takes its commands from; `of_file` while the command at hand is one of them."""

    tape: Tape
    of_file: bool = False
    filament_before: float = 0.0


@dataclass
class Printing:
    """The print at hand and those before it.

    `halted` is why the firmware has stopped itself, "" when it has not. `attention` is what it
    waits for a person to do, "" for nothing. `on_change` hears of each state that a print enters.
    """

    firmware: Firmware = MARLIN
    ambient: float = 23.0
    delays: Delays = field(default_factory=Delays)
    halted: str = ""
    attention: str = ""
    job: Job | None = None
    jobs: list[Job] = field(default_factory=list)
    on_change: Callable[[Job], None] = lambda _: None
    board: Board = field(init=False)
    _run: Run | None = None

    def __post_init__(self) -> None:
        """Be switched on, cold and idle."""
        self.board = Board(self.firmware, self.ambient, dict(SIZE))

    @property
    def clock(self) -> float:
        """Unix time as the printer has it, in seconds."""
        return EPOCH + self.board.now

    @property
    def active(self) -> bool:
        """Whether a print has begun and not ended."""
        return self.job is not None and self.job.active

    def state_is(self, *states: PrintState) -> bool:
        """Return whether the current print is in one of these states."""
        return self.job is not None and self.job.state in states

    def start(self, name: str, content: bytes, *, by: str) -> Job:
        """Begin to print a file. Raises `WrongState` while another prints or when it has stopped."""
        if self.halted:
            raise WrongState(self.halted)
        if self.active:
            raise WrongState("SD busy")
        job = Job(len(self.jobs) + 1, name, len(content), by, self.clock)
        self.job = job
        self.jobs.append(job)
        self.board.shown = Shown()
        self._run = Run(Tape(content), filament_before=self.board.head.filament)
        self._enter(PrintState.STARTING)
        return job

    def dismiss(self) -> None:
        """Forget the print that has ended; nothing happens while one is active."""
        if not self.active:
            self.job = None

    def _pause(self) -> Action:
        if not self.state_is(*RUNNING, PrintState.PAUSING):
            self.board.say("// Print already paused" if self.active else "// action:pause")
            return Action()
        action = self.board.head.park(self.delays.pause)
        return self._change(PrintState.PAUSING, PrintState.PAUSED, action=action)

    def _pause_for_person(self) -> Action:
        self.attention = "the file waits for a person"
        return self._pause()

    def _resume(self) -> Action:
        if not self.state_is(PrintState.PAUSED, PrintState.RESUMING):
            self.board.say("// Print is not paused, resume aborted")
            return Action()
        self.attention = ""
        action = self.board.head.unpark(self.delays.resume)
        return self._change(PrintState.RESUMING, PrintState.PRINTING, action=action)

    def _cancel(self) -> Action:
        if not self.active:
            self.board.say("// action:cancel")
            return Action()
        action = self.board.head.park(self.delays.cancel)
        return self._change(PrintState.CANCELLING, PrintState.CANCELLED, action=action)

    _ORDERS: ClassVar[dict[str, Callable[[Printing], Action]]] = {
        **dict.fromkeys(("PAUSE", "M25", "M601"), _pause),
        **dict.fromkeys(("M0", "M1", "M600"), _pause_for_person),
        **dict.fromkeys(("RESUME", "M24", "M602"), _resume),
        **dict.fromkeys(("CANCEL_PRINT", "M524"), _cancel),
    }

    def _change(
        self,
        through: PrintState,
        to: PrintState,
        seconds: float = 0.0,
        action: Action | None = None,
    ) -> Action:
        """Return what takes the print through one state to another, unless it goes elsewhere."""
        action = action or Action(seconds)
        arrived = action.then
        self._enter(through)

        def then() -> None:
            if arrived is not None:
                arrived()
            if self.state_is(through):
                self._arrive(to)

        action.then = then
        return action

    def _arrive(self, state: PrintState) -> None:
        if state is PrintState.CANCELLED:
            self.board.cool()
        if state in (PrintState.CANCELLED, PrintState.FINISHED):
            self._end(state)
        else:
            self._enter(state)

    def _enter(self, state: PrintState) -> None:
        if self.job is not None:
            self.job.state = state
            self.on_change(self.job)

    def _end(self, state: PrintState, message: str = "") -> None:
        if self.job is not None:
            self.job.ended, self.job.message = self.clock, message
            self._run = None
            self.attention = ""
            self.board.head.forget_park()
            self._enter(state)

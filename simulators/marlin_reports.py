"""What a board says by itself: reports that were asked for, signs of life, `wait`.

Sources: marlinfw.org, M27, M113, M154 and M155, and Configuration, `HOST_KEEPALIVE_FEATURE` and
`NO_TIMEOUTS`.
"""

from __future__ import annotations

import math

from simulators.marlin_lines import Command
from simulators.marlin_machine import Machine
from simulators.marlin_talk import Talk
from simulators.marlin_waits import Actions, Timer, Wait


class Reports:
    """The timers of one board, from one reset to the next."""

    def __init__(self, talk: Talk, machine: Machine) -> None:
        options, dialect = talk.options, talk.dialect
        self.talk, self.machine = talk, machine
        keeps_alive = options.host_keepalive and dialect.busy is not None
        wait = dialect.wait_seconds if options.wait_seconds is None else options.wait_seconds
        self.keep_alive = Timer(machine.clock, 2.0 if keeps_alive else 0.0)
        self._of_wait = Timer(machine.clock, 1.0)
        self._idle = Timer(machine.clock, wait)
        self._temperature = Timer(machine.clock, 0.0)
        self._position = Timer(machine.clock, 0.0)
        self._card = Timer(machine.clock, 0.0)

    def actions(self) -> Actions:
        """What to do for each code."""
        options = self.talk.options
        actions: Actions = {"M155": self._set_temperature}
        if options.host_keepalive:
            actions["M113"] = self._set_keep_alive
        if options.reports_position:
            actions["M154"] = self._set_position
        if options.card:
            actions["M27"] = self._set_card
        return actions

    def begin_command(self) -> None:
        """Count the time without a sign of life from now."""
        self.keep_alive.restart()
        self._idle.restart()

    def begin_wait(self) -> None:
        """Count the time to the report of a wait from now."""
        self._of_wait.restart()

    def due_at(self, wait: Wait | None, *, idle: bool) -> float:
        """The clock's time at which something is said."""
        due = min(self._temperature.due_at, self._position.due_at, self._card.due_at)
        if wait is not None:
            due = min(due, self.keep_alive.due_at, self._of_wait.due_at)
        return min(due, self._idle.due_at) if idle else due

    def say_due(self, wait: Wait | None, *, idle: bool) -> None:
        """Say what is due."""
        say = self.talk.say
        if self._temperature.goes_off():
            say(self.machine.temperatures())
        if self._position.goes_off():
            say(self.machine.moves.where())
        if self._card.goes_off() and self.machine.card.printing:
            say(self.machine.card.state())
        if wait is not None:
            if self._of_wait.goes_off() and wait.report is not None:
                say(wait.report())
            if self.keep_alive.goes_off():
                before = self.talk.options.busy_prefix
                say(f"{self.talk.dialect.busy if before is None else before}busy: {wait.busy}")
        if idle and self._idle.goes_off():
            say("wait")

    def _set_temperature(self, command: Command) -> None:
        """M155 S: report the temperatures every so many seconds, 0 to 60; 0 ends it."""
        self._temperature.set(_seconds(command))

    def _set_position(self, command: Command) -> None:
        """M154 S: report the position."""
        self._position.set(_seconds(command))

    def _set_card(self, command: Command) -> None:
        """M27 S: report the print from the card."""
        if "S" in command.words:
            self._card.set(_seconds(command))
        self.machine.run(command)

    def _set_keep_alive(self, command: Command) -> None:
        """M113 S: say `busy` so often; without S, tell how often."""
        if "S" in command.words:
            self.keep_alive.set(_seconds(command))
        else:
            self.talk.say(f"echo:M113 S{self.keep_alive.period:.0f}")


def _seconds(command: Command) -> float:
    seconds = command.number("S", 0.0)
    return max(0.0, min(60.0, seconds)) if math.isfinite(seconds) else 0.0

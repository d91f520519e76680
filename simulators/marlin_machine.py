"""The printer behind the serial port: its parts, and what each command does to them.

Source: the page of each command at marlinfw.org/docs/gcode. A command that has to wait is a
generator of `Wait`s; the board runs it on while simulated time passes.
"""

from __future__ import annotations

from typing import Final

from simulators.marlin_card import Card
from simulators.marlin_heat import Heat
from simulators.marlin_heaters import TICK, Heater
from simulators.marlin_lines import Command
from simulators.marlin_motion import Planner
from simulators.marlin_moves import STOPPED, Moves
from simulators.marlin_person import Person
from simulators.marlin_talk import Talk
from simulators.marlin_waits import Clock, Waits

ACCEPTED: Final = frozenset(
    {
        "M17", "M42", "M75", "M76", "M77", "M85", "M92", "M108", "M110", "M119", "M120", "M121",
        "M201", "M203", "M204", "M205", "M206", "M211", "M302", "M355", "M412", "M413", "M420",
        "M486", "M500", "M501", "M502", "M503", "M569", "M593", "M900", "M906", "M907", "M914",
    }
)  # fmt: skip
"""Known commands that change nothing here that a host could see, but that they are acknowledged."""


class Machine:
    """State and commands of one printer, from one reset to the next."""

    def __init__(self, talk: Talk, clock: Clock, nozzle: Heater, bed: Heater) -> None:
        options = talk.options
        self.talk, self.clock = talk, clock
        self.planner = Planner(
            size=options.planner_blocks,
            first_move_seconds=options.first_move_seconds,
            slow_down=options.slow_down,
        )
        self.heat = Heat(talk, clock, nozzle, bed)
        self.moves = Moves(talk, clock, self.planner, self._is_hot)
        self.person = Person(talk, clock, self.moves)
        self.card = Card(talk, clock)
        parts = (self.moves, self.heat, self.person, self.card)
        self._actions = {code: act for part in parts for code, act in part.actions().items()}

    @property
    def fan(self) -> int:
        """Duty of the part fan, 0 to 255."""
        return self.heat.fan

    @fan.setter
    def fan(self, duty: int) -> None:
        self.heat.fan = duty

    def due_in(self) -> float:
        """Seconds for which heat and card may be left alone."""
        return min(TICK, self.card.due_in())

    def advance(self, dt: float) -> list[str]:
        """Let time pass for heat and card; return the faults for which the firmware kills itself.

        The axes go on in `planner`, the time in `clock`: those are looked at far more often.
        """
        self.card.look()
        return self.heat.advance(dt)

    def make_cold(self) -> None:
        """Take the heat and the fan away, and drop every move."""
        self.heat.off()
        self.planner.stop()

    def stop(self) -> None:
        """Stop as a failed probe makes the firmware do: cold, and no move until M999."""
        self.make_cold()
        self.moves.stopped = True
        self.talk.say(STOPPED)

    def run(self, command: Command) -> Waits | None:
        """Do what a command says, and return the waits that it has, if any."""
        action = self._actions.get(command.code)
        if action is not None:
            return action(command)
        if command.code not in ACCEPTED and command.code not in self.talk.dialect.own_codes:
            self._refuse(command)
        return None

    def temperatures(self) -> str:
        """The temperature report, as M105 gives it."""
        return self.heat.temperatures()

    def _is_hot(self) -> bool:
        return self.heat.nozzle.temperature >= self.talk.options.min_extrude

    def _refuse(self, command: Command) -> None:
        said = self.talk.dialect.unknown
        if said:
            letter = command.text[:1]
            self.talk.say(said.format(command.text, code=command.code, letter=letter))

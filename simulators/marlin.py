"""A 3D printer with a Marlin 2.1 board, or a board of its kin, as its serial port shows it.

Sources: the G-code documentation at marlinfw.org/docs/gcode, where each command has a page, and
the sources of the firmwares, named in each file beside this one. Left out: acceleration, probing,
the EEPROM and writing to the memory card.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simulators.marlin_board import Board
from simulators.marlin_dialect import DIALECTS
from simulators.marlin_firmware import BoardOptions
from simulators.marlin_heaters import BED, NOZZLE, Heater
from simulators.marlin_machine import Machine
from simulators.marlin_receiver import Disturbance, Receiver
from simulators.marlin_talk import Talk
from simulators.marlin_tally import Tally
from simulators.marlin_troubles import Troubles
from simulators.marlin_waits import Clock
from simulators.serial_output import SerialOutput

__all__ = ["BoardOptions", "MarlinPrinter"]

_SHORTEST = 1e-6


class MarlinPrinter(Troubles):
    """A cartesian printer with one nozzle and a heated bed.

    `executed` holds every command that was begun, in order, without line number and checksum;
    `tally` what came over the line, `tally.received` among it: both outlive a reset. `ok` comes
    when a command is done with: a move when the planner has taken it, a command that waits (M109,
    M190, M400, G4, G28, M0) when its wait has ended.

    What can go wrong with it is described in `Troubles`.
    """

    def __init__(self, options: BoardOptions | None = None) -> None:
        self.options = options or BoardOptions()
        self.executed: list[str] = []
        self.tally = Tally(Clock(), self.options.baud)
        dialect = DIALECTS[self.options.firmware]
        self.output = SerialOutput(ending=dialect.ending)
        self.disturbance = Disturbance()
        ambient, guarded = self.options.ambient, self.options.thermal_protection
        self._heaters = {
            "nozzle": Heater(NOZZLE, ambient, guarded),
            "bed": Heater(BED, ambient, guarded),
        }
        self._board = self._boot()

    # The connection

    def opened(self) -> bytes:
        """Begin a connection; with `resets_on_open` the board starts anew and says so."""
        self.output.forget()
        self._board.receiver.forget_line()
        if self.options.resets_on_open:
            self.reset()
        return self.output.take()

    def handle(self, data: bytes) -> bytes:
        """Take bytes off the wire, in pieces of any size; return what is answered at once."""
        self._board.receive(data)
        return self.output.take()

    def due_in(self) -> float:
        """Seconds until it says something by itself, or would answer otherwise."""
        return min(self.output.due_in(), self._board.due_in())

    def advance(self, dt: float) -> bytes:
        """Let `dt` seconds pass, 0 or more; ValueError for less."""
        if dt < 0:
            message = f"time runs forward only, not by {dt} s"
            raise ValueError(message)
        while dt > 0:
            step = min(dt, max(self.due_in(), _SHORTEST))
            dt -= step
            self.output.advance(step)
            self._board.advance(step)
        return self.output.take()

    # What a test may look at

    @property
    def board(self) -> Board:
        """The board since the last reset."""
        return self._board

    @property
    def received(self) -> list[str]:
        """Every command that was accepted, in order, each once: see `Tally`."""
        return self.tally.received

    @property
    def position(self) -> dict[str, float]:
        """Where the axes are at this moment: mm from their end stops, once they were homed."""
        return self._board.machine.planner.position

    @property
    def moving(self) -> bool:
        """Whether any move has not ended."""
        return not self._board.machine.planner.idle

    @property
    def temperatures(self) -> dict[str, float]:
        """Degrees Celsius of `nozzle` and `bed`, at full precision."""
        return {name: heater.temperature for name, heater in self._heaters.items()}

    @property
    def targets(self) -> dict[str, float]:
        """Degrees Celsius that `nozzle` and `bed` are to reach; 0 is off."""
        return {name: heater.target for name, heater in self._heaters.items()}

    @property
    def fan(self) -> int:
        """Duty of the part fan, 0 to 255."""
        return self._board.machine.fan

    @property
    def display(self) -> str:
        """What M117 last wrote on the display."""
        return self._board.machine.person.display

    @property
    def halted(self) -> bool:
        """Whether the board has killed itself and waits for a reset."""
        return self._board.halted

    @property
    def lost_bytes(self) -> int:
        """Bytes for which there was no room."""
        return self.tally.lost

    @property
    def heaters(self) -> Mapping[str, Heater]:
        """The heaters `nozzle` and `bed`."""
        return self._heaters

    def reset(self) -> None:
        """Start anew, as after a dip of the supply: position, targets and modes are lost."""
        self._board = self._boot()
        self._board.start()

    def power_cycle(self) -> None:
        """See `reset`."""
        self.reset()

    def tricks(self) -> Mapping[str, Callable[..., object]]:
        """The troubles, by the names that a control port has for them."""
        return self.verbs() | {"reset": self.reset}

    def _boot(self) -> Board:
        for heater in self._heaters.values():
            heater.aim(0.0)
        talk = Talk(self.output.say, DIALECTS[self.options.firmware], self.options)
        machine = Machine(talk, self.tally.clock, self._heaters["nozzle"], self._heaters["bed"])
        receiver = Receiver(talk, self.tally, self.disturbance)
        return Board(talk, machine, receiver, self.executed, self.reset)

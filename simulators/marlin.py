"""A 3D printer with a Marlin 2.1 board, as its serial port shows it.

Source: the G-code documentation at marlinfw.org/docs/gcode, where each command has a page.
Left out: arcs, probing, the EEPROM and the memory card.
"""

from __future__ import annotations

from simulators.marlin_board import Board
from simulators.marlin_firmware import BoardOptions
from simulators.marlin_heaters import BED, NOZZLE, Heater
from simulators.marlin_machine import Machine
from simulators.serial_output import SerialOutput

__all__ = ["BoardOptions", "MarlinPrinter"]


class MarlinPrinter:
    """A cartesian printer with one nozzle and a heated bed.

    `executed` holds every command that was begun, in order, without line number and checksum;
    it outlives a reset. `ok` comes when a command is done with: a move when the planner has
    taken it, a command that waits (M109, M190, M400, G4, G28, M0) when its wait has ended.
    """

    def __init__(self, options: BoardOptions | None = None) -> None:
        self.options = options or BoardOptions()
        self.executed: list[str] = []
        self._output = SerialOutput()
        ambient, guarded = self.options.ambient, self.options.thermal_protection
        self._heaters = {
            "nozzle": Heater(NOZZLE, ambient, guarded),
            "bed": Heater(BED, ambient, guarded),
        }
        self._board = self._boot()

    # The connection

    def opened(self) -> bytes:
        """Begin a connection; with `resets_on_open` the board starts anew and says so."""
        self._output.take()
        self._board.forget_line()
        if self.options.resets_on_open:
            self.reset()
        return self._output.take()

    def handle(self, data: bytes) -> bytes:
        """Take bytes off the wire, in pieces of any size; return what is answered at once."""
        for byte in data:
            self._board.receive(byte)
        return self._output.take()

    def advance(self, dt: float) -> bytes:
        """Let `dt` seconds pass, 0 or more; ValueError for less."""
        if dt < 0:
            message = f"time runs forward only, not by {dt} s"
            raise ValueError(message)
        self._board.advance(dt)
        return self._output.take()

    # What can go wrong

    def lose_next_ok(self) -> None:
        """Let the next line that begins with `ok` get lost on the wire."""
        self._output.lose_next_ok = True

    def ask_resend(self, number: int) -> None:
        """Ask for line `number` again, as after a disturbance on the wire."""
        self._board.counter.last = number - 1
        self._board.refuse("checksum mismatch")

    def corrupt_next_line(self) -> None:
        """Let the next line arrive with one wrong bit. Without a checksum that goes unnoticed."""
        self._board.corrupt_next = True

    def go_silent(self, seconds: float) -> None:
        """Lose all that the board says for so long; it goes on reading and working."""
        self._output.silent_for = seconds

    def split_next_line(self) -> None:
        """Break the next line that the board says in two, as the last words of a dying board."""
        self._output.split_next = True

    def reset(self) -> None:
        """Start anew, as after a dip of the supply: position, targets and modes are lost."""
        self._board = self._boot()
        self._board.greet()

    def power_cycle(self) -> None:
        """See `reset`."""
        self.reset()

    def stop_with_error(self) -> None:
        """Stop as after a failed probe: cold, and no move until M999."""
        self._board.machine.stop()

    def break_heater(self, name: str) -> None:
        """Cut the wire of the `nozzle` or the `bed` heater."""
        self._heaters[name].broken = True

    def weld_heater(self, name: str) -> None:
        """Weld the switch of the `nozzle` or the `bed` heater: it heats for ever."""
        self._heaters[name].welded = True

    # What a test may look at

    @property
    def position(self) -> dict[str, float]:
        """Where the axes are at this moment: mm from their end stops, once they were homed."""
        return dict(self._board.machine.planner.position)

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
        return self._board.machine.display

    @property
    def halted(self) -> bool:
        """Whether the board has killed itself and waits for a reset."""
        return self._board.halted

    @property
    def lost_bytes(self) -> int:
        """Bytes since the last reset for which there was no room."""
        return self._board.lost_bytes

    def _boot(self) -> Board:
        for heater in self._heaters.values():
            heater.aim(0.0)
        machine = Machine(
            say=self._output.say,
            size=dict(self.options.size),
            min_extrude=self.options.min_extrude,
            nozzle=self._heaters["nozzle"],
            bed=self._heaters["bed"],
        )
        return Board(self.options, machine, self._output, self.executed)

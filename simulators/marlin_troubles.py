"""What can go wrong with a printer, each by a word that a test or the control port may say."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import Literal

from simulators.marlin_board import Board
from simulators.marlin_heaters import Heater
from simulators.marlin_lines import WRONG_SUM
from simulators.marlin_receiver import Disturbance, lost_digit, one_wrong_bit
from simulators.marlin_tally import Tally
from simulators.serial_output import SerialOutput

Json = dict[str, object]


class Troubles(ABC):
    """The troubles of a printer: of its line, its board, its heaters, and people."""

    output: SerialOutput
    disturbance: Disturbance
    tally: Tally

    @property
    @abstractmethod
    def board(self) -> Board:
        """The board since the last reset."""

    @property
    @abstractmethod
    def heaters(self) -> Mapping[str, Heater]:
        """The heaters by name."""

    def verbs(self) -> dict[str, Callable[..., object]]:
        """Every trouble, and two questions, by name."""
        return {
            "lose_ok": self.lose_next_ok,
            "double_ok": self.double_next_ok,
            "split_line": self.split_next_line,
            "lose_oks": self.lose_oks,
            "split_lines": self.split_lines,
            "halve_lines": self.halve_lines,
            "go_silent": self.go_silent,
            "ask_resend": self.ask_resend,
            "claim_resend": self.claim_resend,
            "corrupt_line": self.corrupt_next_line,
            "corrupt_number": self.corrupt_next_number,
            "corrupt_lines": self.corrupt_lines,
            "claim_room": self.claim_room,
            "say_start": self.say_start,
            "stop_with_error": self.stop_with_error,
            "die_in_two_lines": self.die_in_two_lines,
            "break_heater": self.break_heater,
            "weld_heater": self.weld_heater,
            "run_out_of_filament": self.run_out_of_filament,
            "press": self.press,
            "keep_busy": self.keep_busy,
            "print_from_card": self.print_from_card,
            "tally": self.counts,
            "forget": self.forget,
        }

    # The line to the host

    def lose_next_ok(self) -> None:
        """Let the next line that begins with `ok` get lost on the wire."""
        self.output.lose_next_ok = True

    def double_next_ok(self) -> None:
        """Let the next line that begins with `ok` come twice."""
        self.output.double_next_ok = True

    def lose_oks(self, probability: float, seed: int = 0) -> None:
        """Lose each line that begins with `ok` with a probability of 0 to 1."""
        self.output.lose_oks = _chance(probability)
        self.output.dice = random.Random(seed)

    def split_next_line(self) -> None:
        """Break the next line that the board says in two, as the last words of a dying board."""
        self.output.split_next = True

    def split_lines(self, probability: float, seed: int = 0) -> None:
        """Put a line end into the middle of each line with a probability of 0 to 1."""
        self.output.split_lines = _chance(probability)
        self.output.dice = random.Random(seed)

    def halve_lines(self, probability: float, pause: float = 0.02, seed: int = 0) -> None:
        """Let each line come in two halves, `pause` seconds apart, with a probability of 0 to 1."""
        self.output.halve_lines, self.output.pause = _chance(probability), pause
        self.output.dice = random.Random(seed)

    def go_silent(self, seconds: float) -> None:
        """Lose all that the board says for so long; it goes on reading and working."""
        self.output.silent_for = seconds

    # The line to the board

    def corrupt_next_line(self) -> None:
        """Let the next line arrive with one wrong bit. Without a checksum that goes unnoticed."""
        self.disturbance.next.append(lambda line: one_wrong_bit(line, len(line) // 2))

    def corrupt_next_number(self) -> None:
        """Let the next line arrive without the last digit of its number."""
        self.disturbance.next.append(lost_digit)

    def corrupt_lines(self, probability: float, seed: int = 0) -> None:
        """Let each line arrive with one wrong bit, with a probability of 0 to 1.

        A wrong bit in the `N` makes a line without a number: Marlin 2 answers `Unknown command`
        and `ok`, and asks for the line again only when the next one comes.
        """
        self.disturbance.probability = _chance(probability)
        self.disturbance.dice = random.Random(seed)

    # The board

    def ask_resend(self, number: int) -> None:
        """Ask for line `number` again, as after a disturbance on the wire."""
        self.board.receiver.counter.last = number - 1
        self.board.refuse(WRONG_SUM)

    def claim_resend(self, number: int) -> None:
        """Ask for line `number`, while the board needs another: a digit got lost on the wire.

        A number beyond what the host has kept, or that was never sent, is a line out of reach.
        """
        self.board.receiver.refuse(WRONG_SUM, claimed=number)

    def claim_room(self, more: int) -> None:
        """Let the advanced `ok` tell of so much more room than there is; 0 is the truth."""
        self.board.talk.claimed_room = more

    def say_start(self) -> None:
        """Say `start` and nothing else, without a reset (as Prusa's crash detection can)."""
        self.board.talk.say("start")

    def stop_with_error(self) -> None:
        """Stop as after a failed probe: cold, and no move until M999."""
        self.board.machine.stop()

    def die_in_two_lines(self) -> None:
        """Kill the board, whose last words are broken in two, as older versions do."""
        self.board.kill("Error:0", ": Extruder switched off. MAXTEMP triggered !")

    def break_heater(self, name: str) -> None:
        """Cut the wire of the `nozzle` or the `bed` heater: heating fails, or it runs away."""
        self._heater(name).broken = True

    def weld_heater(self, name: str) -> None:
        """Weld the switch of the `nozzle` or the `bed` heater: it heats for ever."""
        self._heater(name).welded = True

    # People, filament, card

    def run_out_of_filament(self) -> None:
        """Let the filament end: the host is told, and M600 waits for a person (M108, M876)."""
        self.board.machine.person.run_out()
        self.board.wake()

    def press(self, button: Literal["pause", "resume", "cancel"]) -> None:
        """Press a button of the printer's display while the host prints. ValueError for another."""
        if button not in ("pause", "resume", "cancel"):
            raise ValueError(f"the display has pause, resume and cancel, not {button!r}")
        self.board.machine.person.press(button)

    def keep_busy(self, seconds: float, state: str = "paused for input") -> None:
        """Be occupied for so long, as by a person at the menu, and tell the host as `busy:`."""
        self.board.machine.person.occupy(seconds, state)
        self.board.wake()

    def print_from_card(self, name: str, size: int, seconds: float) -> None:
        """Print a file of `size` bytes from the card; without a reset it outlives a connection."""
        self.board.machine.card.print(name, size, seconds)

    # Questions

    def counts(self, without: Collection[str] = ("M105", "M110")) -> Json:
        """What came over the line, and how the planner fared, since `forget`.

        `lines` and `sha256` are of the commands received, but for the codes in `without`.
        """
        lines, digest = self.tally.digest(without)
        planner = self.board.machine.planner
        return {
            "bytes": self.tally.arrived,
            "lost_bytes": self.tally.lost,
            "refused": self.tally.refused,
            "damaged": self.disturbance.damaged,
            "lost_oks": self.output.lost_oks,
            "rubbish": list(self.tally.rubbish),
            "seconds": self.tally.last_at - (self.tally.first_at or 0.0),
            "share": self.tally.share,
            "starved_seconds": self.tally.starved,
            "underruns": planner.gaps,
            "dry_seconds": planner.gap_seconds,
            "lines": lines,
            "sha256": digest,
        }

    def forget(self) -> None:
        """Begin to count anew."""
        self.tally.clear()
        self.board.machine.planner.forget()
        self.output.lost_oks = self.disturbance.damaged = 0

    def _heater(self, name: str) -> Heater:
        if name not in self.heaters:
            raise ValueError(f"there is no heater {name!r}, only {', '.join(self.heaters)}")
        return self.heaters[name]


def _chance(probability: float) -> float:
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"a probability is 0 to 1, not {probability}")
    return probability

"""The memory card of a printer, and a print that runs from it.

Source: marlinfw.org, M20 to M27 and M524. A print from the card is its progress alone: nothing
moves, and it goes on while the host talks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from simulators.marlin_lines import Command
from simulators.marlin_talk import Talk
from simulators.marlin_waits import Actions, Clock


@dataclass
class Card:
    """Files by name, with their sizes in bytes."""

    talk: Talk
    clock: Clock
    files: dict[str, int] = field(default_factory=lambda: {"CUBE.GCO": 48_211})
    bytes_per_second: float = 500.0
    """How fast a print proceeds."""
    name: str = ""
    """The file that was chosen; empty for none."""
    printing: bool = False
    _at: float = 0.0  # in the file, in bytes, when it was last looked at
    _looked_at: float = 0.0

    def actions(self) -> Actions:
        """What to do for each code. Without a card M27 is there all the same."""
        if not self.talk.options.card:
            return {"M27": self._say_state}
        return {
            "M20": self._list,
            "M21": self._mount,
            "M22": self._nothing,
            "M23": self._choose,
            "M24": self._start,
            "M25": self._pause,
            "M26": self._seek,
            "M27": self._say_state,
            "M524": self._abort,
        }

    def print(self, name: str, size: int, seconds: float) -> None:
        """Begin to print a file of `size` bytes, which takes `seconds`."""
        self.files[name] = size
        self.bytes_per_second = size / seconds
        self.name, self._at = name, 0.0
        self._go_on()

    def state(self) -> str:
        """What M27 says."""
        self.look()
        if not self.printing:
            return "Not SD printing"
        return f"SD printing byte {int(self._at + 1e-6)}/{self.files[self.name]}"

    def abort(self) -> None:
        """End the print from the card, as M524 does."""
        self.printing, self.name, self._at = False, "", 0.0

    def due_in(self) -> float:
        """Seconds until a print ends, counted from the last look."""
        if not self.printing:
            return math.inf
        return max(0.0, (self.files[self.name] - self._at) / self.bytes_per_second)

    def look(self) -> None:
        """Go on up to now; say it when a print has ended."""
        if not self.printing:
            return
        now = self.clock.now
        self._at += (now - self._looked_at) * self.bytes_per_second
        self._looked_at = now
        if self._at >= self.files[self.name] - 1e-6:
            self.printing, self._at = False, 0.0
            self.talk.say("Done printing file")

    def _say_state(self, command: Command) -> None:
        if "C" in command.words:
            self.talk.say(f"Current file: {self.name or '(no file)'}")
        elif "S" not in command.words:
            self.talk.say(self.state())

    def _list(self, _: Command) -> None:
        for line in ("Begin file list", *(f"{n} {s}" for n, s in self.files.items())):
            self.talk.say(line)
        self.talk.say("End file list")

    def _mount(self, _: Command) -> None:
        self.talk.say("echo:SD card ok")

    def _choose(self, command: Command) -> None:
        name = command.rest.upper()
        self.talk.say(f"echo:Now fresh file: {name}")
        if name not in self.files:
            self.talk.say(f"open failed, File: {name}.")
            return
        self.name, self._at = name, 0.0
        self.talk.say(f"File opened: {name} Size: {self.files[name]}")
        self.talk.say("File selected")

    def _start(self, _: Command) -> None:
        if self.name and not self.printing:
            self._go_on()

    def _go_on(self) -> None:
        self.printing, self._looked_at = True, self.clock.now

    def _pause(self, _: Command) -> None:
        self.look()
        self.printing = False

    def _seek(self, command: Command) -> None:
        self._at = command.number("S", 0.0)

    def _abort(self, _: Command) -> None:
        self.abort()

    def _nothing(self, _: Command) -> None:
        """Nothing changes that could be seen."""

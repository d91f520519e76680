"""What every part of a printer has to say something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulators.marlin_dialect import Dialect
from simulators.marlin_firmware import BoardOptions


@dataclass
class Talk:
    """A way to speak, and the language. `riding` goes into the `ok` of the command at work."""

    say: Callable[[str], None]
    dialect: Dialect
    options: BoardOptions
    riding: str = ""
    claimed_room: int = 0
    """So much more room than there is does an advanced `ok` tell of."""

    def say_all(self, *lines: str) -> None:
        """Say several lines."""
        for line in lines:
            self.say(line)

    def identify(self) -> None:
        """Say what M115 is answered."""
        lines = self.dialect.identity(self.options)
        if self.dialect.identity_in_ok:
            self.riding = f" {lines[0]}"
        else:
            self.say_all(*lines)

    def action(self, verb: str) -> None:
        """Ask the host for something (marlinfw.org, "Host action commands")."""
        self.say(f"{self.dialect.action}{verb}")

    def acknowledge(self, number: int | None, temperatures: str, blocks: int, lines: int) -> None:
        """Say that a command is done, and what rides on that.

        `blocks` and `lines` are free in planner and queue when the `ok` is sent, while its own
        line is still in the queue (queue.cpp, `ok_to_send`).
        """
        riding = self.riding
        if temperatures:
            if self.options.temperature_in_ok and self.dialect.temperature_in_ok:
                riding = temperatures
            else:
                self.say(temperatures.strip())
        if self.dialect.taken_is_ok:
            return  # that was said when it came
        counts = ""
        if self.options.advanced_ok and not riding:
            named = "" if number is None else f" N{number}"
            counts = f"{named} P{blocks + self.claimed_room} B{lines + self.claimed_room}"
        self.say(f"ok{counts}{riding}")

"""The person in front of the printer: what it shows them, asks them, and waits for.

Sources: marlinfw.org, M0-M1, M73, M117, M118, M600, M876 and "Host action commands"; Marlin's
host_actions.cpp, runout.cpp and pause.cpp for the prompts. Loading filament takes a second here,
and without prompts the question whether to purge more is not put.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from simulators.marlin_lines import Command
from simulators.marlin_moves import Moves
from simulators.marlin_talk import Talk
from simulators.marlin_waits import Actions, Clock, Wait, Waits, sleep

LOADING_S = 1.0
"""Seconds in which filament is loaded or purged."""

_ONLY_WORDS = re.compile(r"(?:[SP]\s*\d*\.?\d*\s*)*")


@dataclass(frozen=True)
class Injected:
    """A command that the board gives itself: no host hears an `ok` for it."""

    text: str
    waits: Callable[[], Waits]


@dataclass
class Person:
    """Display, prompts and pauses."""

    talk: Talk
    clock: Clock
    moves: Moves
    display: str = ""
    percent: float = 0.0
    injected: deque[Injected] = field(default_factory=deque)
    _asked: Literal["continue", "runout", "info"] | None = None
    _answer: int | None = None
    _has_filament: bool = True

    def actions(self) -> Actions:
        """What to do for each code."""
        return {
            "M0": self._pause,
            "M1": self._pause,
            "M73": self._show_progress,
            "M117": self._show,
            "M118": self._echo,
            "M600": self._change_filament,
            "M876": self._nothing if self.talk.options.emergency_parser else self._be_answered,
        }

    def answer(self, button: int) -> None:
        """Take the number of the button that was pressed at the host, from 0 (M876 S)."""
        asked, self._asked = self._asked, None
        if asked in ("continue", "runout"):
            self._answer = button

    def press(self, button: Literal["pause", "resume", "cancel"]) -> None:
        """Press a button of the printer's own display, while the host prints."""
        self.talk.action(button)

    def run_out(self) -> None:
        """Let the sensor see the end of the filament: the board tells the host, and runs M600."""
        self._has_filament = False
        if self.talk.options.prompts:
            self._prompt("runout", "FilamentRunout T0")
        self.talk.action("paused filament_runout 0")
        self.injected.append(Injected("M600", self._change_filament))

    def occupy(self, seconds: float, state: str) -> None:
        """Keep the board occupied, as by a menu; the keep-alive calls it `state`."""
        self.injected.append(Injected("", lambda: sleep(self.clock, seconds, state)))

    def _pause(self, command: Command) -> Waits:
        yield from self.moves.synchronise()
        seconds = command.number("S", command.number("P", 0.0) / 1000.0)
        text = "" if _ONLY_WORDS.fullmatch(command.rest) else command.rest
        if text:
            self.display = text
        if self.talk.options.prompts:
            self._prompt("continue", text or "M0/1 Break Called", "Continue")
        yield self._attention(seconds)

    def _change_filament(self, _: Command | None = None) -> Waits:
        prompts = self.talk.options.prompts
        yield from self.moves.synchronise()
        if self._has_filament:
            self.talk.action("paused")
        if prompts:
            self._prompt("info", "Pause", "Dismiss")
            self._prompt("continue", "Nozzle Parked", "Continue")
        yield self._attention()
        yield from sleep(self.clock, LOADING_S)
        while prompts:
            last = "Continue" if self._has_filament else "DisableRunout"
            self._prompt("runout", "Paused", "PurgeMore", last)
            yield self._attention()
            if self._answer != 0:
                break
            yield from sleep(self.clock, LOADING_S)
        self._has_filament = True
        self.talk.action("resumed")
        if prompts:
            self._prompt("info", "Resuming", "Dismiss")

    def _attention(self, seconds: float = 0.0) -> Wait:
        """A wait for a person at the printer (M108) or at the host (M876), or for its end."""
        self._answer = None
        end = self.clock.now + seconds if seconds > 0 else math.inf
        return Wait(
            done=lambda: self._answer is not None or self.clock.now >= end - 1e-9,
            due_in=lambda: max(0.0, end - self.clock.now),
            busy="paused for user",
            breakable=True,
        )

    def _prompt(
        self, reason: Literal["continue", "runout", "info"], text: str, *buttons: str
    ) -> None:
        self.talk.action("prompt_end")
        self._asked = reason
        self.talk.action(f"prompt_begin {text}")
        for button in buttons:
            self.talk.action(f"prompt_button {button}")
        self.talk.action("prompt_show")

    def _be_answered(self, command: Command) -> None:
        self.answer(int(command.number("S", 0.0)))

    def _show(self, command: Command) -> None:
        self.display = command.rest
        if self.talk.options.notifications:
            self.talk.action(f"notification {command.rest}")

    def _show_progress(self, command: Command) -> None:
        self.percent = command.number("P", self.percent)

    def _echo(self, command: Command) -> None:
        """M118 sends text back: `A1` puts `// ` before it, `E1` puts `echo:`."""
        text, before = command.rest, ""
        while text[:2] in ("A1", "E1", "P0", "P1"):
            before += {"A1": "// ", "E1": "echo:"}.get(text[:2], "")
            text = text[2:].lstrip()
        self.talk.say(before + text)

    def _nothing(self, _: Command) -> None:
        """It has acted when its bytes came in."""

"""What a board says beside its answers: questions of its display, and the print from its memory card.

Sources: the page "Host Action Commands" and those of M27 and M876 at marlinfw.org.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from drivers.protocol.printing import PrintOwner, PrintReport, PrintState

MOST_BUTTONS = 10
LONGEST = 120
"""Characters of a question or a button that are shown; more is not written for a display."""


@dataclass(slots=True)
class Prompt:
    """The question that the printer's display shows, and its buttons in order."""

    text: str = ""
    buttons: list[str] = field(default_factory=list)
    is_shown: bool = False

    def notice(self, verb: str, words: str) -> None:
        """Follow an action of the host protocol: `prompt_begin`, `prompt_button`, `prompt_show`, …."""
        words = _legible(words)
        match verb:
            case "prompt_begin":
                self.text, self.buttons, self.is_shown = words, [], False
            case "prompt_button" | "prompt_choice" if len(self.buttons) < MOST_BUTTONS:
                self.buttons.append(words)
            case "prompt_show":
                self.is_shown = True
            case "prompt_end":
                self.text, self.buttons, self.is_shown = "", [], False

    @property
    def shown(self) -> str:
        """The question with its answers, as `answer` takes them; "" where nothing is asked."""
        if not self.is_shown:
            return ""
        answers = ", ".join(f"{number} {name}" for number, name in enumerate(self.buttons))
        return f"{self.text} ({answers})" if answers else self.text

    def button(self, *names: str) -> int | None:
        """The number of the first button that has one of these words, or None."""
        if not self.is_shown:
            return None
        for number, name in enumerate(self.buttons):
            if any(word in name.lower() for word in names):
                return number
        return None


@dataclass(slots=True)
class SdCard:
    """The print from the board's own memory card, as M27 tells of it."""

    done: int = 0
    size: int = 0

    @property
    def is_printing(self) -> bool:
        """Whether it printed when it was last heard."""
        return self.size > 0

    def notice(self, line: str) -> None:
        """Follow what the board says of its card."""
        if found := re.fullmatch(r"SD printing byte (\d+)/(\d+)", line):
            self.done, self.size = int(found[1]), int(found[2])
        elif line.startswith(("Not SD printing", "Done printing file")):
            self.done = self.size = 0

    def report(self, otherwise: PrintReport) -> PrintReport:
        """The print as it stands: somebody else's."""
        return replace(
            otherwise,
            state=PrintState.PRINTING,
            owner=PrintOwner.FOREIGN,
            file="",
            sent=round(100.0 * self.done / self.size, 2),
            message="it prints from its memory card",
        )


def _legible(text: str) -> str:
    kept = "".join(sign if sign.isprintable() else " " for sign in text).strip()
    return kept if len(kept) <= LONGEST else f"{kept[: LONGEST - 1]}…"

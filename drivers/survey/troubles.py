"""What is wrong with a file, line by line."""

from __future__ import annotations

from typing import Final

from drivers.survey.report import Trouble

MOST: Final = 15
"""Lines with trouble that are listed; with what is wrong with the file as a whole, at most 20."""


class Troubles:
    """The first lines with trouble, how many more there are, and trouble with the whole file."""

    def __init__(self) -> None:
        self._lines: list[Trouble] = []
        self._whole: list[Trouble] = []
        self.more = 0

    def add(self, line: int, code: str, text: str, *, by_lines: bool = False) -> None:
        """Trouble with a line."""
        if len(self._lines) < MOST:
            self._lines.append(Trouble(line=line, code=code, text=text, by_lines=by_lines))
        else:
            self.more += 1

    def whole(self, line: int, text: str) -> None:
        """Trouble with the file, which shows in a line, or 0."""
        self._whole.append(Trouble(line=line, code="", text=text))

    def listed(self) -> tuple[Trouble, ...]:
        """All of it, by lines."""
        return tuple(sorted([*self._whole, *self._lines], key=lambda trouble: trouble.line))

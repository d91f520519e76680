"""What is wrong with a file, line by line."""

from __future__ import annotations

from typing import Final

from drivers.survey.report import Trouble

MOST: Final = 15
"""Lines with trouble that are listed; of each kind: for all printers, and for those that are sent lines."""


class Troubles:
    """The first lines with trouble, how many more there are, and trouble with the whole file."""

    def __init__(self) -> None:
        self._lines: dict[bool, list[Trouble]] = {False: [], True: []}  # for all, and by lines
        self._whole: list[Trouble] = []
        self.more = 0

    def add(self, line: int, code: str, text: str, *, by_lines: bool = False) -> None:
        """Trouble with a line."""
        kind = self._lines[by_lines]
        if len(kind) < MOST:
            kind.append(Trouble(line=line, code=code, text=text, by_lines=by_lines))
        else:
            self.more += 1

    def whole(self, line: int, text: str) -> None:
        """Trouble with the file, which shows in a line, or 0."""
        self._whole.append(Trouble(line=line, code="", text=text))

    def listed(self) -> tuple[Trouble, ...]:
        """All of it, by lines."""
        lines = [*self._lines[False], *self._lines[True]]
        return tuple(sorted([*self._whole, *lines], key=lambda trouble: trouble.line))

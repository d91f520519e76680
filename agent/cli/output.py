"""What a command prints: JSON, or a table as wide as the terminal; whole where it is piped."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import RenderableType

UNBOUNDED: Final = 10_000
"""Columns of a table that no terminal limits: nothing is cut or folded in a file or a pipe."""


class ReaderGone(Exception):
    """Whoever read the output has had enough, as `head` has."""


def line(text: str) -> None:
    """Print one line. Raises ReaderGone."""
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderGone from None


def document(what: Any) -> None:
    """Print one JSON document on one line."""
    line(json.dumps(what, ensure_ascii=False))


def show(what: RenderableType) -> None:
    """Print a table or a text."""
    on_terminal = sys.stdout.isatty()
    line(rendered(what, None if on_terminal else UNBOUNDED, colour=on_terminal))


def rendered(what: RenderableType, width: int | None = UNBOUNDED, *, colour: bool = False) -> str:
    """The text of a table; `width` is in columns, None for the terminal's own."""
    # Rich takes 0.1 s to import: the commands that print JSON do without.
    from rich.console import Console

    text = io.StringIO()
    console = Console(
        file=text,
        width=width,
        force_terminal=colour,
        color_system="auto" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.print(what, soft_wrap=False)
    return "\n".join(row.rstrip() for row in text.getvalue().rstrip("\n").split("\n"))

"""What a command prints: JSON, or a table as wide as the terminal; whole where it is piped."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent.cli.words import said
from agent.errors import AgentError
from agent.languages.message import Message

if TYPE_CHECKING:
    from rich.console import RenderableType

UNBOUNDED: Final = 10_000
"""Columns of a table that no terminal limits: nothing is cut or folded in a file or a pipe."""


class ReaderGone(Exception):
    """Whoever read the output has had enough, as `head` has."""


class OutputLost(AgentError):
    """The answer came, and could not be written: the disk is full, or the terminal was closed."""

    exit_code = 1

    def __init__(self, error: OSError) -> None:
        why = (error.strerror or str(error)).lower()
        super().__init__(Message("the answer can't be written: {why}", why=why))


def prepare() -> None:
    """Make the standard streams take whatever is written, before anything is.

    A stream that the caller has closed takes it and forgets it. A character that the terminal does
    not know, such as ° in ASCII, becomes a question mark.
    """
    nowhere = Path(os.devnull)
    sys.stdout = sys.stdout or nowhere.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or nowhere.open("w", encoding="utf-8")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def line(text: str) -> None:
    """Print one line, in the language of the person. Raises ReaderGone and OutputLost."""
    _write(said(text))


def _write(text: str) -> None:
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderGone from None
    except OSError as error:
        raise OutputLost(error) from error


def mute() -> None:
    """Write nothing more to standard output: what is left in its buffer has nowhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def document(what: Any) -> None:
    """Print one JSON document on one line."""
    _write(json.dumps(what, ensure_ascii=not _takes_unicode()))


def _takes_unicode() -> bool:
    return (sys.stdout.encoding or "utf-8").lower().startswith("utf")


def show(what: RenderableType) -> None:
    """Print a table or a text."""
    on_terminal = sys.stdout.isatty()
    _write(rendered(what, None if on_terminal else UNBOUNDED, colour=on_terminal))


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

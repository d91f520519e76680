"""The whole ledger in a file of its own: CSV for people and Excel, JSON lines for programs."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from agent.errors import Refused
from agent.languages.message import Message
from agent.store.chain import EMPTY, Head
from agent.store.ledger_text import FORMS, Form
from agent.store.rows import Row


def write(path: Path, rows: Iterable[Row], *, replace: bool) -> tuple[int, Head]:
    """Write the rows to a file, whole or not at all; return how many, and the last one's place.

    Raises:
        Refused: The ending is neither .csv nor .jsonl, the file is there, or the disk does not
            take it.
    """
    form = FORMS.get(path.suffix.lower())
    if form is None:
        raise Refused(Message("{path}: call it .csv for people or .jsonl for programs", path=path))
    if path.exists() and not replace:
        raise Refused(
            Message("{path} is there already: give another name, or say --replace", path=path)
        )
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("w", encoding=form.encoding, errors="backslashreplace", newline="") as file:
            told = _written(rows, form, file)
        draft.replace(path)
    except OSError as error:
        raise Refused(
            Message("{path} can't be written: {strerror}", path=path, strerror=error.strerror)
        ) from error
    finally:
        with suppress(OSError):  # it has its name now, or there is nothing more to be done
            draft.unlink(missing_ok=True)
    return told


def _written(rows: Iterable[Row], form: Form, file: TextIO) -> tuple[int, Head]:
    file.write(form.heading)
    count, head = 0, EMPTY
    for row in rows:
        file.write(form.line(row))
        count, head = count + 1, Head(row.seq, row.hash)
    return count, head

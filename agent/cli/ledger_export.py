"""The whole ledger in a file of its own: CSV for people and Excel, JSON lines for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TextIO

from agent.errors import Refused
from agent.store.chain import EMPTY, Head
from agent.store.rows import DAMAGED, Row

COLUMNS: Final = (
    *("seq", "utc", "kind", "actor", "role", "origin", "action", "object", "before", "after"),
    *("stage", "command", "reason", "job", "step", "clock_synced", "mono", "boot_id"),
    *("software_version", "config_hash", "prev_hash", "hash"),
)
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would calculate: what a device wrote must not be."""


def write(path: Path, rows: Iterable[Row], *, replace: bool) -> tuple[int, Head]:
    """Write the rows to a file, whole or not at all; return how many, and the last one's place.

    Raises:
        Refused: The ending is neither .csv nor .jsonl, the file is there, or the disk does not
            take it.
    """
    form = FORMS.get(path.suffix.lower())
    if form is None:
        raise Refused(f"{path}: call it .csv for people or .jsonl for programs")
    if path.exists() and not replace:
        raise Refused(f"{path} is there already: give another name, or say --replace")
    encoding, writer = form
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("w", encoding=encoding, errors="backslashreplace", newline="") as file:
            told = _written(rows, writer(file))
        draft.replace(path)
    except OSError as error:
        raise Refused(f"{path} can't be written: {error.strerror}") from error
    finally:
        with suppress(OSError):  # it has its name now, or there is nothing more to be done
            draft.unlink(missing_ok=True)
    return told


def _written(rows: Iterable[Row], write_row: Callable[[Row], object]) -> tuple[int, Head]:
    count, head = 0, EMPTY
    for row in rows:
        write_row(row)
        count, head = count + 1, Head(row.seq, row.hash)
    return count, head


def _as_csv(file: TextIO) -> Callable[[Row], object]:
    table = csv.writer(file)
    table.writerow(COLUMNS)
    return lambda row: table.writerow(_cells(row))


def _as_json_lines(file: TextIO) -> Callable[[Row], object]:
    return lambda row: file.write(f"{_line(row)}\n")


FORMS: Final[dict[str, tuple[str, Callable[[TextIO], Callable[[Row], object]]]]] = {
    ".csv": (
        "utf-8-sig",
        _as_csv,
    ),  # with a byte order mark: Excel in Korea takes it for CP949 else
    ".jsonl": ("utf-8", _as_json_lines),
}
"""Encoding and writer by the ending of the file."""


def _cells(row: Row) -> list[str]:
    entry, actor = row.entry, row.entry.get("actor")
    who = actor if isinstance(actor, dict) else {}
    known: dict[str, Any] = {
        **entry,
        "actor": who.get("name"),
        "role": who.get("role"),
        "origin": who.get("origin"),
        "seq": row.seq,
        "prev_hash": row.prev_hash.hex(),
        "hash": row.hash.hex(),
    }
    return [_cell(known.get(name)) for name in COLUMNS]


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return f"'{value}" if value.startswith(FORMULA) else value
    return json.dumps(value, ensure_ascii=False)


def _line(row: Row) -> str:
    """A row as one line. What stands behind "entry" up to the last brace is the text that was hashed."""
    place = f'"seq":{row.seq},"prev_hash":"{row.prev_hash.hex()}","hash":"{row.hash.hex()}"'
    if row.entry.get("kind") == DAMAGED:
        return f'{{{place},"damaged":{json.dumps(row.text)},"entry":null}}'
    return f'{{{place},"entry":{row.text}}}'

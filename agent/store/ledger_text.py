"""Rows of the ledger as text that leaves the station: CSV for people and Excel, JSON lines for programs."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.store.rows import DAMAGED, Row

COLUMNS: Final = (
    *("seq", "utc", "kind", "actor", "role", "origin", "action", "object", "before", "after"),
    *("stage", "command", "reason", "job", "step", "clock_synced", "mono", "boot_id"),
    *("software_version", "config_hash", "prev_hash", "hash"),
)
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would calculate: what a device wrote must not be."""


@dataclass(frozen=True, slots=True)
class Form:
    """How rows are written as text: what a file begins with, then a line for each."""

    encoding: str
    heading: str
    line: Callable[[Row], str]


def _csv_line(cells: Sequence[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue()


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


FORMS: Final[dict[str, Form]] = {
    # With a byte order mark: Excel in Korea takes it for CP949 else.
    ".csv": Form("utf-8-sig", _csv_line(COLUMNS), lambda row: _csv_line(_cells(row))),
    ".jsonl": Form("utf-8", "", lambda row: f"{_line(row)}\n"),
}
"""By the ending of the file."""

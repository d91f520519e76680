"""The rows of the ledger as they are read back, by whoever asks. They are parsed, not verified."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.store.database import Connection

DAMAGED: Final = "damaged"
"""The kind of a row whose text is no JSON any more."""

_FIELDS: Final = {
    "kind": "$.kind",
    "job": "$.job",
    "actor": "$.actor.name",
    "action": "$.action",
    "origin": "$.actor.origin",
}
"""Where a field that rows are chosen by stands in their text."""


_HAS_IN_ITS_TEXT: Final = "instr(lower(CAST(body AS TEXT)), ?) > 0"
# First the quick look, which rules most rows out; it may be the name of a field that has the text.
_HAS_IN_A_VALUE: Final = (
    "CASE WHEN json_valid(body) THEN EXISTS (SELECT 1 FROM json_tree(body) AS it "
    "WHERE it.atom IS NOT NULL AND instr(lower(it.atom), ?) > 0) END"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row: its place, what it says by field, and its text exactly as it was hashed."""

    seq: int
    prev_hash: bytes
    hash: bytes
    text: str
    entry: Mapping[str, Any]

    def form(self) -> dict[str, Any]:
        """As JSON. `entry` is what was hashed, in another order perhaps."""
        return {
            "seq": self.seq,
            "prev_hash": self.prev_hash.hex(),
            "hash": self.hash.hex(),
            "entry": dict(self.entry),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which rows: all of these must be so. Empty means any."""

    device: str = ""
    """Rows about the device as a whole, or a setting or command of it."""
    kind: str = ""
    job: str = ""
    actor: str = ""
    action: str = ""
    origin: str = ""
    text: str = ""
    """Rows in which some value has this, in whatever case as far as A to Z go."""
    since: str = ""
    """RFC 3339 in UTC, or the beginning of that: this moment and later."""
    until: str = ""
    """The same: before this moment."""
    last: int | None = None
    """Only so many, the newest."""

    def conditions(self) -> tuple[str, list[str | int]]:
        """The same in SQL, and the values for its question marks."""
        asked = {
            "kind": self.kind,
            "job": self.job,
            "actor": self.actor,
            "action": self.action,
            "origin": self.origin,
        }
        given = {name: value for name, value in asked.items() if value}
        parts = [f"{_field(_FIELDS[name])} = ?" for name in given]
        values: list[str | int] = list(given.values())
        if self.device:
            parts.append(f"instr({_field('$.object')} || '.', ?) = 1")
            values.append(f"{self.device}.")
        for moment, compared in ((self.since, ">="), (self.until, "<")):
            if moment:
                parts.append(f"{_field('$.utc')} {compared} ?")
                values.append(moment)
        if self.text:
            parts += [_HAS_IN_ITS_TEXT, _HAS_IN_A_VALUE]
            values += [_low(json.dumps(self.text)[1:-1]), _low(self.text)]
        return " AND ".join(parts) or "TRUE", values


EVERYTHING: Final = Wanted()


def rows(connection: Connection, wanted: Wanted = EVERYTHING) -> Iterator[Row]:
    """Yield the rows that are wanted, oldest first."""
    condition, values = wanted.conditions()
    # No word of a caller is in it: conditions are ours, and values are bound.
    query = (
        "SELECT seq, prev_hash, hash, CAST(body AS BLOB) AS body "  # noqa: S608
        f"FROM ledger WHERE {condition} ORDER BY seq"
    )
    if wanted.last is not None:
        query = f"SELECT * FROM ({query} DESC LIMIT ?) ORDER BY seq"  # noqa: S608
        values.append(wanted.last)
    for seq, prev_hash, hash_, text in connection.execute(query, values):
        yield _row(seq, prev_hash, hash_, text)


def page(
    connection: Connection, wanted: Wanted, first: int, last: int, *, most: int, newest: bool
) -> list[Row]:
    """The rows that are wanted of those from `first` to `last`, at most so many of them."""
    condition, values = wanted.conditions()
    order = "DESC" if newest else "ASC"
    query = (
        "SELECT seq, prev_hash, hash, CAST(body AS BLOB) AS body FROM ledger "  # noqa: S608 - as above
        f"WHERE seq BETWEEN ? AND ? AND {condition} ORDER BY seq {order} LIMIT ?"
    )
    return [_row(*it) for it in connection.execute(query, (first, last, *values, most))]


def last_seq(connection: Connection) -> int:
    """The number of the last row; 0 where there is none."""
    (found,) = connection.execute("SELECT coalesce(max(seq), 0) FROM ledger").fetchone()
    return int(found)


def _low(text: str) -> str:
    """In small letters as SQLite makes them: A to Z alone."""
    return "".join(sign.lower() if sign.isascii() else sign for sign in text)


def _field(path: str) -> str:
    """A field of a row in SQL; NULL where the row was damaged."""
    return f"CASE WHEN json_valid(body) THEN json_extract(body, '{path}') END"


def _row(seq: int, prev_hash: bytes, hash_: bytes, body: bytes) -> Row:
    text = body.decode("utf-8", "backslashreplace")
    return Row(seq=seq, prev_hash=prev_hash, hash=hash_, text=text, entry=_parsed(text))


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"kind": DAMAGED, "reason": text}

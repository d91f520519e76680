"""Rows of the ledger as a person reads them. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from agent.cli.tables import new_table
from agent.cli.words import called, said, shown, told
from agent.fleet.events import one_line
from agent.languages.message import Message
from agent.store.entries import OF_STATES
from agent.store.rows import Row

STYLES: Final = {
    "confirmed": "green",
    "settled": "green",
    "refused": "yellow",
    "failed": "red",
    "unknown": "red",
    "damaged": "red",
}
TO_THE_MILLISECOND: Final = len("2026-11-28T05:16:02.123")


def rows_table(rows: Iterable[Row]) -> Table:
    """Each row: when (UTC), who, did what, from which value to which, how it went, and why."""
    table = new_table("row", "time", "who", "what", "value", "", "job", "why")
    for row in rows:
        entry = row.entry
        stage = str(entry.get("stage") or entry.get("kind", ""))
        table.add_row(
            str(row.seq),
            _time(entry),
            _said(_who(entry.get("actor"))),
            _said(f"{called(str(entry.get('action', '')))} {entry.get('object', '')}".strip()),
            _said(_change(entry)),
            Text(told(stage), STYLES.get(stage, "")),
            _said(_step(entry)),
            _said(said(str(entry.get("reason", "")))),
        )
    return table


def _time(entry: Mapping[str, Any]) -> Text:
    """The time in UTC; "?" behind it where the clock was not known to be in step."""
    utc = str(entry.get("utc", ""))[:TO_THE_MILLISECOND]
    doubt = "" if not utc else "Z" if entry.get("clock_synced") else "Z?"
    return _said(f"{utc}{doubt}")


def _who(actor: Any) -> str:
    if not isinstance(actor, dict):
        return ""
    return f"{actor.get('name', '')} ({actor.get('origin', '')})"


def _change(entry: Mapping[str, Any]) -> str:
    said_of = _state if entry.get("kind") in OF_STATES else _value
    before, after = (said_of(entry.get(name)) for name in ("before", "after"))
    return f"{before} → {after}" if before and after else (before and f"{before} →") or after


def _step(entry: Mapping[str, Any]) -> str:
    job, step = entry.get("job", ""), entry.get("step", "")
    return said(Message("{job} step {step}", job=job, step=step)) if step else str(job)


def _state(value: Any) -> str:
    """The same of a job or an alarm, whose words are states of ours."""
    return told(value) if isinstance(value, str) else _value(value)


def _value(value: Any) -> str:
    match value:
        case None:
            return ""
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
    return shown(value)


def _said(text: str) -> Text:
    """What devices and people wrote, without what could steer a terminal."""
    return Text(one_line(text))

"""A row of the ledger as its page shows it: words for what programs call `intent` or `mqtt`."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from agent.languages.deeds import deed
from agent.languages.words import term
from agent.store.entries import OF_STATES
from agent.store.rows import Row
from agent.web.console.show import NOTHING, moment
from agent.web.console.words import SWITCH
from agent.web.ledger_words import ORIGINS, kind_word, stage_word

_SHOWN: Final = frozenset(
    {"utc", "kind", "actor", "action", "object", "before", "after", "reason", "job", "stage"}
)
"""Fields with a place of their own; the others stand below them by name."""


def shown_row(row: Row, zone: ZoneInfo) -> dict[str, Any]:
    """What the template names. A damaged row has little more than its number and its text."""
    entry = row.entry
    actor = entry.get("actor")
    actor = actor if isinstance(actor, Mapping) else {}
    kind, origin, stage = (str(it or "") for it in _three(entry, actor))
    text = _state if kind in OF_STATES else _text
    return {
        "seq": row.seq,
        "time": _time(str(entry.get("utc", "")), zone),
        "utc": str(entry.get("utc", "")),
        "kind": kind_word(kind),
        "who": str(actor.get("name", "")),
        "role": str(actor.get("role", "")),
        "origin": ORIGINS.get(origin, origin),
        "action": str(entry.get("action", "")),
        "deed": deed(str(entry.get("action", ""))),
        "object": str(entry.get("object", "")),
        "before": text(entry.get("before")),
        "after": text(entry.get("after")),
        "reason": str(entry.get("reason", "")),
        "job": str(entry.get("job", "")),
        "stage": stage_word(stage),
        "mark": stage,
        "more": {name: _json(it) for name, it in entry.items() if name not in _SHOWN},
        "hash": row.hash.hex(),
        "prev_hash": row.prev_hash.hex(),
    }


def _three(entry: Mapping[str, Any], actor: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return entry.get("kind"), actor.get("origin"), entry.get("stage")


def _text(value: Any) -> str:
    """A JSON value as people read it."""
    match value:
        case None:
            return NOTHING
        case bool():
            return SWITCH[value]
    return _json(value)


def _json(value: Any) -> str:
    """A JSON value as it stands in the row; a text without its quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _state(value: Any) -> str:
    """The same, where a word is a state of ours."""
    return term(value) if isinstance(value, str) and value else _text(value)


def _time(utc: str, zone: ZoneInfo) -> str:
    """A moment in the zone; what is no moment, as it stands there."""
    try:
        return moment(datetime.fromisoformat(utc).timestamp(), zone)
    except ValueError:
        return utc or NOTHING

"""A row of the ledger as its page shows it: words for what programs call `intent` or `mqtt`."""

import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from agent.languages.message import Message
from agent.store.entries import Kind, Stage
from agent.store.rows import DAMAGED, Row
from agent.web.console.show import NOTHING, moment

KINDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        Kind.COMMAND: Message("command or setting"),
        Kind.JOB: Message("job"),
        Kind.STEP: Message("step of a job"),
        Kind.EVENT: Message("event"),
        Kind.ALARM: Message("alarm"),
        Kind.CONFIG: Message("config"),
        Kind.LEDGER: Message("the ledger itself"),
    }
)
BROKEN: Final = Message("damaged row")
ORIGINS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "web": Message("console"),
        "cli": Message("command line"),
        "api": Message("program (API)"),
        "mqtt": Message("program (MQTT)"),
        "schedule": Message("schedule"),
        "job": Message("job"),
        "agent": Message("the agent itself"),
    }
)
STAGES: Final[Mapping[str, Message]] = MappingProxyType(
    {
        Stage.INTENT: Message("about to be done"),
        Stage.SENT: Message("sent"),
        Stage.CONFIRMED: Message("done"),
        Stage.REFUSED: Message("refused"),
        Stage.FAILED: Message("failed"),
        Stage.UNKNOWN: Message("outcome unknown"),
        Stage.SETTLED: Message("settled by a person"),
    }
)
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
    return {
        "seq": row.seq,
        "time": _time(str(entry.get("utc", "")), zone),
        "utc": str(entry.get("utc", "")),
        "kind": BROKEN if kind == DAMAGED else KINDS.get(kind, kind),
        "who": str(actor.get("name", "")),
        "role": str(actor.get("role", "")),
        "origin": ORIGINS.get(origin, origin),
        "action": str(entry.get("action", "")),
        "object": str(entry.get("object", "")),
        "before": _text(entry.get("before")),
        "after": _text(entry.get("after")),
        "reason": str(entry.get("reason", "")),
        "job": str(entry.get("job", "")),
        "stage": STAGES.get(stage, stage),
        "mark": stage,
        "more": {name: _text(it) for name, it in entry.items() if name not in _SHOWN},
        "hash": row.hash.hex(),
        "prev_hash": row.prev_hash.hex(),
    }


def _three(entry: Mapping[str, Any], actor: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return entry.get("kind"), actor.get("origin"), entry.get("stage")


def _text(value: Any) -> str:
    """A JSON value as people read it."""
    if value is None:
        return NOTHING
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _time(utc: str, zone: ZoneInfo) -> str:
    """A moment in the zone; what is no moment, as it stands there."""
    try:
        return moment(datetime.fromisoformat(utc).timestamp(), zone)
    except ValueError:
        return utc or NOTHING

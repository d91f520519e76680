"""What people call what a row of the ledger is: words for `intent`, `mqtt` and `files.added`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from agent.languages.catalogues import all_in_language
from agent.languages.deeds import deed
from agent.languages.message import Message
from agent.store.entries import Kind, Stage
from agent.store.rows import DAMAGED, Row

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


def kind_word(kind: str) -> str:
    """What a row is about."""
    return BROKEN if kind == DAMAGED else KINDS.get(kind, kind)


def stage_word(stage: str) -> str:
    """How far a command is."""
    return STAGES.get(stage, stage)


def row_form(row: Row, language: str) -> dict[str, Any]:
    """A row as JSON: what was hashed as it stands, and beside it what people read, in a language."""
    entry = row.entry
    kind, action, stage, reason = (
        str(entry.get(name) or "") for name in ("kind", "action", "stage", "reason")
    )
    said = {
        "kind": kind_word(kind),
        "action": deed(action),
        "stage": stage_word(stage),
        "reason": reason,
    }
    return {**row.form(), "said": all_in_language(said, language)}

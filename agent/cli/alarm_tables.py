"""Alarms as a table, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from agent.cli import words
from agent.cli.tables import new_table

Form = Mapping[str, Any]
URGENCY: Final = ("critical", "high", "medium", "low")
STATES: Final = ("unacknowledged", "returned", "acknowledged", "shelved", "suppressed", "normal")
STYLES: Final = {"unacknowledged": "red", "returned": "yellow", "acknowledged": "yellow"}


def alarms_table(alarms: Iterable[Form], language: str) -> RenderableType:
    """Every alarm: name, title, priority, state, since when, why, and what to do."""
    table = new_table("alarm", "title", "priority", "state", "since", "why", "do")
    for it in sorted(alarms, key=_order):
        state = words.told(it["state"]) + (
            f", {it['by']}" if it["state"] in {"acknowledged", "shelved"} else ""
        )
        table.add_row(
            it["alarm"] + (f" ({words.told('first')})" if it["first"] else ""),
            words.title_of(it["titles"], language) or words.NOTHING,
            words.told(it["priority"]),
            Text(state, style=STYLES.get(it["state"], "")),
            it["since"],
            words.said(it["reason"]) or words.NOTHING,
            words.title_of(it["todo"], language) or words.NOTHING,
        )
    return table


def _order(alarm: Form) -> tuple[int, int, str]:
    return STATES.index(alarm["state"]), URGENCY.index(alarm["priority"]), alarm["since"]

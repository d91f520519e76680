"""Users and tokens as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import RenderableType

from agent.cli.tables import new_table
from agent.cli.words import NOTHING, told

Form = Mapping[str, Any]


def users_table(users: Iterable[Form]) -> RenderableType:
    """Every user: name, what people call them, role, whether they may sign in, where, since when."""
    found = list(users)
    elsewhere = ["signs in at"] if any(it["provider"] for it in found) else []
    table = new_table("user", "name", "role", "may sign in", *elsewhere, "since")
    for it in found:
        at = [it["provider"] or NOTHING] if elsewhere else []
        allowed = told("yes" if it["enabled"] else "no")
        table.add_row(it["name"], it["display"], told(it["role"]), allowed, *at, it["since"])
    return table


def tokens_table(tokens: Iterable[Form]) -> RenderableType:
    """Every token: name, scope, who made it, until when, whether it counts."""
    table = new_table("token", "scope", "made by", "until", "counts")
    for it in tokens:
        counts = told("yes" if it["counts"] else "no")
        table.add_row(it["name"], it["scope"], it["owner"] or NOTHING, it["until"], counts)
    return table

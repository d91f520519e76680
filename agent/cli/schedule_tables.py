"""Schedules as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from agent.cli import words
from agent.cli.tables import new_table
from agent.fleet.events import one_line

Form = Mapping[str, Any]


def schedules_table(schedules: Iterable[Form], language: str) -> RenderableType:
    """Every schedule: name, title, recipe, when it fires, next and last time, its last job.

    What was not fired since then is told as trouble.
    """
    table = new_table("schedule", "title", "recipe", "cron", "next", "last", "job", "trouble")
    for it in schedules:
        table.add_row(
            it["schedule"],
            words.title_of(it["titles"], language),
            it["recipe"],
            f"{it['cron']} ({it['zone']})",
            it["next"][0]["local"] if it["next"] else Text(_off(it), "yellow"),
            it["fired"]["local"] if it["fired"] else words.NOTHING,
            it["job"] or words.NOTHING,
            Text(_trouble(it), "yellow"),
        )
    return table


def _off(schedule: Form) -> str:
    return "off (config)" if schedule["off_by"] == "config" else "off"


def _trouble(schedule: Form) -> str:
    """What became of the last firing, where no job was started for it."""
    trouble, fired = schedule["trouble"], schedule["fired"]
    if trouble is None or (fired and fired["time"] >= trouble["time"]):
        return ""
    return one_line(f"{trouble['what']} {trouble['local']}: {trouble['text']}")

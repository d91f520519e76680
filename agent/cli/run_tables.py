"""Run folders as tables: all of them in a line each, and one as a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from agent.cli import job_view, words
from agent.cli.job_tables import STYLES
from agent.cli.tables import new_table
from agent.cli.words import said
from agent.fleet.events import one_line
from agent.languages.message import Message


def runs_table(runs: Iterable[Mapping[str, Any]]) -> RenderableType:
    """Every run: its job, recipe, state, verdict, who started it, when it began, and its folder."""
    table = new_table("job", "recipe", "state", "verdict", "by", "began", "folder")
    for run in runs:
        state = str(run["state"])
        cells = [_said(run[name]) for name in ("by", "began", "folder")]
        table.add_row(
            *(
                _said(run["job"]),
                _said(run["recipe"]),
                Text(words.told(_said(state)), STYLES.get(state, "")),
            ),
            *(words.told(_said(run["verdict"])), *cells),
        )
    return table


def run_page(folder: Path, form: Mapping[str, Any], language: str) -> Iterator[RenderableType]:
    """One run: what it was, its devices, and its files. What is no manifest of ours shows as nothing."""
    table = new_table("", "")
    table.show_header = False
    recipe, by, agent = (_part(form, name) for name in ("recipe", "by", "agent"))
    arguments = ", ".join(f"{name}={it}" for name, it in _part(form, "parameters").items())
    rows = {
        "job": form.get("job"),
        "recipe": f"{recipe.get('name')} {recipe.get('version')}",
        "title": words.title_of(_part(recipe, "titles"), language),
        "state": job_view.with_why({"state": form.get("state"), "why": form.get("why")}),
        "verdict": words.told(str(form.get("verdict") or "")),
        "by": f"{by.get('name')} ({by.get('origin')}, {by.get('role')})",
        "began": form.get("began"),
        "ended": form.get("ended"),
        "station": _part(form, "station").get("name"),
        "agent": said(
            Message(
                "{get}, config {get_2}",
                get=agent.get("version"),
                get_2=str(agent.get("config_hash"))[:12],
            )
        ),
        "parameters": arguments,
        "lost": ", ".join(f"{count} {what}" for what, count in _part(form, "lost").items()),
        "notes": "; ".join(said(str(it)) for it in form.get("notes") or ()),
        "folder": str(folder),
    }
    for name, it in rows.items():
        table.add_row(words.told(name), _said(it))
    yield table
    yield _devices(form)
    yield _files(form)


def _devices(form: Mapping[str, Any]) -> RenderableType:
    table = new_table("device", "roles", "driver", "who answered", "firmware", "")
    for it in form.get("devices") or ():
        identity = _part(it, "identity")
        simulated = said(Message("simulated")) if it.get("simulated") else ""
        table.add_row(
            *(_said(it.get("device")), _said(", ".join(it.get("roles") or ()))),
            *(_said(it.get("driver")), _said(identity.get("text"))),
            *(_said(identity.get("firmware")), simulated),
        )
    return table


def _files(form: Mapping[str, Any]) -> RenderableType:
    table = new_table("file", "bytes", "SHA-256")
    for it in form.get("files") or ():
        table.add_row(_said(it.get("name")), f"{it.get('size'):,}", _said(it.get("sha256")))
    return table


def _part(form: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = form.get(name)
    return part if isinstance(part, dict) else {}


def _said(text: object) -> str:
    """What a device or a person wrote, on one line."""
    return one_line(str(text)) if text not in (None, "") else words.NOTHING

"""Recipes as tables: all of them in rows, and one from end to end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from agent.cli.driver_tables import allowed
from agent.cli.tables import new_table
from agent.cli.words import said, shown, title_of, told
from agent.languages.message import Message, either

Form = Mapping[str, Any]
INDENT = "  "


def recipes_table(recipes: Iterable[Form], language: str) -> Table:
    """Every recipe: name, title, version, who may start it, and whether it is right here."""
    table = new_table("recipe", "title", "version", "role", "")
    for it in recipes:
        count = len(it["problems"])
        wrong = (
            said(
                Message(
                    "{count} problem{count_2}: {problems}",
                    count=count,
                    count_2=("" if count == 1 else "s"),
                    problems=it["problems"][0],
                )
            )
            if count
            else ""
        )
        table.add_row(
            it["recipe"], title_of(it["titles"], language), it["version"], told(it["role"]), wrong
        )
    return table


def recipe_page(it: Form, language: str) -> Group:
    """One recipe: what it is, takes, works with and does."""
    named = title_of(it["titles"], language)
    parts: list[Text | Table] = [Text(f"{it['recipe']}{f': {named}' if named else ''}", "bold")]
    if about := title_of(it["about"], language):
        parts.append(Text(about))
    parts += [Text(""), _facts(it)]
    for rows, table in ((it["parameters"], _parameters), (it["devices"], _devices)):
        if rows:
            parts += [Text(""), table(rows, language)]
    if it["steps"]:
        parts += [Text(""), *(_step(step) for step in it["steps"])]
    for problem in it["problems"]:
        parts += [Text(said(Message("wrong: {problem}", problem=problem)), "red")]
    return Group(*parts)


def _facts(it: Form) -> Table:
    table = new_table("", "")
    table.show_header = False
    table.add_row(told("version"), it["version"])
    table.add_row(told("file"), it["file"])
    if it["sha256"]:
        table.add_row("SHA-256", it["sha256"])
    because = f" ({said(it['demanding'])})" if it["demanding"] else ""
    table.add_row(
        said(Message("may be started by")),
        said(Message("{role} or above{because}", role=Message(it["role"]), because=because)),
    )
    return table


def _parameters(parameters: Iterable[Form], language: str) -> Table:
    table = new_table("parameter", "allowed", "if not given", "what it is")
    for it in parameters:
        form = {**it, "type": said(str(_TYPES.get(it["type"], it["type"])))}
        default = (
            said(Message("must be given")) if it["required"] else shown(it["default"], it["unit"])
        )
        table.add_row(it["name"], allowed(form), default, title_of(it["titles"], language))
    return table


def _devices(devices: Iterable[Form], language: str) -> Table:
    table = new_table("role", "device here", "what may play it", "what it is")
    for it in devices:
        kind = said(either(it["drivers"])) or said(
            Message("has {needs}", needs=", ".join(it["needs"]))
        )
        device = it["device"] or said(Message("to be named"))
        table.add_row(it["role"], device, kind, title_of(it["titles"], language))
    return table


def _step(step: Form) -> Text:
    place = f"{step['line']:>4}" if step["line"] else "    "
    return Text(f"{place}  {INDENT * step['depth']}{step['text']}")


_TYPES = {"lot": Message("lot number"), "serial_number": Message("serial number")}

"""What a driver offers, as tables: readings, settings with their ranges, commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from agent.cli.tables import new_table
from agent.cli.words import said, shown, symbol, told
from agent.languages.message import Message

Form = Mapping[str, Any]


def catalogue_table(rows: Iterable[tuple[str, str]]) -> Table:
    """The drivers: name and what it drives."""
    table = new_table("driver", "drives")
    for name, title in rows:
        table.add_row(name, said(title))
    return table


def driver_page(description: Form) -> Group:
    """One driver from end to end."""
    parts: list[Text | Table] = [
        Text(f"{description['driver']}: {said(description['title'])}", "bold")
    ]
    for name, table in (
        ("readings", _readings(description["readings"])),
        ("settings", _settings(description["settings"])),
        ("commands", _commands(description["commands"])),
    ):
        if description[name]:
            parts += [Text(""), table]
    return Group(*parts)


def allowed(form: Form) -> str:
    """What a value may be: "0 to 16 V", "on, off", "number"."""
    if form["choices"]:
        return ", ".join(form["choices"])
    if form["type"] == "boolean":
        return said(Message("on, off"))
    low, high, unit = form["low"], form["high"], symbol(form["unit"])
    match low, high:
        case None, None:
            return _any(form["type"], unit)
        case None, _:
            return said(Message("up to {shown}", shown=shown(high, form["unit"])))
        case _, None:
            return said(Message("from {shown}", shown=shown(low, form["unit"])))
    return said(
        Message("{shown} to {shown_2}", shown=shown(low), shown_2=shown(high, form["unit"]))
    )


def _any(kind: str, unit: str) -> str:
    """A value without a range: "number in V", "text"."""
    if unit:
        return said(Message("{kind} in {unit}", kind=Message(kind), unit=unit))
    return told(kind)


def _readings(readings: Iterable[Form]) -> Table:
    table = new_table("reading", "unit", "every", "what it is")
    for it in readings:
        form = it["value"]
        kind = symbol(form["unit"]) or allowed(form)
        table.add_row(it["name"], kind, _every(it["every"]), said(it["doc"]))
    return table


def _settings(settings: Iterable[Form]) -> Table:
    table = new_table("setting", "allowed", "role", "what it is")
    for it in settings:
        table.add_row(it["name"], allowed(it["value"]), told(it["role"]), said(it["doc"]))
    return table


def _commands(commands: Iterable[Form]) -> Table:
    table = new_table("command", "arguments", "role", "what it does")
    for it in commands:
        doc = " ".join(it["doc"].partition("\n\n")[0].split())
        arguments = "\n".join(_argument(parameter) for parameter in it["parameters"])
        table.add_row(it["name"], arguments, told(it["role"]), said(doc))
    return table


def _argument(parameter: Form) -> str:
    text = f"{parameter['name']}: {allowed(parameter['value'])}"
    if parameter["required"]:
        return text
    if parameter["default"] is None:
        return said(Message("{text} (optional)", text=text))
    return said(
        Message(
            "{text} ({shown} if not given)",
            text=text,
            shown=shown(parameter["default"], parameter["value"]["unit"]),
        )
    )


def _every(seconds: float) -> str:
    return said(Message("{seconds:g} s", seconds=seconds) if seconds else Message("asked"))

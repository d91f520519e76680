"""The tables of the command line. Each is made of public forms, and knows nothing of sockets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from agent.cli import words
from agent.languages.message import Message

Form = Mapping[str, Any]

STYLES: Final = {
    "ready": "green",
    "busy": "green",
    "connecting": "yellow",
    "offline": "red",
    "fault": "red",
    "wrong_device": "red",
    "quarantined": "red",
    "stale": "yellow",
    "bad": "red",
    "warning": "yellow",
    "error": "red",
}
GAP: Final = 2
"""Columns between two columns of a table."""
SHORT: Final = 6
"""Digits of a number where many values stand side by side; `read` shows all."""
LONGEST_TEXT: Final = 40
"""Characters of a text beside other values; longer ones, and those that say nothing, `read` shows."""

NO_VALUE: Final = Message("not read: --fresh asks now")
"""Of a value that was never read, or that the device does not measure as it is set."""


def devices_table(devices: Iterable[Form], now: float, language: str) -> Table:
    """Every device: name, title, state and since when, driver, and why it is as it is."""
    table = new_table("device", "title", "state", "since", "driver", "")
    for device in devices:
        table.add_row(
            device["device"],
            words.title_of(device.get("titles", {}), language),
            _coloured(device["state"]),
            words.age_of(device["since"], now),
            device.get("driver", ""),
            why(device),
        )
    return table


def interlocks_table(interlocks: Iterable[Form], language: str) -> Table:
    """Every interlock: name, title, how it stands, what it is for, and why it stands in the way."""
    table = new_table("interlock", "title", "state", "for", "")
    for it in interlocks:
        trips = _trips(it["trip"])
        table.add_row(
            it["interlock"],
            words.title_of(it["titles"], language),
            _standing(it),
            "; ".join(filter(None, (", ".join(it["guards"]), trips))),
            "; ".join(words.said(text) for text in (it["reason"], it["latched"]) if text),
        )
    return table


def _trips(devices: list[str]) -> str:
    text = Message("trips {devices}", devices=", ".join(devices))
    return words.said(text) if devices else ""


def _standing(interlock: Form) -> Text:
    """How an interlock stands, in a word or three."""
    if not interlock["holds"]:
        return Text(words.told("does not hold"), "red")
    if interlock["latched"]:
        return Text(words.told("latched"), "yellow")
    return Text(words.told("holds"), "green")


def readings_table(rows: Iterable[tuple[str, Form | None]], now: float) -> Table:
    """Values one below the other, with quality and age; None is a value that was never read."""
    table = new_table("reading", "value", "quality", "age")
    for name, sample in rows:
        if sample is None:
            table.add_row(name, words.NOTHING, words.said(NO_VALUE), words.NOTHING)
            continue
        told = Text(words.quality(sample), STYLES.get(sample["quality"], ""))
        age = words.age_of(sample["time"], now) if sample["time"] else words.NOTHING
        table.add_row(name, words.with_unit(sample), told, age)
    return table


def overview(devices: Iterable[Form], now: float, language: str) -> Table:
    """All devices with all their values, one device a row: what `watch` shows."""
    table = new_table("device", "state", "values")
    table.padding = (0, GAP, 0, 0)
    for device in devices:
        title = words.title_of(device.get("titles", {}), language)
        named = Text(f"{device['device']}\n{title}" if title else device["device"])
        state = _state(device)
        state.append(f"\n{why(device)}" if why(device) else "", "default")
        table.add_row(named, state, _values(device, now))
    return table


def short_overview(devices: Iterable[Form], now: float, width: int) -> Table:
    """The same, one line a device, for a terminal with too few lines; "…" is what does not fit.

    `width` is in columns. The values give way: which device it is, and its state, stay whole.
    """
    told = [(Text(device["device"]), _coloured(device["state"]), device) for device in devices]
    names = max([cell_len(words.told("device")), *(name.cell_len for name, _, _ in told)])
    states = max([cell_len(words.told("state")), *(state.cell_len for _, state, _ in told)])
    table = new_table("device", "state", "values")
    for name, state, device in told:
        values = Text(f"{why(device)}: " if why(device) else "").append(_values(device, now))
        values.truncate(max(width - names - states - 2 * GAP, 1), overflow="ellipsis")
        table.add_row(name, state, values)
    return table


def overview_lines(devices: Iterable[Form], now: float) -> str:
    """The same as plain text, one device a line, for files and pipes."""
    rows = []
    for device in devices:
        state = _state(device).plain + (f" ({why(device)})" if why(device) else "")
        rows.append(f"{device['device']:<10} {state}: {_values(device, now).plain}".rstrip(": "))
    return "\n".join(rows)


def events_table(events: Iterable[Form]) -> Table:
    """Events, oldest first, with their time in UTC."""
    table = new_table("time", "severity", "device", "event", "what happened")
    for event in events:
        severity = _coloured(event["severity"])
        table.add_row(
            event["time"],
            severity,
            event["device"],
            words.called(event["kind"]),
            words.said(event["text"]),
        )
    return table


def event_line(event: Form) -> str:
    """One event as it happens; a warning or an error says so."""
    loud = "" if event["severity"] == "info" else f"{words.told(event['severity']).upper()}: "
    return f"{event['time']}  {loud}{words.said(event['text'])}"


def why(device: Form) -> str:
    """What a device does, or why it does not answer; empty when there is nothing to say."""
    return words.said(str(device["activity"] or device["reason"]))


def _state(device: Form) -> Text:
    values = device["values"].values()
    simulated = any(sample["quality"] == "simulated" for sample in values)
    told = Text(words.told(device["state"]), STYLES.get(device["state"], ""))
    told.append(f", {words.told('simulated')}" if simulated else "", "dim")
    return told


def _values(device: Form, now: float) -> Text:
    told = Text()
    for name, sample in device["values"].items():
        if isinstance(sample["value"], str) and not 0 < len(sample["value"]) <= LONGEST_TEXT:
            continue
        told.append(" · " if told else "", "dim")
        told.append(f"{name} ", "dim")
        told.append(words.chosen(sample["value"], sample["unit"], digits=SHORT))
        told.append(_doubt(sample, now), STYLES.get(sample["quality"], ""))
    return told


def _doubt(sample: Form, now: float) -> str:
    """What a reader must know of a value that is not to be believed."""
    if words.believed(sample):
        return ""
    if sample["quality"] == "stale":
        old = Message(" (stale, {age} old)", age=words.age_of(sample["time"], now))
        return words.said(old)
    return f" ({words.quality(sample)})"


def _coloured(word: str) -> Text:
    return Text(words.told(word), STYLES.get(word, ""))


def new_table(*columns: str) -> Table:
    """A table without lines, whose cells are folded, never cut."""
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(words.told(column), overflow="fold")
    return table

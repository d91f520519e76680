"""A recording of a line as a page: when, in which direction, what it says, and its bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from agent.cli.tables import new_table
from agent.cli.words import said, told
from agent.languages.message import Message

Form = Mapping[str, Any]

ARROWS: Final = {"sent": "→", "received": "←"}
STYLES: Final = {"sent": "cyan", "received": "green", "asked": "bold"}
MOST_BYTES: Final = 32
"""Bytes shown of one entry; --json has them all."""


def faults_table(faults: Iterable[Form]) -> Table:
    """The recordings of one device, oldest first."""
    table = new_table("recording", "time", "size")
    for fault in faults:
        table.add_row(fault["name"], fault["time"], f"{fault['size'] / 1024:.0f} KiB")
    return table


def recording_page(recording: Form) -> Group:
    """One recording: what it is of, then what happened, in seconds before its moment."""
    return Group(*_head(recording), Text(""), _entries(recording))


def entry_line(at: float, entry: Form) -> str:
    """One entry as a line of text, with the bytes where no words are known for them."""
    line = f"{at:+10.4f}  {_direction(entry)}  {_words(entry)}  {_bytes(entry, always=False)}"
    return line.rstrip()


def _head(recording: Form) -> Iterable[Text]:
    driver, address = recording["driver"], recording["address"]
    yield Text(
        said(
            Message(
                "{device}: {driver} at {address}",
                device=recording["device"],
                driver=driver,
                address=address,
            )
        ),
        "bold",
    )
    if recording["identity"]:
        yield Text(recording["identity"])
    why = f": {said(recording['reason'])}" if recording["reason"] else ""
    yield Text(f"{recording['time']}  {told(recording['state'])}{why}")


def _entries(recording: Form) -> Table:
    frames = recording["address"].startswith("modbus")
    table = new_table("seconds", "", "what", "bytes")
    table.columns[0].justify = "right"
    for entry in recording["entries"]:
        style = STYLES.get(entry["kind"], "dim")
        row = (
            f"{entry['at']:+.4f}",
            _direction(entry),
            _words(entry),
            _bytes(entry, always=frames),
        )
        table.add_row(*row, style=style)
    return table


def _direction(entry: Form) -> str:
    return ARROWS.get(entry["kind"], "·")


def _words(entry: Form) -> str:
    """What was said; for bytes that say nothing known, how many they are."""
    kind = entry["kind"]
    if kind in ARROWS:
        return str(
            entry.get("text") or said(Message("{count} bytes", count=len(entry["hex"]) // 2))
        ) + _cut(entry)
    text = entry.get("text", "")
    return f"{told(kind)}: {text}" if text else told(kind)


def _cut(entry: Form) -> str:
    return (
        said(Message(" (the first of {size} bytes)", size=entry["size"])) if "size" in entry else ""
    )


def _bytes(entry: Form, *, always: bool) -> str:
    """The bytes in hex; beside plain text, which says the same, only where `always`."""
    spelled = entry.get("hex", "")
    if "text" in entry and not always:
        return ""
    shown = " ".join(spelled[i : i + 2] for i in range(0, min(len(spelled), 2 * MOST_BYTES), 2))
    return f"{shown} …" if len(spelled) > 2 * MOST_BYTES else shown

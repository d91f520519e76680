"""What was on a device's line: now, as it goes on, or before a fault."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from agent.cli import output
from agent.cli.client import AgentClient, socket_path
from agent.cli.words import said
from agent.errors import Refused
from agent.languages.message import Message

FOLLOW_S: Final = 0.25
"""Seconds between two looks. The recorder holds far more than comes in that time."""

Form = Mapping[str, Any]


def wire(
    device: str,
    fault: str | None,
    socket: Path | None,
    *,
    faults: bool,
    follow: bool,
    as_json: bool,
) -> None:
    """Show a recording, follow the line, or list the recordings. Raises Refused: two at once, no name."""
    if sum((faults, follow, fault is not None)) > 1:
        raise Refused(Message("--fault, --faults and --follow exclude each other: say one of them"))
    if fault is not None and (not fault or "/" in fault):
        known = said(Message("`labkeeper wire {device} --faults` lists them", device=device))
        raise Refused(
            Message(
                "{fault!r} is not the name of a recording: {known}, or say `last`",
                fault=fault,
                known=known,
            )
        )
    with AgentClient(socket_path(socket)) as client:
        where = ("devices", device, "wire")
        if faults:
            _show_faults(device, client.get(*where, "faults"), as_json=as_json)
        elif follow:
            _follow(client, where, as_json=as_json)
        else:
            found = client.get(*where, *(("faults", fault) if fault is not None else ()))
            _show(found, as_json=as_json)


def _show_faults(device: str, found: list[Form], *, as_json: bool) -> None:
    from agent.cli.wire_tables import faults_table

    if as_json:
        output.document(found)
    elif found:
        output.show(faults_table(found))
    else:
        output.line(
            said(
                Message(
                    "{device} has had no fault that was recorded; `labkeeper wire {device}` is live",
                    device=device,
                )
            )
        )


def _show(recording: Form, *, as_json: bool) -> None:
    """A page for a person, or a file for a replay."""
    if as_json:
        output.line(_one_entry_a_line(recording))
        return
    from agent.cli.wire_tables import recording_page

    output.show(recording_page(recording))


def _one_entry_a_line(recording: Form) -> str:
    """The recording as JSON that a person can read and compare."""
    head = {name: it for name, it in recording.items() if name != "entries"}
    entries = ",\n".join(f"  {json.dumps(entry)}" for entry in recording["entries"])
    begin = json.dumps(head, indent=1).removesuffix("\n}")
    return f'{begin},\n "entries": [\n{entries}\n ]\n}}'


def _follow(client: AgentClient, where: tuple[str, ...], *, as_json: bool) -> None:
    """Print every new entry until Ctrl-C; times are in seconds since this began."""
    from agent.cli.wire_tables import entry_line

    with suppress(KeyboardInterrupt):  # the usual end
        for at, entry in _new_entries(client, where):
            if as_json:
                output.document({**entry, "at": at})
            else:
                output.line(entry_line(at, entry))


def _new_entries(client: AgentClient, where: tuple[str, ...]) -> Iterator[tuple[float, Form]]:
    pause = threading.Event()  # never set: a wait that Ctrl-C ends
    recording = client.get(*where)
    began = last = recording["monotonic"]
    while True:
        pause.wait(FOLLOW_S)
        recording = client.get(*where)
        for entry in recording["entries"]:
            moment = recording["monotonic"] + entry["at"]
            if moment > last + 1e-6:  # `at` is rounded to a microsecond
                yield round(moment - began, 6), entry
                last = moment

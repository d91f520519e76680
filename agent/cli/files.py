"""The files in the agent's store: listed, added, shown, checked for a printer, removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from agent.cli import NEVER_MIND, output
from agent.cli.client import AgentClient, socket_path
from agent.cli.failures import say
from agent.cli.stored import admission, examined, named
from agent.cli.words import duration, said, utc_now
from agent.errors import Refused
from agent.languages.message import Message

REFUSED: Final = Refused.exit_code


def list_files(socket: Path | None, *, as_json: bool) -> None:
    """List the files, and say how full the store is."""
    with AgentClient(socket_path(socket)) as client:
        found = client.get("files")
    if as_json:
        output.document(found)
        return
    # The tables' library takes 0.1 s to import.
    from agent.cli.file_tables import files_table, room_line

    if found["files"]:
        output.show(files_table(found["files"], utc_now()))
    output.line(room_line(found))


def add(path: Path, name: str | None, socket: Path | None, *, replace: bool, as_json: bool) -> int:
    """Put a file into the store; return 130 when Ctrl-C has ended it. Raises Refused.

    Nothing is sent that is there already.
    """
    from agent.cli.upload import LocalFile, already_kept, send

    file = LocalFile.at(path, name)
    try:
        with AgentClient(socket_path(socket)) as client:
            was_there = already_kept(client, file, replace=replace)
            told = was_there or send(client, file, replace=replace)
    except KeyboardInterrupt:
        say(said(Message("stopped; a file that had not arrived whole is not kept")))
        return NEVER_MIND
    if as_json:
        output.document(told)
    else:
        output.line(f"{told['name']}: {'was there already' if was_there else _added(told)}")
    return 0


def show(name: str, socket: Path | None, *, as_json: bool) -> None:
    """Show what is in a file."""
    with AgentClient(socket_path(socket)) as client:
        found = examined(client, name)
    if as_json:
        output.document(found)
        return
    from agent.cli.file_tables import file_page

    output.show(file_page(found, utc_now()))


def check(name: str, printer: str, socket: Path | None, *, as_json: bool) -> int:
    """Say whether a printer may get a file, and what to expect; return 2 when it may not."""
    with AgentClient(socket_path(socket)) as client:
        found = admission(client, printer, name)
    if as_json:
        output.document(found)
    else:
        for reason in found["reasons"]:
            output.line(Message("refused: {reason}", reason=reason))
        for warning in found["warnings"]:
            output.line(Message("warning: {warning}", warning=warning))
        if found["admitted"]:
            output.line(said(Message("ok: {printer} may print {name}", printer=printer, name=name)))
    return 0 if found["admitted"] else REFUSED


def remove(name: str, socket: Path | None, *, as_json: bool) -> None:
    """Remove a file from the store."""
    with AgentClient(socket_path(socket)) as client:
        known = named(client, name)["name"]
        answer = client.delete("files", known)
    if as_json:
        output.document(answer)
    else:
        output.line(Message("{file}: removed", file=known))


def _added(file: dict[str, Any]) -> str:
    survey = file["survey"]
    if survey is None:
        return said(
            Message(
                "added, and could not be examined: `labkeeper files show {name}` says why",
                name=file["name"],
            )
        )
    troubles = len(survey["trouble"]) + survey["more_trouble"]
    if troubles:
        return said(
            Message(
                "added, with trouble: `labkeeper files show {name}` tells of {troubles}",
                name=file["name"],
                troubles=troubles,
            )
        )
    return (
        "added"
        if survey["seconds"] is None
        else said(Message("added, {duration} to print", duration=duration(survey["seconds"])))
    )

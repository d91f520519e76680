"""The plates of printers on the command line: list, clear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.cli import output
from agent.cli.client import AgentClient, socket_path
from agent.cli.names import unknown
from agent.cli.parser import WrongUsage
from agent.cli.words import said
from agent.languages.message import Message


def which() -> int:
    """Say what may be asked of plates. Raises WrongUsage."""
    raise WrongUsage(Message("which? plate list or clear; see `labkeeper plate --help`"))


def list_plates(socket: Path | None, *, as_json: bool) -> None:
    """List the plates of all printers."""
    with AgentClient(socket_path(socket)) as client:
        found = client.get("plates")
    if as_json:
        for it in found:
            output.document(it)
        return
    for it in found:
        output.line(_said(it))
    if not found:
        output.line(said(Message("no printers")))


def clear(device: str, socket: Path | None, *, as_json: bool) -> None:
    """Say that the plate of a printer is clear."""
    with AgentClient(socket_path(socket)) as client:
        known = {it["device"] for it in client.get("plates")}
        if device not in known:
            raise unknown("printer", device, known)
        found = client.post("plates", device, "clear")
    if as_json:
        output.document(found)
    else:
        output.line(_said(found))


def _said(plate: dict[str, Any]) -> str:
    if plate["printing"]:
        return said(Message("{device}: prints now", device=plate["device"]))
    if plate["clear"]:
        return said(Message("{device}: clear", device=plate["device"]))
    return said(
        Message(
            "{device}: nobody has said that it is clear since the last print: `labkeeper "
            "plate clear {device}` does",
            device=plate["device"],
        )
    )

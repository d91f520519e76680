"""Alarms on the command line: list, acknowledge, shelve, take up again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from agent.cli import output
from agent.cli.client import AgentClient, socket_path
from agent.cli.words import language, said
from agent.languages.message import Message


def list_alarms(socket: Path | None, *, everything: bool = False, as_json: bool) -> None:
    """List the alarms that are not normal, or all, the most urgent first."""
    with AgentClient(socket_path(socket)) as client:
        found = client.get("alarms")
    shown = [it for it in found if everything or it["state"] not in {"normal", "suppressed"}]
    if as_json:
        output.document(shown)
    elif not shown:
        output.line(
            said(Message("no alarms; {count} are watched for", count=len(found)))
            if found
            else said(Message("no alarms"))
        )
    else:
        # The tables' library takes 0.1 s to import.
        from agent.cli.alarm_tables import alarms_table

        output.show(alarms_table(shown, language(os.environ)))


def ack(alarm: str, socket: Path | None, *, reason: str, as_json: bool) -> None:
    """Acknowledge an alarm."""
    _do(alarm, "ack", {"reason": reason}, socket, as_json=as_json)


def shelve(alarm: str, socket: Path | None, *, minutes: float, reason: str, as_json: bool) -> None:
    """Put an alarm aside for a time."""
    body = {"seconds": minutes * 60, "reason": reason}
    _do(alarm, "shelve", body, socket, as_json=as_json)


def unshelve(alarm: str, socket: Path | None, *, as_json: bool) -> None:
    """Take a shelved alarm up again."""
    _do(alarm, "unshelve", {}, socket, as_json=as_json)


def _do(alarm: str, verb: str, body: dict[str, Any], socket: Path | None, *, as_json: bool) -> None:
    with AgentClient(socket_path(socket)) as client:
        found = client.post("alarms", alarm, verb, body=body)
    if as_json:
        output.document(found)
    else:
        until = (
            said(Message(" until {shelved_until}", shelved_until=found["shelved_until"]))
            if found["shelved_until"]
            else ""
        )
        output.line(f"{alarm}: {found['state']}{until}")

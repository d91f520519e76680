"""waive and waivers on the command line: unattended starts with devices that nothing covers."""

from __future__ import annotations

from pathlib import Path

from agent.cli import output
from agent.cli.client import AgentClient, socket_path
from agent.cli.names import device_names, unknown
from agent.cli.words import said
from agent.languages.message import Message


def waive(device: str, reason: str, until: str, socket: Path | None, *, as_json: bool) -> None:
    """Allow unattended starts with a device up to a day."""
    with AgentClient(socket_path(socket)) as client:
        known = device_names(client)
        if device not in known:
            raise unknown("device", device, known)
        body = {"reason": reason, "until": until}
        made = client.post("devices", device, "waiver", body=body)
    if as_json:
        output.document(made)
    else:
        output.line(
            said(
                Message(
                    "{device}: unattended starts are allowed until {until}, by {by}",
                    device=device,
                    until=made["until"],
                    by=made["by"],
                )
            )
        )


def waivers(socket: Path | None, *, as_json: bool) -> None:
    """List the waivers in force."""
    with AgentClient(socket_path(socket)) as client:
        found = client.get("waivers")
    if as_json:
        output.document(found)
        return
    for it in found:
        output.line(
            said(
                Message(
                    "{device}: until {until}, by {by}: {reason}",
                    device=it["device"],
                    until=it["until"],
                    by=it["by"],
                    reason=it["reason"],
                )
            )
        )
    if not found:
        output.line(said(Message("nothing is waived")))

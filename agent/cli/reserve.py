"""Reserving a device for one's own hands, and giving it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.cli import output
from agent.cli.client import AgentClient, socket_path
from agent.cli.names import device_names, unknown
from agent.cli.words import said
from agent.errors import Refused
from agent.languages.message import Message


def reserve(
    device: str | None,
    duration: str | None,
    reason: str,
    socket: Path | None,
    *,
    takeover: bool,
    as_json: bool,
) -> None:
    """Reserve a device for a time; without one, list what is reserved."""
    with AgentClient(socket_path(socket)) as client:
        if device is None:
            _list(client.get("reservations"), as_json=as_json)
            return
        if duration is None or not reason:
            raise Refused(Message("say for how long and why: --for 15min --reason TEXT"))
        body = {"seconds": _seconds(duration), "reason": reason, "takeover": takeover}
        _told(client, device, "reserve", body, as_json=as_json)


def unreserve(device: str, socket: Path | None, *, as_json: bool) -> None:
    """Give a device back."""
    with AgentClient(socket_path(socket)) as client:
        _told(client, device, "unreserve", {}, as_json=as_json)


def _told(
    client: AgentClient, device: str, verb: str, body: dict[str, Any], *, as_json: bool
) -> None:
    known = device_names(client)
    if device not in known:
        raise unknown("device", device, known)
    answer = client.post("devices", device, verb, body=body)
    if as_json:
        output.document(answer)
    else:
        output.line(answer["message"])


def _seconds(text: str) -> float:
    """Seconds of a time such as 15min. Raises Refused."""
    from agent.jobs.language.quantities import Duration

    try:
        found = Duration.parse(text).constant
    except ValueError as error:
        raise Refused(Message("--for: {error}", error=str(error))) from None
    if found is None:
        raise Refused(Message("--for: {text!r} is not a time: write one such as 15min", text=text))
    return found


def _list(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.document(found)
        return
    for device, it in found["people"].items():
        who = f"{it['by']} ({it['origin']})"
        output.line(
            said(
                Message(
                    "{device}: {who} until {until}: {reason}",
                    device=device,
                    who=who,
                    until=it["until"],
                    reason=it["reason"],
                )
            )
        )
    for device, it in found["jobs"].items():
        output.line(
            said(
                Message(
                    "{device}: job {job} ({recipe}, started by {by})",
                    device=device,
                    job=it["job"],
                    recipe=it["recipe"],
                    by=it["by"],
                )
            )
        )
    if not found["people"] and not found["jobs"]:
        output.line(said(Message("no device is reserved")))

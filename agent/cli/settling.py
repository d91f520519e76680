"""Says what became of what nobody knows, or lists it. Asks the agent exactly once to change something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.cli import output
from agent.cli.client import AgentClient, socket_path
from agent.cli.names import device_names, unknown
from agent.cli.parser import WrongUsage
from agent.cli.words import said
from agent.languages.message import Message


def settle(
    device: str | None,
    socket: Path | None,
    *,
    all: bool,  # noqa: A002 - as it is typed
    reason: str,
    as_json: bool,
) -> None:
    """Settle one device or all that are blocked; without either, list what is not known."""
    if device is None and not all:
        if reason:
            raise WrongUsage(Message("which device? name it, or say --all"))
        _list(socket, as_json=as_json)
        return
    if not reason:
        raise WrongUsage(
            Message('say what you have seen: --reason "the output is off, I have looked"')
        )
    with AgentClient(socket_path(socket)) as client:
        blocked = {it["device"] for it in client.get("unsettled")}
        if device is not None and device not in blocked:
            known = device_names(client)
            if device not in known:
                raise unknown("device", device, {*known, *blocked})
        body: dict[str, Any] = {"reason": reason}
        if device is not None:
            body["devices"] = [device]
        answer = client.post("settle", body=body)
    if as_json:
        output.document(answer)
        return
    for outcome in answer["devices"].values():
        output.line(outcome["message"])
    if not answer["devices"]:
        output.line(said(Message("nothing is to be settled")))


def _list(socket: Path | None, *, as_json: bool) -> None:
    with AgentClient(socket_path(socket)) as client:
        found = client.get("unsettled")
    if as_json:
        for it in found:
            output.document(it)
        return
    for it in found:
        gone = "" if it["in_config"] else said(Message(" (the config has it no more)"))
        output.line(f"{it['since']}  {it['text']}{gone}")
    if not found:
        output.line(said(Message("nothing is to be settled")))

"""Commands that change something: set, do, stop, reconnect. Each asks the agent exactly once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

from agent.cli import output
from agent.cli.client import ANSWER_WITHIN_S, AgentClient, socket_path
from agent.cli.failures import say
from agent.cli.names import described, device_names, split_target, unknown
from agent.cli.stop_follow import ends_of_stops, safety
from agent.cli.words import said
from agent.errors import OutcomeUnknown, Refused, UnknownDevice
from agent.languages.message import Message

TROUBLE: Final = OutcomeUnknown.exit_code


def set_(target: str, value: str, socket: Path | None, *, as_json: bool) -> None:
    """Change a setting."""
    # Parsing values needs the table of units, which takes a moment to import.
    from agent.cli.values import parse

    device, name = split_target(target, "setting")
    with AgentClient(socket_path(socket)) as client:
        form = _setting(described(client, device), device, name)
        wanted = parse(target, form["value"], value)
        outcome = client.put("devices", device, "settings", name, body={"value": wanted})
    _tell(outcome, target, form["value"]["unit"], as_json=as_json)


def do(target: str, arguments: Sequence[str], socket: Path | None, *, as_json: bool) -> None:
    """Run a command of a device to its end."""
    from agent.cli.values import parse_arguments

    device, name = split_target(target, "command")
    with AgentClient(socket_path(socket)) as client:
        commands = {it["name"]: it for it in described(client, device)["commands"]}
        if name not in commands:
            raise unknown("command", name, commands, device)
        given = parse_arguments(target, commands[name]["parameters"], arguments)
        if sys.stderr.isatty():
            say(
                said(
                    Message(
                        "{target} runs; Ctrl-C ends the waiting, `labkeeper stop {device}` ends the "
                        "command",
                        target=target,
                        device=device,
                    )
                )
            )
        outcome = client.post(
            *("devices", device, "commands", name),
            body={"arguments": given},
            within=commands[name]["timeout"] + ANSWER_WITHIN_S,
        )
    _tell(outcome, target, "", as_json=as_json)


def stop(device: str | None, socket: Path | None, *, as_json: bool) -> int:
    """Stop a device or all; return 3 when one is not confirmed safe.

    What is confirmed at once is told at once, and the rest as it comes.
    """
    with AgentClient(socket_path(socket)) as client:
        try:
            answer = client.stop(*([device] if device else []))
        except UnknownDevice:
            raise unknown("device", str(device), device_names(client)) from None
        outcomes = answer["devices"] if "devices" in answer else {str(device): _outcome(answer)}
        trying = answer.get("trying", [])
        at_once = ((name, it) for name, it in outcomes.items() if name not in trying)
        for name, outcome in chain(at_once, ends_of_stops(client, trying)):
            outcomes[name] = outcome
            if not as_json:
                output.line(f"{name}: {safety(outcome)}")
    if as_json:
        output.document({"devices": outcomes})
    elif not outcomes:
        output.line(said(Message("the station has no devices")))
    return 0 if all(outcome["status"] == "done" for outcome in outcomes.values()) else TROUBLE


def reconnect(device: str, socket: Path | None, *, as_json: bool) -> None:
    """End the wait until the next attempt to reach a device."""
    with AgentClient(socket_path(socket)) as client:
        known = device_names(client)
        if device not in known:
            raise unknown("device", device, known)
        answer = client.post("devices", device, "reconnect")
    if as_json:
        output.document(answer)
    else:
        output.line(
            said(
                Message(
                    "{device}: trying now; `labkeeper devices` shows whether it answers",
                    device=device,
                )
            )
        )


def _outcome(answer: dict[str, Any]) -> dict[str, Any]:
    """The outcome in an answer about one device, which may be a problem."""
    if "outcome" in answer:
        return {"status": answer["outcome"], "message": answer["detail"], "value": None}
    return answer


def _setting(description: dict[str, Any], device: str, name: str) -> dict[str, Any]:
    """The form of a setting. Raises Refused."""
    settings = {it["name"]: it for it in description["settings"]}
    if name in settings:
        found: dict[str, Any] = settings[name]
        return found
    if name in {it["name"] for it in description["readings"]}:
        offered = ", ".join(settings) or "none"
        raise Refused(
            Message(
                "{device}.{name} is a reading, which can't be set. Settings: {offered}",
                device=device,
                name=name,
                offered=offered,
            )
        )
    raise unknown("setting", name, settings, device)


def _tell(outcome: dict[str, Any], target: str, unit: str, *, as_json: bool) -> None:
    if as_json:
        output.document(outcome)
        return
    from agent.cli.words import shown

    value = outcome.get("value")
    done = said(Message("done")) if value is None else shown(value, unit)
    output.line(f"{target}: {done}")

"""Commands that change something: set, do, stop, reconnect. Each asks the agent exactly once."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Final

import typer

from agent.cli import output
from agent.cli.client import ANSWER_WITHIN_S, AgentClient, socket_path
from agent.cli.failures import say
from agent.cli.names import described, device_names, split_target, unknown
from agent.cli.options import Json, Socket
from agent.errors import OutcomeUnknown, Refused

TROUBLE: Final = OutcomeUnknown.exit_code

Device = Annotated[str, typer.Argument(metavar="DEVICE", show_default=False)]


def set_(
    target: Annotated[str, typer.Argument(metavar="DEVICE.SETTING", show_default=False)],
    value: Annotated[str, typer.Argument(metavar="VALUE", show_default=False)],
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Change a setting, and read it back. A number is in the setting's own unit.

    Example: labkeeper set psu1.voltage 5       (`labkeeper drivers NAME` shows units and ranges)
    """
    # Parsing values needs the table of units, which takes a moment to import.
    from agent.cli.values import parse

    device, name = split_target(target, "setting")
    client = AgentClient(socket_path(socket))
    form = _setting(described(client, device), device, name)
    wanted = parse(target, form["value"], value)
    outcome = client.put("devices", device, "settings", name, body={"value": wanted})
    _tell(outcome, target, form["value"]["unit"], as_json=as_json)


def do(
    target: Annotated[str, typer.Argument(metavar="DEVICE.COMMAND", show_default=False)],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", show_default=False)
    ] = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Run a command of a device, and wait for its end.

    Example: labkeeper do psu1.ramp to=5 rate=0.5       (numbers are in the argument's own unit)
    """
    from agent.cli.values import parse_arguments

    device, name = split_target(target, "command")
    client = AgentClient(socket_path(socket))
    commands = {it["name"]: it for it in described(client, device)["commands"]}
    if name not in commands:
        raise unknown("command", name, commands, device)
    given = parse_arguments(target, commands[name]["parameters"], arguments or [])
    if sys.stderr.isatty():
        say(f"{target} runs; Ctrl-C ends the waiting, `labkeeper stop {device}` ends the command")
    outcome = client.post(
        *("devices", device, "commands", name),
        body={"arguments": given},
        within=commands[name]["timeout"] + ANSWER_WITHIN_S,
    )
    _tell(outcome, target, "", as_json=as_json)


def stop(
    device: Annotated[str | None, typer.Argument(metavar="[DEVICE]", show_default=False)] = None,
    socket: Socket = None,
    as_json: Json = False,
) -> int:
    """Stop a device, or without a name every device, and say what was confirmed safe.

    Example: labkeeper stop printer1       (it is no emergency stop: that one is the red button)
    """
    answer = AgentClient(socket_path(socket)).stop(*([device] if device else []))
    outcomes = answer["devices"] if "devices" in answer else {device: _outcome(answer)}
    if as_json:
        output.document({"devices": outcomes})
    else:
        for name, outcome in outcomes.items():
            output.line(f"{name}: {_safety(outcome)}")
        if not outcomes:
            output.line("the station has no devices")
    return 0 if all(outcome["status"] == "done" for outcome in outcomes.values()) else TROUBLE


def reconnect(device: Device, socket: Socket = None, as_json: Json = False) -> None:
    """Try at once to reach a device, also after another instrument had answered.

    Example: labkeeper reconnect psu1
    """
    client = AgentClient(socket_path(socket))
    known = device_names(client)
    if device not in known:
        raise unknown("device", device, known)
    answer = client.post("devices", device, "reconnect")
    if as_json:
        output.document(answer)
    else:
        output.line(f"{device}: trying now; `labkeeper devices` shows whether it answers")


def _outcome(answer: dict[str, Any]) -> dict[str, Any]:
    """The outcome in an answer about one device, which may be a problem."""
    if "outcome" in answer:
        return {"status": answer["outcome"], "message": answer["detail"], "value": None}
    return answer


def _safety(outcome: dict[str, Any]) -> str:
    if outcome["status"] == "done":
        return "stopped and safe"
    return f"NOT CONFIRMED SAFE, go and look: {outcome['message']}"


def _setting(description: dict[str, Any], device: str, name: str) -> dict[str, Any]:
    """The form of a setting. Raises Refused."""
    settings = {it["name"]: it for it in description["settings"]}
    if name in settings:
        found: dict[str, Any] = settings[name]
        return found
    if name in {it["name"] for it in description["readings"]}:
        offered = ", ".join(settings) or "none"
        raise Refused(f"{device}.{name} is a reading, which can't be set. Settings: {offered}")
    raise unknown("setting", name, settings, device)


def _tell(outcome: dict[str, Any], target: str, unit: str, *, as_json: bool) -> None:
    if as_json:
        output.document(outcome)
        return
    from agent.cli.words import shown

    value = outcome.get("value")
    output.line(f"{target}: {'done' if value is None else shown(value, unit)}")

"""Names as people type them, `psu1.voltage`, and what they may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agent.cli.client import AgentClient
from agent.errors import Refused, UnknownDevice
from agent.languages.message import N_, Message


def split_target(text: str, what: str) -> tuple[str, str]:
    """Take `psu1.voltage` apart; `what` is the second part's kind, such as "setting".

    Raises:
        Refused: It is not two names with a dot between them.
    """
    device, dot, name = text.partition(".")
    if not (device and dot and name):
        raise Refused(
            Message(
                "{text!r} is not DEVICE.{upper}, such as psu1.voltage",
                text=text,
                upper=what.upper(),
            )
        )
    return device, name


def unknown(kind: str, name: str, known: Iterable[str], owner: str = "") -> Refused:
    """What to say of a name that does not exist: the nearest one, and all there are."""
    # Imported when a name was mistyped.
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(name, names, n=1)
    meant = Message("; did you mean {near}?", near=near[0]) if near else "."
    text = N_("there is no {kind} {name!r}{meant} {kinds}: {names}")
    if owner:
        text = N_("{owner} has no {kind} {name!r}{meant} {kinds}: {names}")
    several = f"{kind.capitalize()}s"
    shown = {"kind": Message(kind), "kinds": Message(several)}
    listed = ", ".join(names) or Message("none")
    error = UnknownDevice if kind == "device" else Refused
    owned = {"owner": owner} if owner else {}
    return error(Message(text, name=name, meant=meant, names=listed, **shown, **owned))


def device_names(client: AgentClient) -> list[str]:
    """Every device of the station."""
    return [str(device["device"]) for device in client.get("devices")]


def described(client: AgentClient, device: str) -> dict[str, Any]:
    """A device's description. Raises UnknownDevice, which names the nearest one."""
    return _known(client, device, "description")


def state_of(client: AgentClient, device: str) -> dict[str, Any]:
    """A device as it stands. Raises UnknownDevice, which names the nearest one."""
    return _known(client, device)


def _known(client: AgentClient, device: str, *rest: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = client.get("devices", device, *rest)
    except UnknownDevice:
        raise unknown("device", device, device_names(client)) from None
    return found

"""What the agent says of the files in its store, and whether a printer may get one."""

from __future__ import annotations

import unicodedata
from typing import Any

from agent.cli.client import LOOKED_AT_WITHIN_S, AgentClient
from agent.cli.names import device_names, unknown
from agent.errors import UnknownDevice


def listed(client: AgentClient, name: str) -> dict[str, Any] | None:
    """What the store's list says of a file, which is not examined for it; None where it has none.

    The store knows names by one spelling (NFC), whatever the keyboard or the Mac has made.
    """
    one = unicodedata.normalize("NFC", name)
    return next((file for file in client.get("files")["files"] if file["name"] == one), None)


def named(client: AgentClient, name: str) -> dict[str, Any]:
    """What the store's list says of a file. Raises Refused, which names the nearest one."""
    found = listed(client, name)
    if found is None:
        raise unknown("file", name, [file["name"] for file in client.get("files")["files"]])
    return found


def examined(client: AgentClient, name: str) -> dict[str, Any]:
    """All that is known of a file; the agent examines it where it has not yet. Raises Refused."""
    known = named(client, name)["name"]
    found: dict[str, Any] = client.get("files", known, within=LOOKED_AT_WITHIN_S)
    return found


def admission(client: AgentClient, device: str, name: str) -> dict[str, Any]:
    """Whether a printer may get a file of the store: `admitted`, `reasons` and `warnings`.

    Raises:
        UnknownDevice: There is none of this name; the nearest one is named.
        Refused: There is no such file, or the device prints none.
    """
    try:
        found: dict[str, Any] = client.post(
            *("devices", device, "admission"), body={"file": name}, within=LOOKED_AT_WITHIN_S
        )
    except UnknownDevice:  # what a client makes of every answer of 404
        known = device_names(client)
        if device not in known:
            raise unknown("device", device, known) from None
        named(client, name)
        raise
    return found

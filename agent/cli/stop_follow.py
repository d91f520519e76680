"""The stops that had not ended when the agent answered: each is told as it ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

from agent.cli.client import AgentClient
from agent.cli.failures import say
from agent.cli.words import said
from agent.clock import SystemClock
from agent.errors import AgentError
from agent.languages.message import Message

ENDS_WITHIN_S: Final = 30.0
"""How long they are waited for; the agent gives each up before that."""
LOOK_S: Final = 0.1
"""How long one of several is waited for before the next is looked at."""


def ends_of_stops(
    client: AgentClient, trying: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """How each of these stops ended, as they end. What is not known in the end is called unknown."""
    if trying and sys.stderr.isatty():
        say(
            said(
                Message(
                    "not confirmed safe yet: {trying}; still being tried", trying=", ".join(trying)
                )
            )
        )
    clock, left = SystemClock(), list(trying)
    until = clock.monotonic() + ENDS_WITHIN_S
    while left:
        for name in list(left):
            outcome = _end(client, name)
            if outcome is None and clock.monotonic() > until:
                outcome = _unknown(
                    said(
                        Message(
                            "{name}: not confirmed after {ends_within_s:g} s",
                            name=name,
                            ends_within_s=ENDS_WITHIN_S,
                        )
                    )
                )
            if outcome is not None:
                left.remove(name)
                yield name, outcome


def safety(outcome: dict[str, Any]) -> str:
    """What the end of a stop says to whoever has asked for it."""
    if outcome["status"] == "done":
        return said(Message("stopped and safe"))
    return said(Message("NOT CONFIRMED SAFE, go and look: {message}", message=outcome["message"]))


def _end(client: AgentClient, device: str) -> dict[str, Any] | None:
    """How the stop of a device ended; None while it is still being tried."""
    try:
        found = client.get("devices", device, "stop", wait=str(LOOK_S))
    except AgentError as error:  # the device has left the config, or the agent has ended
        return _unknown(str(error))
    if found["trying"]:
        return None
    return found["outcome"] or _unknown(
        said(Message("{device}: the agent does not know how its stop ended", device=device))
    )


def _unknown(why: str) -> dict[str, Any]:
    return {"status": "unknown", "message": why, "value": None}

"""The devices that a person has to look at, because the ledger that could tell of them is not whole.

Everything here is part of a transaction.
"""

import json
from dataclasses import dataclass
from functools import partial

from agent.languages.message import Message
from agent.store.append import Along
from agent.store.database import Connection
from agent.store.store_errors import WriteRefused


@dataclass(frozen=True, kw_only=True, slots=True)
class DoubtedDevice:
    """A device of which nobody knows how it is, since when (RFC 3339), and why."""

    device: str
    utc: str
    why: str


def doubt(device: str) -> Along:
    """Note, with the row that says so, that somebody has to look at the device."""
    return partial(_doubt, device)


def trust(device: str) -> Along:
    """Note, with the row that says so, that somebody has looked. Raises WriteRefused."""
    return partial(_trust, device)


def doubted(connection: Connection) -> tuple[DoubtedDevice, ...]:
    """The devices that nobody has looked at yet, by name."""
    query = (
        "SELECT device, body FROM doubted_devices "
        "JOIN ledger ON ledger.seq = doubted_devices.seq ORDER BY device"
    )
    return tuple(_doubted(*found) for found in connection.execute(query))


def _doubt(device: str, connection: Connection) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO doubted_devices SELECT ?, max(seq) FROM ledger", (device,)
    )


def _trust(device: str, connection: Connection) -> None:
    query = "DELETE FROM doubted_devices WHERE device = ?"
    if not connection.execute(query, (device,)).rowcount:
        raise WriteRefused(
            Message("not recorded: nobody waits for somebody to look at {device}", device=device)
        )


def _doubted(device: str, body: str) -> DoubtedDevice:
    entry = json.loads(body)
    return DoubtedDevice(device=device, utc=entry["utc"], why=entry.get("reason", ""))

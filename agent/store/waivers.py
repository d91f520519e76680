"""The waivers of a ledger: who has taken it upon them that an output has no cover, and until when."""

import json
from dataclasses import dataclass
from typing import Final

from agent.store.database import Connection

WAIVE: Final = "waive"
"""The action of the ledger's entries of this kind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiver:
    """Unattended starts with this device are allowed. `until` is the last day, in UTC: 2026-12-31."""

    device: str
    by: str
    reason: str
    until: str
    since: str
    """When it was recorded, in RFC 3339."""


def waived(connection: Connection) -> dict[str, Waiver]:
    """The last waiver of each device, in force or not. Reads the whole ledger, once at the start."""
    query = (
        "SELECT body FROM ledger WHERE body ->> 'kind' = 'event' "
        "AND body ->> 'action' = ? ORDER BY seq"
    )
    found = {}
    for (text,) in connection.execute(query, (WAIVE,)):
        entry = json.loads(text)
        found[entry["object"]] = Waiver(
            device=entry["object"],
            by=entry["actor"]["name"],
            reason=entry["reason"],
            until=entry["after"]["until"],
            since=entry["utc"],
        )
    return found

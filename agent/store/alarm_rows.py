"""Alarms that are not normal, as they stand: what a start must not lose. Part of the database."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.store.database import Connection


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmRow:
    """One alarm: whether what it tells of is so, whether somebody has seen it, and its words.

    `since` and `shelved_until` are seconds UTC; no `shelved_until` is an alarm that is not shelved.
    """

    alarm: str
    active: bool
    acknowledged: bool
    is_first: bool
    since: float
    reason: str
    by: str
    shelved_until: float | None
    notice: Mapping[str, Any]
    """What the alarm is, as JSON: the config may not have it any more."""


def keep_alarms(changed: Iterable[tuple[str, AlarmRow | None]], connection: Connection) -> None:
    """Write these alarms as they stand now; None is one that is normal. Part of a transaction."""
    for alarm, row in changed:
        connection.execute("DELETE FROM alarms WHERE alarm = ?", (alarm,))
        if row is not None:
            connection.execute(
                "INSERT INTO alarms (alarm, active, acknowledged, is_first, since, reason, "
                "acted, shelved_until, notice) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(alarm, row.active, row.acknowledged, row.is_first, row.since, row.reason),
                    *(row.by, row.shelved_until, json.dumps(dict(row.notice))),
                ),
            )


def kept_alarms(connection: Connection) -> tuple[AlarmRow, ...]:
    """The alarms that are not normal, in the order in which they came."""
    query = (
        "SELECT alarm, active, acknowledged, is_first, since, reason, acted, shelved_until, notice "
        "FROM alarms ORDER BY since, alarm"
    )
    return tuple(_row(*found) for found in connection.execute(query))


def _row(  # in the order of the columns
    alarm: str,
    active: int,
    acknowledged: int,
    is_first: int,
    since: float,
    reason: str,
    acted: str,
    shelved_until: float | None,
    notice: str,
) -> AlarmRow:
    return AlarmRow(
        alarm=alarm,
        active=bool(active),
        acknowledged=bool(acknowledged),
        is_first=bool(is_first),
        since=since,
        reason=reason,
        by=acted,
        shelved_until=shelved_until,
        notice=json.loads(notice),
    )

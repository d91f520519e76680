"""The jobs, keys and marks of a station in its database. Everything here is part of a transaction.

What they say follows from the ledger, beside which they are written in one transaction. They are
kept so that a start need not read all of that.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.store.database import Connection
from agent.store.entries import Json

KEYS_KEPT: Final = 10_000
"""Keys of submissions that are known; the oldest go first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRow:
    """A job as it is to be found again."""

    job: str
    is_final: bool
    form: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyRow:
    """A key, the SHA-256 of what was asked under it, and the job that came of it."""

    key: str
    sha256: str
    job: str


def put_job(connection: Connection, row: JobRow, *, ended_kept: int) -> None:
    """Keep a job as it is now, and of those that have ended only the last that did.

    One that has just ended is kept whatever the clock says, which may have been set back.
    """
    form = json.dumps(row.form, ensure_ascii=False)
    connection.execute(
        "INSERT INTO jobs (job, is_final, form) VALUES (?, ?, ?) "
        "ON CONFLICT (job) DO UPDATE SET is_final = excluded.is_final, form = excluded.form",
        (row.job, row.is_final, form),
    )
    if row.is_final:
        connection.execute(
            "DELETE FROM jobs WHERE job <> ? AND job IN (SELECT job FROM jobs WHERE is_final "
            "ORDER BY json_extract(form, '$.ended') DESC, number DESC LIMIT -1 OFFSET ?)",
            (row.job, ended_kept),
        )


def jobs(connection: Connection) -> list[dict[str, Any]]:
    """The forms of all jobs, in the order of their submission."""
    query = "SELECT form FROM jobs ORDER BY number"
    return [json.loads(form) for (form,) in connection.execute(query)]


def put_key(connection: Connection, row: KeyRow) -> None:
    """Keep a key. A second job under one key is against the rules of the table."""
    values = (row.key, row.sha256, row.job)
    connection.execute("INSERT INTO job_keys (key, sha256, job) VALUES (?, ?, ?)", values)
    connection.execute(
        "DELETE FROM job_keys WHERE number <= (SELECT max(number) FROM job_keys) - ?", (KEYS_KEPT,)
    )


def find_key(connection: Connection, key: str) -> KeyRow | None:
    """What was asked under a key."""
    query = "SELECT key, sha256, job FROM job_keys WHERE key = ?"
    found = connection.execute(query, (key,)).fetchone()
    return KeyRow(key=found[0], sha256=found[1], job=found[2]) if found else None


def put_mark(connection: Connection, name: str, value: Json) -> None:
    """Keep one thing of the station that is not a job."""
    connection.execute(
        "INSERT INTO marks (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, json.dumps(value, ensure_ascii=False)),
    )


def marks(connection: Connection) -> dict[str, Any]:
    """All of them, by name."""
    found = connection.execute("SELECT name, value FROM marks")
    return {name: json.loads(value) for name, value in found}


def job_rows(connection: Connection, job: str, after: int, most: int) -> list[tuple[int, str]]:
    """The rows of the ledger that belong to a job, oldest first: number and text."""
    query = (
        "SELECT ledger.seq, body FROM job_rows JOIN ledger ON ledger.seq = job_rows.seq "
        "WHERE job = ? AND job_rows.seq > ? ORDER BY job_rows.seq LIMIT ?"
    )
    return list(connection.execute(query, (job, after, most)))

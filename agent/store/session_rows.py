"""Who is signed in, in the station's database: for the next start, which asks for passwords again."""

from __future__ import annotations

from dataclasses import dataclass

from agent.store.database import Connection


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionRow:
    """One session as it is on record. Times are in seconds UTC."""

    key: bytes
    """SHA-256 of the secret that the browser has."""
    account: str
    proved: float
    """When the password was given last."""
    ends: float
    """When it ends, whatever happens."""


def sessions(connection: Connection) -> tuple[SessionRow, ...]:
    """All that are on record, ended or not."""
    query = "SELECT key, account, proved, ends FROM sessions ORDER BY proved"
    return tuple(
        SessionRow(key=key, account=account, proved=proved, ends=ends)
        for key, account, proved, ends in connection.execute(query)
    )


def put_session(row: SessionRow, now: float, connection: Connection) -> None:
    """Write a session, and forget those that have ended by `now`, in seconds UTC."""
    connection.execute("DELETE FROM sessions WHERE ends <= ?", (now,))
    connection.execute(
        "INSERT OR REPLACE INTO sessions (key, account, proved, ends) VALUES (?, ?, ?, ?)",
        (row.key, row.account, row.proved, row.ends),
    )


def drop_session(key: bytes, connection: Connection) -> None:
    """Forget one session."""
    connection.execute("DELETE FROM sessions WHERE key = ?", (key,))


def drop_sessions_of(account: str, but: bytes, connection: Connection) -> None:
    """Forget the sessions of an account, but for one: b"" for all."""
    connection.execute("DELETE FROM sessions WHERE account = ? AND key <> ?", (account, but))

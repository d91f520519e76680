"""The accounts of people in the station's database. Each change comes along with an entry of the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agent.store.database import Connection

_COLUMNS: Final = "name, display, role, password, enabled, language, since, issuer, subject"


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountRow:
    """One account as it is on record."""

    name: str
    """What its owner signs in with: NFC, in small letters."""
    display: str
    """What people call its owner."""
    role: str
    password: str
    """The hash, with its salt and its cost; empty where a provider says who it is."""
    enabled: bool
    language: str
    """`ko`, `en`, or empty where the browser decides."""
    since: str
    """When it was made, RFC 3339 in UTC."""
    issuer: str = ""
    """The provider where its owner signs in; empty where a password is kept here."""
    subject: str = ""
    """Who its owner is there."""


def accounts(connection: Connection) -> dict[str, AccountRow]:
    """All accounts, by name."""
    query = f"SELECT {_COLUMNS} FROM accounts ORDER BY name"  # noqa: S608 - names of columns
    found = {}
    for name, display, role, password, enabled, language, since, *at in connection.execute(query):
        issuer, subject = at
        found[name] = AccountRow(
            name=name,
            display=display,
            role=role,
            password=password,
            enabled=bool(enabled),
            language=language,
            since=since,
            issuer=issuer,
            subject=subject,
        )
    return found


def put_account(row: AccountRow, connection: Connection) -> None:
    """Write an account, new or changed."""
    connection.execute(
        f"INSERT INTO accounts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608
        "ON CONFLICT (name) DO UPDATE SET display = excluded.display, role = excluded.role, "
        "password = excluded.password, enabled = excluded.enabled, language = excluded.language",
        (
            *(row.name, row.display, row.role, row.password),
            *(row.enabled, row.language, row.since, row.issuer, row.subject),
        ),
    )

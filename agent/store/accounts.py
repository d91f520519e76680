"""The accounts of people in the station's database. Each change comes along with an entry of the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from agent.store.database import Connection
from agent.store.named_rows import insert, named_rows


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountRow:
    """One account as it is on record: its fields are the columns of the table."""

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
    return named_rows(connection, "accounts", AccountRow)


def put_account(row: AccountRow, connection: Connection) -> None:
    """Write an account, new or changed."""
    changed = (
        "ON CONFLICT (name) DO UPDATE SET display = excluded.display, role = excluded.role, "
        "password = excluded.password, enabled = excluded.enabled, language = excluded.language"
    )
    insert(connection, "accounts", row, changed)

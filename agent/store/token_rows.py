"""The tokens of programs in the station's database. None is ever deleted: the ledger names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agent.store.database import Connection

_COLUMNS: Final = "name, key, owner, scope, since, ends, revoked"


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenRow:
    """One token as it is on record."""

    name: str
    key: bytes
    """SHA-256 of the token."""
    owner: str
    """The account that made it; empty where an administrator of the machine did."""
    scope: str
    since: str
    """When it was made, RFC 3339 in UTC."""
    ends: float
    """When it counts no more, in seconds UTC."""
    revoked: bool


def tokens(connection: Connection) -> dict[str, TokenRow]:
    """All tokens, by name, those that count no more included."""
    query = f"SELECT {_COLUMNS} FROM tokens ORDER BY name"  # noqa: S608 - names of columns
    found = {}
    for name, key, owner, scope, since, ends, revoked in connection.execute(query):
        found[name] = TokenRow(
            name=name,
            key=key,
            owner=owner,
            scope=scope,
            since=since,
            ends=ends,
            revoked=bool(revoked),
        )
    return found


def put_token(row: TokenRow, connection: Connection) -> None:
    """Write a new token. Raises sqlite3.IntegrityError where the name is taken."""
    connection.execute(
        f"INSERT INTO tokens ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (row.name, row.key, row.owner, row.scope, row.since, row.ends, row.revoked),
    )


def revoke_token(name: str, connection: Connection) -> None:
    """Let a token count no more."""
    connection.execute("UPDATE tokens SET revoked = 1 WHERE name = ?", (name,))

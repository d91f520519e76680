"""The tokens of programs in the station's database. None is ever deleted: the ledger names them."""

from __future__ import annotations

from dataclasses import dataclass

from agent.store.database import Connection
from agent.store.named_rows import insert, named_rows


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenRow:
    """One token as it is on record: its fields are the columns of the table."""

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
    return named_rows(connection, "tokens", TokenRow)


def put_token(row: TokenRow, connection: Connection) -> None:
    """Write a new token. Raises sqlite3.IntegrityError where the name is taken."""
    insert(connection, "tokens", row)


def revoke_token(name: str, connection: Connection) -> None:
    """Let a token count no more."""
    connection.execute("UPDATE tokens SET revoked = 1 WHERE name = ?", (name,))

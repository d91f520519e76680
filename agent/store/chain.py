"""The chain: each row's hash covers its text and the hash of the row before. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from json import JSONEncoder
from typing import Any, Final, Self

from agent.languages.message import Message
from agent.store.store_errors import BadEntry

BEGINNING: Final = bytes(32)
"""What stands for the hash of the row before the first."""

# One text for one content: keys in order, no spaces, and ASCII, which no tool spells otherwise.
_encode = JSONEncoder(
    ensure_ascii=True, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


def canonical(form: Mapping[str, Any]) -> str:
    """The JSON text of an entry that is hashed. Raises BadEntry."""
    try:
        return _encode(form)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadEntry(
            Message("not recorded: it can't be written as JSON: {error}", error=str(error))
        ) from error


def link(before: bytes, body: bytes) -> bytes:
    """The hash of a row: SHA-256 of the hash before it, then its text."""
    return sha256(before + body).digest()


@dataclass(frozen=True, slots=True)
class Head:
    """Where a ledger ends: its last `seq` (0: it is empty) and that row's hash."""

    seq: int
    hash: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `812:9f86d0…`, as it is printed. Raises ValueError."""
        seq, _, digits = text.strip().partition(":")
        found = cls(int(seq), bytes.fromhex(digits))
        if found.seq < 0 or len(found.hash) != len(BEGINNING):
            raise ValueError(
                Message("a head is the number of a row, a colon and 64 hexadecimal digits")
            )
        return found

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"

    def form(self) -> dict[str, Any]:
        """As it is published: `{"seq": 812, "hash": "9f86d0…"}`."""
        return {"seq": self.seq, "hash": self.hash.hex()}


EMPTY: Final = Head(0, BEGINNING)
"""Of a ledger without a row."""


def missing(first: int, last: int) -> str:
    """What is said of rows that are not there any more."""
    return f"row {first} is missing" if first == last else f"rows {first} to {last} are missing"

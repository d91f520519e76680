"""What a submission asks for, and the hash by which the same request is known when it comes again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from agent.errors import Refused
from agent.languages.message import Message

MOST_COPIES: Final = 50
HIGHEST: Final = 100
"""Priorities go from -100 to 100."""
LONGEST_KEY: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The whole of one submission, as it was asked. `not_before` is in seconds UTC."""

    recipe: str
    arguments: Mapping[str, object]
    devices: Mapping[str, str]
    held: bool
    priority: int
    copies: int
    not_before: float | None

    def must_make_sense(self, key: str) -> None:
        """Raise Refused where a number or the key is none that the queue takes."""
        if not 1 <= self.copies <= MOST_COPIES:
            raise Refused(
                Message(
                    "copies: {copies} is not a number from 1 to {most_copies}",
                    copies=self.copies,
                    most_copies=MOST_COPIES,
                )
            )
        if abs(self.priority) > HIGHEST:
            raise Refused(
                Message(
                    "priority: {priority} is not from {highest} to {highest_2}",
                    priority=self.priority,
                    highest=-HIGHEST,
                    highest_2=HIGHEST,
                )
            )
        if len(key) > LONGEST_KEY or not (key.isprintable() and key.isascii()):
            raise Refused(
                Message(
                    "key: {key!a} is not a text of at most {longest_key} characters in ASCII",
                    key=key[:40],
                    longest_key=LONGEST_KEY,
                )
            )

    @property
    def sha256(self) -> str:
        """Of everything that was asked, in hex digits; the order of names does not matter."""
        text = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

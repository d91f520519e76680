"""One alarm: the states of ISA-18.2, and what leads from one to another. Pure.

    normal ──raised──▶ unacknowledged ──acknowledged──▶ acknowledged ──cleared──▶ normal
                             │  ▲                             (raised: nothing new)
                          cleared│raised again
                             ▼  │
                         returned ──acknowledged──▶ normal

Shelving lies over all of them, and so does suppression while nothing can be known; but what nobody
has acknowledged is hidden by shelving alone, which somebody did by name and which has an end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from agent.languages.message import Message
from agent.languages.words import term
from agent.settings import Priority


class State(StrEnum):
    """How an alarm stands, in the words of ISA-18.2 and IEC 62682."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"  # it is so, and nobody has said that they know
    ACKNOWLEDGED = "acknowledged"  # it is so, and somebody knows
    RETURNED = "returned"  # it is so no more, and nobody has said that they know
    SHELVED = "shelved"  # somebody has put it aside until a moment
    SUPPRESSED = "suppressed"  # by design: its device does not answer, so nothing is known


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What an alarm is: its name and words, how urgent it is, and among which it may be the first.

    Names with a dot are the agent's own: `offline.psu1`. `device` is "" where it is about none.
    """

    name: str
    priority: Priority = "medium"
    group: str = ""
    """Empty: a group of its own."""
    device: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    """What people call it, by language: ko, en."""
    todo: Mapping[str, str] = field(default_factory=dict)
    """What to do, by language."""


@dataclass(slots=True)
class Alarm:
    """One alarm as it stands. Every verb returns whether it changed anything."""

    notice: Notice
    active: bool = False
    """Whether it is so, as far as is known."""
    acknowledged: bool = True
    suppressed: bool = False
    shelved_until: float | None = None
    """Seconds UTC, for people and for the next start; the end itself comes by a monotonic clock."""
    since: float = 0.0
    """When it came into its state, seconds UTC."""
    reason: str = ""
    """Why it was raised last."""
    by: str = ""
    """Who acknowledged or shelved it last."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.notice.name

    @property
    def group(self) -> str:
        """Where it may be the first."""
        return self.notice.group or self.notice.name

    @property
    def state(self) -> State:
        """How it stands."""
        if self.shelved_until is not None:
            return State.SHELVED
        if not self.acknowledged:
            return State.UNACKNOWLEDGED if self.active else State.RETURNED
        if self.suppressed:
            return State.SUPPRESSED
        return State.ACKNOWLEDGED if self.active else State.NORMAL

    @property
    def is_settled(self) -> bool:
        """Whether it is not so, and nobody has to acknowledge it."""
        return self.acknowledged and not self.active

    @property
    def is_worth_keeping(self) -> bool:
        """Whether the next start must know of it."""
        return not self.is_settled or self.shelved_until is not None

    def told(self, kind: str, text: str) -> Message:
        """What happened to it, such as "raised", in a sentence."""
        return Message(
            "alarm {name} ({priority}) {kind}: {text}",
            name=self.name,
            priority=term(self.notice.priority),
            kind=term(kind),
            text=text,
        )

    def raise_(self, reason: str) -> bool:
        """It is so. What was acknowledged before counts no more."""
        if self.active:
            return False
        self.active, self.acknowledged, self.reason = True, False, reason
        return True

    def clear(self) -> bool:
        """It is so no more."""
        was, self.active = self.active, False
        return was

    def acknowledge(self, by: str) -> bool:
        """Somebody knows."""
        if self.acknowledged:
            return False
        self.acknowledged, self.by = True, by
        return True

    def shelve(self, by: str, until: float) -> bool:
        """Put it aside until a moment (seconds UTC). Shelved again, it has the new end."""
        self.shelved_until, self.by = until, by
        return True

    def unshelve(self) -> bool:
        """Take it up again. What is so then is announced as if it had just come."""
        if self.shelved_until is None:
            return False
        self.shelved_until = None
        if self.active:
            self.acknowledged = False
        return True

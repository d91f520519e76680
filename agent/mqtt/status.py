"""One session with the broker: its number, what is said of it, and late words of earlier ones. Pure."""

import json
from dataclasses import dataclass
from enum import Enum, auto

from agent.mqtt import payloads


class Outnumbered(Exception):
    """The broker keeps a status of a later session: the station's clock was set back."""


class Seen(Enum):
    """What a status message means to the session that sees it."""

    OWN = auto()
    OLDER = auto()  # a late will, or no status at all: the birth has to be said again
    NEWER = auto()  # another agent of the same name, or a clock that was set back


@dataclass(frozen=True, kw_only=True)
class Session:
    """A session that began at `begun` (seconds UTC). Later sessions have higher numbers."""

    station: str
    version: str
    number: int
    begun: float

    @property
    def birth(self) -> bytes:
        """What is retained while it lasts."""
        return payloads.encode(payloads.online(self.station, self.version, self.number, self.begun))

    @property
    def will(self) -> bytes:
        """What the broker publishes when it is lost."""
        return payloads.encode(payloads.lost(self.station, self.version, self.number))

    def farewell(self, now: float) -> bytes:
        """What is retained when it ended in order, at `now` (seconds UTC)."""
        return payloads.encode(payloads.ended(self.station, self.version, self.number, now))

    def sees(self, payload: bytes) -> Seen:
        """Compare a message on the station's status topic with this session."""
        if payload == self.birth:
            return Seen.OWN
        return Seen.NEWER if session_of(payload) > self.number else Seen.OLDER


def next_session(utc: float, last: int) -> int:
    """The number of a session that begins at `utc` (seconds): milliseconds, and above `last`."""
    return max(int(utc * 1000), last + 1)


def session_of(payload: bytes) -> int:
    """The session that a status message speaks of; 0 when it is no status."""
    try:
        session = json.loads(payload)["session"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0
    return session if isinstance(session, int) and not isinstance(session, bool) else 0

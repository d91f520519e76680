"""One person who is signed in with one browser, and what that allows at this moment."""

from dataclasses import dataclass
from typing import Final

from agent.people.account import Account

PROVED_S: Final = 300.0
"""How long after the password was given users, roles and tokens may be changed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """When a session locks and ends, in seconds."""

    lock_after: float = 900.0
    """Without an action: then it shows all as before, and acting takes the password again."""
    idle: float = 4 * 3600.0
    """Without an action: then it is over."""
    longest: float = 12 * 3600.0
    """From sign-in: then it is over, whatever happens."""


@dataclass(kw_only=True, slots=True)
class Session:
    """What is known of a session. Times are monotonic, in seconds."""

    key: bytes
    account: str
    proved: float
    """When the password was given last; -inf before the restart of the agent."""
    used: float
    """When the person acted last."""
    ends: float
    """When it ends, whatever happens."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedIn:
    """A person and their session, as of one request."""

    account: Account
    session: Session
    csrf: str
    """What a page sends back with every change."""
    locked: bool
    """Looking goes on; acting takes the password again."""
    is_proved: bool
    """Whether the password was given so lately that users may be changed."""

"""Who asks, and may this role do this? Allowed, or refused with the reason. Pure."""

from dataclasses import dataclass
from typing import Literal

from agent.languages.message import Message
from agent.languages.words import term
from drivers import Role


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """A person or program, and the way the request came."""

    name: str
    origin: Literal["cli", "api", "web", "mqtt", "agent", "job", "schedule"]
    role: Role
    job: str = ""
    """The job that acts for whoever started it; "" where no job does."""


def refusal(actor: Actor, needed: Role, what: str) -> str:
    """Why the actor may not do `what`, as a sentence; empty when it may."""
    if actor.role >= needed:
        return ""
    return Message(
        "{what} needs the role {needed} or above; {name} ({origin}) has {role}",
        what=what,
        needed=term(needed.name.lower()),
        name=actor.name,
        origin=actor.origin,
        role=term(actor.role.name.lower()),
    )

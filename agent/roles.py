"""Who asks, and may this role do this? Allowed, or refused with the reason. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from agent.languages.message import Message
from drivers import Role

ROLES: Final[Mapping[Role, Message]] = MappingProxyType(
    {
        Role.OBSERVER: Message("observer"),
        Role.TECHNICIAN: Message("technician"),
        Role.ENGINEER: Message("engineer"),
        Role.QA: Message("QA"),
        Role.ADMINISTRATOR: Message("administrator"),
    }
)
"""What people call the roles."""


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
        needed=ROLES[needed],
        name=actor.name,
        origin=actor.origin,
        role=ROLES[actor.role],
    )

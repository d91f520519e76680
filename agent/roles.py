"""Who asks, and may this role do this? Allowed, or refused with the reason. Pure."""

from dataclasses import dataclass
from typing import Literal

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
    return (
        f"{what} needs the role {needed.name.lower()} or above; "
        f"{actor.name} ({actor.origin}) has {actor.role.name.lower()}"
    )

"""An account as the rest of the agent sees it: without its password."""

from dataclasses import dataclass

from agent.roles import Actor
from agent.store.entries import Who
from drivers import Role


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A person who may sign in."""

    name: str
    display: str
    role: Role
    enabled: bool
    language: str
    """`ko`, `en`, or empty where the browser decides."""
    since: str
    provider: str = ""
    """The issuer of the provider where they sign in; empty where a password is kept here."""

    @property
    def actor(self) -> Actor:
        """The person as one who acts from a web page."""
        return Actor(name=self.name, origin="web", role=self.role)


def who(actor: Actor) -> Who:
    """Who it is, for the ledger."""
    return Who(name=actor.name, role=actor.role.name.lower(), origin=actor.origin)

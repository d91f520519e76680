"""What the routes of people share: the people, whose browser it is, and who may manage others."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from agent.errors import AgentError, NoSuchThing, NotAllowed, Refused
from agent.languages.message import Message
from agent.people.people import People
from agent.people.people_errors import (
    NameTaken,
    NoPeople,
    ProviderTrouble,
    SignInFailed,
    TooManyAtOnce,
)
from agent.people.session import SignedIn
from agent.roles import ROLES, Actor
from agent.store.store_errors import NotRecorded
from agent.web.administrators import Administrators
from agent.web.doors import locked, no_token
from agent.web.problems import Problem
from agent.web.routes import TheCaller, TheStation
from drivers import Role

KINDS: Final[tuple[tuple[type[AgentError], str], ...]] = (
    (SignInFailed, "sign-in-failed"),
    (NotAllowed, "not-allowed"),
    (NoSuchThing, "no-such"),
    (TooManyAtOnce, "too-many"),
    (NameTaken, "exists"),
    (Refused, "bad-value"),
    (ProviderTrouble, "not-vouched"),
    (NotRecorded, "not-recorded"),
    (NoPeople, "not-kept"),
)
OF_CHANGES: Final = ("no-token", "not-allowed", "bad-value", "not-recorded", "not-kept")


@contextmanager
def as_problems() -> Iterator[None]:
    """Turn what people raise into problems; the first of a kind that fits counts."""
    try:
        yield
    except AgentError as error:
        kind = next((it for its, it in KINDS if isinstance(error, its)), "refused")
        raise Problem(kind, str(error)) from error


async def _people(station: TheStation) -> People:
    if station.people is None:
        raise Problem("not-kept", Message("this station knows no people: nothing is recorded here"))
    return station.people


async def _signed_in(caller: TheCaller) -> SignedIn:
    if caller.signed_in is None:
        raise Problem("refused", Message("nobody has signed in with this browser"))
    return caller.signed_in


async def _administrator(request: Request, caller: TheCaller) -> Actor:
    """Whoever may manage people: a person who has just given the password, or on the socket."""
    if caller.peer is not None:
        administrators: Administrators = request.app.state.administrators
        if await administrators.have(caller.peer):
            return replace(caller.actor, role=Role.ADMINISTRATOR)
        text = Message(
            "people are managed by root, the agent's own user and the group api.administrators"
        )
        raise Problem("not-allowed", text)
    if not caller.is_known:
        raise no_token()
    if caller.signed_in is None:
        text = Message("people are managed by an administrator who has signed in, or on the socket")
        raise Problem("not-allowed", text)
    if caller.signed_in.account.role < Role.ADMINISTRATOR:
        text = Message(
            "people are managed by administrators; {name} has the role {role}",
            name=caller.actor.name,
            role=ROLES[caller.signed_in.account.role],
        )
        raise Problem("not-allowed", text)
    if request.method != "GET" and not caller.signed_in.is_proved:
        raise locked(Message("your password was last given more than five minutes ago"))
    return caller.actor


ThePeople = Annotated[People, Depends(_people)]
TheSignedIn = Annotated[SignedIn, Depends(_signed_in)]
FOR_ADMINISTRATORS: Final[Any] = Depends(_administrator)
TheAdministrator = Annotated[Actor, Depends(_administrator)]

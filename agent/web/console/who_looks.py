"""Who looks at a page, and what of it they may do: for its frame, and for each of its controls."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import Request

from agent.languages.message import Message
from agent.web.callers import Caller
from agent.web.to_sign_in import sign_in_address
from drivers import Role

IN_SCRIPT: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "other_person": Message(
            "Somebody else has signed in with this browser meanwhile. Nothing was done: load the "
            "page anew."
        ),
        "still_locked": Message("Nothing was done: without your password nothing is changed."),
        "sign_in_first": Message("Sign in to do this. What you have typed is kept."),
        "different": Message("The two passwords are not the same. Type them again."),
        "copied": Message("Copied"),
        "not_copied": Message("It is marked: copy it with Ctrl+C."),
    }
)
"""What the scripts of people say."""


def who_looks(request: Request) -> dict[str, Any]:
    """What templates know of whoever asked.

    `person` is None where nobody has signed in; `is_known` also counts programs with a token.
    `provider` has what people call the one where they may sign in, by language, or is None.
    """
    caller: Caller = request.state.caller
    here = _here(request)
    people = request.app.state.station.people
    elsewhere = people.elsewhere if people else None
    return {
        "person": caller.signed_in,
        "is_known": caller.is_known,
        "may": lambda role: caller.is_known and caller.actor.role >= Role[role.upper()],
        "ready": _ready(caller, is_part="hx-request" in request.headers),
        "role_of_actor": caller.actor.role.name.lower() if caller.is_known else "",
        "sign_in": sign_in_address(here),
        "is_network": request.url.scheme == "https",
        "here": here,
        "provider": elsewhere.label if elsewhere else None,
    }


def _ready(caller: Caller, *, is_part: bool) -> Callable[..., str]:
    """What the tag of a button says that acts by a script, and needs this role.

    It is disabled where the role does not suffice, and on a page until its scripts are there, which
    console.js says. A part comes by a script: nothing has to be waited for. Who has not signed in
    may press it: that leads to signing in.
    """

    def said(role: str = "observer") -> str:
        if caller.is_known and caller.actor.role < Role[role.upper()]:
            return "disabled"
        return "" if is_part else "disabled=waits"

    return said


def _here(request: Request) -> str:
    """The address of the page without the language, which is not where somebody is."""
    kept = [(name, it) for name, it in request.query_params.multi_items() if name != "language"]
    path = quote(request.url.path)
    return f"{path}?{urlencode(kept)}" if kept else path

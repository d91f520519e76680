"""The cookie of a session: its name, and how it is given and taken back."""

from typing import Final

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import Scope

from agent.people.attempts import COUNTS_S

NAME: Final = "labkeeper"
OF_ATTEMPT: Final = "labkeeper-provider"
"""Of a sign-in that has begun at a provider: it comes along when the browser is sent back from there."""
ON_NETWORK: Final = "__Host-"
"""A browser takes a cookie of this name from the very host alone, over TLS and for all its paths."""


def cookie_name(scope: Scope, what: str = NAME) -> str:
    """With the port: browsers keep cookies of several agents on one machine in one place."""
    _, port = scope["server"]
    return f"{ON_NETWORK if _is_secure(scope) else ''}{what}-{port}"


def secret_in(scope: Scope, headers: Headers) -> str:
    """The secret that the browser sends; empty where there is none."""
    return _sent(headers, cookie_name(scope))


def attempt_in(scope: Scope, headers: Headers) -> str:
    """The secret of the sign-in that this browser has begun; empty where there is none."""
    return _sent(headers, cookie_name(scope, OF_ATTEMPT))


def give_cookie(response: Response, scope: Scope, secret: str) -> None:
    """Let the browser keep the secret until it is closed, out of the reach of scripts."""
    response.set_cookie(
        cookie_name(scope),
        secret,
        path="/",
        secure=_is_secure(scope),
        httponly=True,
        samesite="strict",
    )


def take_cookie(response: Response, scope: Scope) -> None:
    """Let the browser forget the secret."""
    response.delete_cookie(
        cookie_name(scope), path="/", secure=_is_secure(scope), httponly=True, samesite="strict"
    )


def give_attempt(response: Response, scope: Scope, secret: str) -> None:
    """Let the browser keep the secret of a sign-in for as long as it counts.

    Lax: it has to come along when another site sends the browser back, with a GET.
    """
    response.set_cookie(
        cookie_name(scope, OF_ATTEMPT),
        secret,
        max_age=int(COUNTS_S),
        path="/",
        secure=_is_secure(scope),
        httponly=True,
        samesite="lax",
    )


def take_attempt(response: Response, scope: Scope) -> None:
    """Let the browser forget it."""
    name, secure = cookie_name(scope, OF_ATTEMPT), _is_secure(scope)
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")


def _sent(headers: Headers, name: str) -> str:
    found = [cookie_parser(text) for text in headers.getlist("cookie")]
    return next((it[name] for it in found if name in it), "")


def _is_secure(scope: Scope) -> bool:
    return bool(scope["scheme"] == "https")

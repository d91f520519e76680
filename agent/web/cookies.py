"""The cookie of a session: its name, and how it is given and taken back."""

from typing import Final

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import Scope

NAME: Final = "labkeeper"
ON_NETWORK: Final = "__Host-"
"""A browser takes a cookie of this name from the very host alone, over TLS and for all its paths."""


def cookie_name(scope: Scope) -> str:
    """With the port: browsers keep cookies of several agents on one machine in one place."""
    _, port = scope["server"]
    return f"{ON_NETWORK if _is_secure(scope) else ''}{NAME}-{port}"


def secret_in(scope: Scope, headers: Headers) -> str:
    """The secret that the browser sends; empty where there is none."""
    found = [cookie_parser(text) for text in headers.getlist("cookie")]
    return next((it[name] for it in found if (name := cookie_name(scope)) in it), "")


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


def _is_secure(scope: Scope) -> bool:
    return bool(scope["scheme"] == "https")

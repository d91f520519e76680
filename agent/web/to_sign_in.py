"""Where a browser goes that has to say first who uses it: a page leads there, and a program hears 401.

The way back is a path of our own and nothing else, so that no link makes the station lead elsewhere.
"""

import re
from typing import Final
from urllib.parse import quote, urlencode

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from agent.web.problems import Problem

SIGN_IN: Final = "/sign-in"
TO_PROVIDER: Final = "/sign-in/provider"
FROM_PROVIDER: Final = "/sign-in/provider/back"
"""Where a provider of sign-ins sends the browser back to."""
NO_PAGES: Final = ("/api/", "/parts/", "/live/", "/static/")
LONGEST_PATH: Final = 1000
OWN_PATH: Final = re.compile(r"(/[^/\\\s\x00-\x1f\x7f?#]+)*/?(\?[^\\\s\x00-\x1f\x7f#]*)?")
"""No host (`//`, which browsers also read in `/\\`), no blank that browsers drop, nothing empty between."""
STARTS_ANEW: Final = frozenset({"no-token", "no-csrf"})
"""Refusals of a page's form that signing in mends."""


def own_path(text: str) -> str:
    """The path to go back to; that of the station where it is none of a page of ours."""
    is_own = len(text) <= LONGEST_PATH and text.startswith("/") and OWN_PATH.fullmatch(text)
    return "/" if not is_own or is_apart(text) else text


def is_apart(path: str) -> bool:
    """Whether nobody goes back there: it is no page, or the one for signing in."""
    return path.startswith((*NO_PAGES, SIGN_IN, "/sign-out", "/stop"))


def led_to_sign_in(scope: Scope, headers: Headers, problem: Problem) -> Response | None:
    """The way to the page for signing in; None where a program asks, or that would not help."""
    path: str = scope["path"]
    is_page = not path.startswith(NO_PAGES) and "text/html" in headers.get("accept", "")
    if problem.kind not in STARTS_ANEW or not is_page:
        return None
    if scope["method"] != "GET":
        return RedirectResponse(SIGN_IN, 303)
    query = scope["query_string"].decode("latin-1")
    return RedirectResponse(sign_in_address(quote(path) + (f"?{query}" if query else "")), 303)


def sign_in_address(back: str) -> str:
    """The page for signing in, from where one comes back to a path of ours."""
    found = own_path(back)
    return SIGN_IN if found == "/" else f"{SIGN_IN}?{urlencode({'next': found}, safe='/')}"

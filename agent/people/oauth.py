"""The words of OAuth 2.0 that a sign-in is made of: addresses and bodies, without sending anything.

The only file that imports authlib's side of clients; late, since it is an extra.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit, urlunsplit

from authlib.oauth2.auth import ClientAuth  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.parameters import (  # type: ignore[import-untyped]
    prepare_grant_uri,
    prepare_token_request,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]

from agent.people.attempts import Attempt

FORM: Final = {
    "Accept": "application/json",
    "Content-Type": "application/x-www-form-urlencoded",
}
WITH_SECRET: Final = ("client_secret_basic", "client_secret_post")
WITHOUT: Final = "none"


def sign_in_address(
    endpoint: str, client_id: str, scopes: tuple[str, ...], attempt: Attempt
) -> str:
    """Where a browser goes to sign in; with `prompt` and `max_age` where the password is to be asked."""
    asking = {"prompt": "login", "max_age": "0"} if attempt.asks else {}
    address: str = prepare_grant_uri(
        urlunsplit(urlsplit(endpoint)._replace(fragment="")),
        client_id,
        "code",
        redirect_uri=attempt.redirect,
        scope=" ".join(dict.fromkeys(("openid", *scopes))),
        state=attempt.state,
        nonce=attempt.nonce,
        code_challenge=create_s256_code_challenge(attempt.verifier),
        code_challenge_method="S256",
        **asking,
    )
    return address


def token_request(
    endpoint: str, method: str, client_id: str, secret: str, attempt: Attempt, code: str
) -> tuple[dict[str, str], str]:
    """Headers and body that change a code for tokens; `method` is how the client says who it is."""
    body = prepare_token_request(
        "authorization_code",
        code=code,
        redirect_uri=attempt.redirect,
        code_verifier=attempt.verifier,
    )
    auth = ClientAuth(client_id, secret, method)
    _, headers, body = auth.prepare("POST", endpoint, dict(FORM), body)
    return headers, body


def auth_method(offered: object, *, has_secret: bool) -> str:
    """How this client says who it is, of what a provider offers; by default the header."""
    if not has_secret:
        return WITHOUT
    takes = offered if isinstance(offered, list) else []
    return next((it for it in WITH_SECRET if it in takes), WITH_SECRET[0])

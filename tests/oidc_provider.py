"""A small provider of OpenID Connect with accounts, keys and faults of its own, on a real port.

It is written from the specification and shares nothing with the agent's client. Run as a program it
prints its address, and reads those to which it may send browsers back: `python -m tests.oidc_provider`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from html import escape
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT: Final = "labkeeper-bench-1"
SECRET: Final = "the-secret-of-this-client"
PEOPLE: Final[dict[str, dict[str, Any]]] = {
    "hana": {"sub": "1001", "name": "김하나", "groups": ["lab-technicians", "chess"]},
    "park": {"sub": "1002", "name": "박도윤", "groups": ["lab-technicians", "lab-admins"]},
    "guest": {"sub": "1003", "name": "Guest", "groups": ["visitors"]},
}


@cache
def _key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


@dataclass
class Faults:
    """What the next id_token has wrong, and how the provider behaves; as a test wants it."""

    claims: dict[str, Any] = field(default_factory=dict)
    """In the place of right ones; None leaves one out."""
    header: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    unsigned: bool = False
    by_secret: bool = False
    """Signed with the client's secret, as a thief of nothing could not but HS256 would allow."""
    hang: frozenset[str] = frozenset()
    """Paths that do not answer before the end."""
    forgets_to_ask: bool = False
    """The password is not asked for, whatever the client says."""


@dataclass(frozen=True)
class Code:
    """What a code stands for."""

    who: str
    asked: dict[str, str]
    signed_in_at: float


class OidcProvider:
    """The provider. `redirects` are the addresses that its client registered, exactly."""

    def __init__(self, *redirects: str) -> None:
        self.redirects = list(redirects)
        self.people = {name: dict(claims) for name, claims in PEOPLE.items()}
        self.faults = Faults()
        self.issuer = ""
        self.key = self.shown = _key("first")
        self.codes: dict[str, Code] = {}
        self.browsers: dict[str, tuple[str, float]] = {}
        self.asked: list[str] = []
        self.ahead = 0.0
        """Of the clock, in seconds."""
        self.ending = asyncio.Event()
        self.app = self._app()

    def rotate(self) -> None:
        """Sign with another key from now on."""
        self.key = self.shown = _key("second")

    def forge(self) -> None:
        """Sign with a key that is not the one that is shown, under its name."""
        self.key = RSAKey.import_key({**_key("thief").as_dict(private=True), "kid": "second"})

    def now(self) -> float:
        """Seconds UTC by the provider's own clock."""
        return time.time() + self.ahead  # noqa: TID251 - it is another machine's

    def _app(self) -> FastAPI:
        app = FastAPI()
        app.get("/.well-known/openid-configuration")(self.facts)
        app.get("/keys")(self.keys)
        app.get("/authorize")(self.authorize)
        app.post("/login")(self.login)
        app.post("/token")(self.token)
        return app

    async def _heard(self, request: Request) -> None:
        self.asked.append(request.url.path)
        if request.url.path in self.faults.hang:
            await self.ending.wait()

    async def facts(self, request: Request) -> Response:
        """What it says of itself."""
        await self._heard(request)
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "code_challenge_methods_supported": ["S256"],
                **self.faults.facts,
            }
        )

    async def keys(self, request: Request) -> Response:
        """Its public keys."""
        await self._heard(request)
        return JSONResponse({"keys": [self.shown.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        """Who is it? Known already by a cookie, unless the client wants to be sure."""
        await self._heard(request)
        asked = dict(request.query_params)
        if asked.get("client_id") != CLIENT or asked.get("redirect_uri") not in self.redirects:
            return HTMLResponse("<h1>Wrong client or redirect_uri</h1>", 400)
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        known = self.browsers.get(request.cookies.get("login", ""))
        wants_password = asked.get("prompt") == "login" or asked.get("max_age") == "0"
        if known and (self.faults.forgets_to_ask or not wants_password):
            return self._back(*known, asked)
        return HTMLResponse(
            "<!doctype html><html lang=en><title>Login</title><h1>Log in at the example</h1>"
            f'<form method=post action="/login?{escape(urlencode(asked))}">'
            "<label>User <input name=user></label><button>Log in</button>"
            "<button name=cancel value=1>Cancel</button></form>"
        )

    async def login(self, request: Request) -> Response:
        """The form of the page above. Everybody who is known may come in."""
        form = parse_qs((await request.body()).decode())
        asked = dict(request.query_params)
        if "cancel" in form:
            away = urlencode({"error": "access_denied", "state": asked["state"]})
            return RedirectResponse(f"{asked['redirect_uri']}?{away}", 303)
        [who] = form["user"]
        answer = self._back(who, self.now(), asked)
        cookie = secrets.token_urlsafe()
        self.browsers[cookie] = (who, self.now())
        answer.set_cookie("login", cookie, httponly=True)
        return answer

    def _back(self, who: str, when: float, asked: dict[str, str]) -> Response:
        code = secrets.token_urlsafe()
        self.codes[code] = Code(who, asked, when)
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 303)

    async def token(self, request: Request) -> Response:
        """A code becomes an id_token: once, for its client, and who began the sign-in."""
        await self._heard(request)
        form = {name: it[0] for name, it in parse_qs((await request.body()).decode()).items()}
        login = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {login}":
            return JSONResponse({"error": "invalid_client"}, 401)
        code = self.codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(
            hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        ).rstrip(b"=")
        if (
            code is None
            or form["redirect_uri"] != code.asked["redirect_uri"]
            or challenge.decode() != code.asked["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse(
            {"access_token": "a", "token_type": "Bearer", "id_token": self._id_token(code)}
        )

    def _id_token(self, code: Code) -> str:
        now = self.now()
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": int(now),
            "exp": int(now) + 300,
            "auth_time": int(code.signed_in_at),
            "nonce": code.asked["nonce"],
            "preferred_username": code.who,
            **self.people[code.who],
            **self.faults.claims,
        }
        claims = {name: it for name, it in claims.items() if it is not None}
        header = {"alg": "RS256", "kid": self.key.kid, "typ": "JWT", **self.faults.header}
        if self.faults.unsigned:
            return f"{_packed({**header, 'alg': 'none'})}.{_packed(claims)}."
        if self.faults.by_secret:
            return _signed_by_secret({**header, "alg": "HS256"}, claims)
        return jwt.encode(header, claims, self.key)


def _packed(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _signed_by_secret(header: dict[str, Any], claims: dict[str, Any]) -> str:
    said = f"{_packed(header)}.{_packed(claims)}"
    signature = hmac.digest(SECRET.encode(), said.encode(), "sha256")
    return f"{said}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@asynccontextmanager
async def oidc_provider(*redirects: str) -> AsyncIterator[OidcProvider]:
    """Serve a provider on a free port of this machine until the context ends."""
    provider = OidcProvider(*redirects)
    config = uvicorn.Config(
        provider.app, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none"
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    host, port = server.servers[0].sockets[0].getsockname()
    provider.issuer = f"http://{host}:{port}"
    try:
        yield provider
    finally:
        provider.ending.set()
        server.force_exit = not provider.faults.hang
        await server.shutdown()


async def _run() -> None:
    async with oidc_provider() as provider:
        sys.stdout.write(provider.issuer + "\n")
        sys.stdout.flush()
        while line := await asyncio.to_thread(sys.stdin.readline):
            provider.redirects.append(line.strip())


if __name__ == "__main__":
    asyncio.run(_run())

"""Who may come in: every request passes here before anything reads it.

On the Unix socket the kernel says who calls, and the role is the socket's. On loopback TCP:

* reading is open to programs of this machine;
* changes need the token, whose role they get;
* stop needs neither: whoever stands beside a machine may stop it, also without a token.

A file that is put into the store alone may be a body of any size; see `agent.web.uploads`.

A web page is none of these. Exact `Host` and `Origin`, `Sec-Fetch-Site`, and bodies that must be
declared as JSON (which no form can do, and no script of another origin without asking first) keep
the browser on this machine from being made to ask in somebody else's name.
"""

import asyncio
import hmac
import logging
import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.roles import Actor
from agent.settings import Api
from agent.web.peer import Peer, UserNames
from agent.web.problems import Problem
from agent.web.token import read_or_make_token
from agent.web.uploads import Upload, check_file, is_upload
from drivers import Role

__all__ = ["Doors", "read_or_make_token"]

LARGEST_BODY: Final = 64 * 1024
LARGEST_LEFTOVER: Final = 1024 * 1024
"""How much of a body that is too large is still read, so that its sender hears why."""
BODY_WITHIN_S: Final = 10.0
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
STOP: Final = re.compile(r"(/api/v1(/(devices|jobs)/[^/]+)?)?/stop")
STOP_BY_FORM: Final = "/stop"
"""A button of the console without a script: it sends no body, and forms can't declare JSON."""
ON_SOCKET: Final = frozenset({"localhost", "labkeeper"})
LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
OWN_SITE: Final = frozenset({"same-origin", "none"})
ON_EVERY_ANSWER: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
ON_A_PAGE: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
}

log = logging.getLogger("labkeeper")


class Doors:
    """An ASGI application behind the rules above; it puts the `Actor` into the request's state."""

    def __init__(self, app: ASGIApp, api: Api, token: str) -> None:
        self._app, self._api = app, api
        self._token = token.encode()
        self._users = UserNames()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is spoken here, not {scope['type']}")

        upload = Upload(scope, receive) if is_upload(scope) else None

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                _seal(MutableHeaders(scope=message))
            await (upload.answer(send, message) if upload else send(message))

        try:
            receive = await self._admit(scope, receive, upload)
        except Problem as problem:
            await problem.response()(scope, receive, answer)
            return
        try:
            await self._app(scope, receive, answer)
        except Exception:
            log.exception("a defect of the agent: %s %r", scope["method"], scope["path"])

    async def _admit(self, scope: Scope, receive: Receive, upload: Upload | None) -> Receive:
        """Check everything but the body's meaning, and say who asks. Raises Problem."""
        headers = Headers(scope=scope)
        peer: Peer | None = scope["state"].get("peer")
        hosts = ON_SOCKET if peer else tcp_hosts(scope, self._api.hosts)
        check_host(headers, hosts, "; the config may add names as api.hosts")
        _check_origin(headers, hosts)
        known = peer is not None or self._has_token(headers)
        scope["state"]["actor"] = await self._actor(peer, known)
        if scope["method"] in SAFE:
            return receive
        if not (known or STOP.fullmatch(scope["path"])):
            raise _no_token()
        if upload:
            check_file(headers)
            return upload.receive
        if (peer is None and scope["path"] != STOP_BY_FORM) or _has_body(headers):
            _check_json(headers)
        return await _with_body(receive)

    def _has_token(self, headers: Headers) -> bool:
        given = headers.getlist("authorization")
        scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        same = hmac.compare_digest(token.strip().encode("latin-1"), self._token)
        return same and scheme.lower() == "bearer"

    async def _actor(self, peer: Peer | None, known: bool) -> Actor:
        if peer is not None:
            name = await self._users.of(peer.uid)
            return Actor(name=name, origin="cli", role=self._api.socket_role)
        if known:
            return Actor(name="token", origin="api", role=self._api.role)
        return Actor(name="no token", origin="api", role=Role.OBSERVER)


def _seal(headers: MutableHeaders) -> None:
    """Say what a browser may do with the answer: a page runs our own files, all else nothing."""
    headers.update(ON_EVERY_ANSWER)
    headers.setdefault("Cache-Control", "no-store")  # a value kept by somebody else would look new
    if headers.get("content-type", "").startswith("text/html"):
        headers.update(ON_A_PAGE)


def _no_token() -> Problem:
    """One text for a missing and a wrong token: the difference would help only a guesser."""
    return Problem(
        "no-token",
        "changes over TCP need the header `Authorization: Bearer …` with the token from "
        "the file that the config names as api.token_file",
        headers={"WWW-Authenticate": 'Bearer realm="labkeeper"'},
    )


def tcp_hosts(scope: Scope, more: tuple[str, ...] = ()) -> frozenset[str]:
    """What callers on this listener may call it: loopback with its port, and config's names.

    A name with a port is taken as it stands; one without also goes with the listener's port.
    """
    _, port = scope["server"]
    loopback = {f"{host}:{port}" for host in LOOPBACK}
    named = {name.lower() for name in more}
    return frozenset(loopback | named | {f"{name}:{port}" for name in named if ":" not in name})


def check_host(headers: Headers, hosts: frozenset[str], hint: str = "") -> None:
    """Refuse a request that was meant for somebody else, such as one after DNS rebinding."""
    given = headers.getlist("host")
    if len(given) != 1 or given[0].lower() not in hosts:
        raise Problem(
            "wrong-host",
            f"the Host {ascii(','.join(given))[:100]} is not one of {', '.join(sorted(hosts))}{hint}",
        )


def _check_origin(headers: Headers, hosts: frozenset[str]) -> None:
    origins = {f"{scheme}://{host}" for host in hosts for scheme in ("http", "https")}
    if any(origin.lower() not in origins for origin in headers.getlist("origin")):
        raise Problem("wrong-origin", "the Origin of the page that asks is not one of the agent's")
    if any(site not in OWN_SITE for site in headers.getlist("sec-fetch-site")):
        raise Problem("wrong-origin", "a page of another site asks; open the address itself")


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _check_json(headers: Headers) -> None:
    given = headers.getlist("content-type")
    if len(given) != 1 or given[0].partition(";")[0].strip().lower() != "application/json":
        raise Problem("not-json", "send the header `Content-Type: application/json`")


async def _with_body(receive: Receive) -> Receive:
    """Take the whole body in, and hand it on as one piece."""
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            body = await _body(receive)
    except TimeoutError:
        text = f"the body was not complete after {BODY_WITHIN_S:g} s"
        raise Problem("too-slow", text, headers={"Connection": "close"}) from None
    pieces: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return pieces.pop() if pieces else await receive()

    return again


async def _body(receive: Receive) -> bytes:
    body, size, more = bytearray(), 0, True
    while more and size <= LARGEST_LEFTOVER:
        message = await receive()
        piece = message.get("body", b"")
        size += len(piece)
        more = message.get("more_body", False)
        if size <= LARGEST_BODY:
            body += piece
    if size > LARGEST_BODY:
        text = f"a body may have {LARGEST_BODY} bytes"
        raise Problem("too-large", text, headers={"Connection": "close"})
    return bytes(body)

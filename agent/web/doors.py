"""Who may come in: every request passes here before anything reads it.

On the Unix socket the kernel says who calls, and the role is the socket's. On loopback TCP:

* reading is open to programs of this machine;
* changes need a person who has signed in, or a token, and get their role;
* stop needs neither: whoever stands beside a machine may stop it, also without a token.

From the network, which is behind TLS, nothing is open: stop and reading need to be known as well.

A file that is put into the store alone may be a body of any size; see `agent.web.uploads`.

A web page is none of these. Exact `Host` and `Origin`, `Sec-Fetch-Site`, and bodies that must be
declared as JSON (which no form can do, and no script of another origin without asking first) keep
the browser on this machine from being made to ask in somebody else's name. Changes of a person who
has signed in need the token of their page too. Pages of the agent's own, beside `/api/`, may send
forms: those name the exact origin that they come from.
"""

import hmac
import logging
import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as Part

from agent.clock import Clock
from agent.languages.catalogues import wanted
from agent.languages.message import ENGLISH, Message
from agent.people.people import People
from agent.settings import Api
from agent.web.bodies import (
    again,
    check_json,
    field,
    has_body,
    is_form,
    whole_body,
)
from agent.web.callers import Caller, Callers
from agent.web.hosts import ON_SOCKET, check_host, check_origin, tcp_hosts
from agent.web.limits import STREAMS, Limits
from agent.web.problems import Problem
from agent.web.to_sign_in import FROM_PROVIDER, TO_PROVIDER, led_to_sign_in
from agent.web.token import read_or_make_token
from agent.web.uploads import Upload, check_file, is_upload

__all__ = ["Doors", "read_or_make_token"]

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
STOP: Final = re.compile(r"(/api/v1)?(/(devices|jobs)/[^/]+)?/stop")
OF_NOBODY: Final = frozenset(
    {
        *("/api/v1/session", "/api/v1/first-administrator", "/sign-in", "/sign-in/first"),
        *(TO_PROVIDER, FROM_PROVIDER),
    }
)
"""Where somebody begins to be known: open to everybody who comes by the right name."""
FIRST: Final = frozenset({"/api/v1/first-administrator", "/sign-in/first"})
"""What of it is done on this machine alone."""
SEEN_BY_NOBODY: Final = re.compile(
    r"/api/v1/session|/sign-in(/provider/back)?|/static/.*|/favicon\.ico"
)
"""What may be read from the network before that."""
WHILE_LOCKED: Final = frozenset({"/api/v1/session", "/api/v1/session/unlock", "/sign-out"})
API: Final = "/api/"
CSRF: Final = "x-csrf-token"
CSRF_FIELD: Final = "csrf"
ON_EVERY_ANSWER: Final = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
POLICY_OF_PAGES: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

log = logging.getLogger("labkeeper")


class _OverInTheMidst(Exception):
    """The session of whoever hears this answer is over, and so is the answer."""


class Doors:
    """An ASGI application behind the rules above; it puts `caller` and `actor` into a request's state.

    `network` has the names it goes by for other machines, which come over TLS; None on this machine.
    """

    def __init__(
        self,
        app: ASGIApp,
        api: Api,
        token: str,
        people: People | None = None,
        *,
        clock: Clock,
        network: tuple[str, ...] | None = None,
    ) -> None:
        self._app, self._api, self._people = app, api, people
        self._network, self._is_network = network, network is not None
        self._callers = Callers(api, None if self._is_network else token, people)
        self._limits = Limits(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is spoken here, not {scope['type']}")

        upload = Upload(scope, receive) if is_upload(scope) else None
        may_outlast = self._is_network and STREAMS.fullmatch(scope["path"]) is not None

        async def answer(message: Part) -> None:
            if message["type"] == "http.response.start":
                _complete(MutableHeaders(scope=message))
            elif may_outlast and not self._still_known(scope["state"].get("caller")):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                raise _OverInTheMidst
            await (upload.answer(send, message) if upload else send(message))

        try:
            receive = await self._admit(scope, receive, upload)
            with self._limits.stream(scope["state"]["caller"].key, scope["path"]):
                await self._app(scope, receive, answer)
        except Problem as problem:
            led = led_to_sign_in(scope, Headers(scope=scope), problem)
            await (led or problem.response(_language(scope)))(scope, receive, answer)
        except _OverInTheMidst:
            log.debug("an answer ended with the session of whoever had asked for it")
        except Exception:
            log.exception("a defect of the agent: %s %r", scope["method"], scope["path"])

    async def _admit(self, scope: Scope, receive: Receive, upload: Upload | None) -> Receive:
        """Check everything but the body's meaning, and say who asks. Raises Problem."""
        headers = Headers(scope=scope)
        hosts = self._check_names(scope, headers)
        is_stop = scope["method"] == "POST" and STOP.fullmatch(scope["path"]) is not None
        caller = await self._callers.of(scope, headers, is_stop=is_stop)
        if not is_stop:
            self._limits.check_rate(caller.key)
        if scope["method"] in SAFE:
            self._admit_reader(scope, headers, caller)
            return receive
        return await self._admit_change(scope, receive, headers, caller, hosts, upload, is_stop)

    def _check_names(self, scope: Scope, headers: Headers) -> frozenset[str]:
        """Raise Problem, unless the request is meant for us and comes from no other page."""
        if "peer" in scope["state"]:
            hosts = ON_SOCKET
        elif self._network is not None:
            hosts = tcp_hosts(scope, self._network, ())
        else:
            hosts = tcp_hosts(scope, self._api.hosts)
        check_host(headers, hosts, Message("; the config may add names as api.hosts"))
        schemes = ("https",) if self._is_network else ("http", "https")
        check_origin(headers, hosts, schemes, from_elsewhere=_is_sent_back(scope, headers))
        return hosts

    def _admit_reader(self, scope: Scope, headers: Headers, caller: Caller) -> None:
        """Let somebody look. Raises Problem where they come from the network and are not known."""
        if self._is_network and not (caller.is_known or SEEN_BY_NOBODY.fullmatch(scope["path"])):
            raise no_token()
        if headers.get("sec-fetch-dest") == "document":  # a person goes to another page
            self._note_use(caller)
        _remember(scope, caller)

    async def _admit_change(
        self,
        scope: Scope,
        receive: Receive,
        headers: Headers,
        caller: Caller,
        hosts: frozenset[str],
        upload: Upload | None,
        is_stop: bool,
    ) -> Receive:
        """Let somebody act. Raises Problem."""
        path: str = scope["path"]
        begins = OF_NOBODY - (FIRST if self._is_network else frozenset())
        is_open = is_stop or (path in begins and scope["method"] == "POST")
        if not (caller.is_known or (is_open and not (is_stop and self._is_network))):
            raise no_token()
        if caller.bearer and not (is_stop or caller.bearer.may_change(path)):
            text = Message(
                "the token {name} has the scope {scope}",
                name=caller.actor.name,
                scope=caller.bearer.scope,
            )
            raise Problem("not-allowed", Message("{text}, which does not change this", text=text))
        if upload:
            self._admit_person(caller, path, headers.get(CSRF, ""))
            check_file(headers)
            _remember(scope, caller)
            return upload.receive
        by_form = is_form(headers) and not path.startswith(API)
        if by_form:
            _check_own_page(headers)
        elif caller.peer is None or has_body(headers):
            check_json(headers)
        body = await whole_body(receive)
        given = headers.get(CSRF, "") or (field(body, CSRF_FIELD) if by_form else "")
        if not is_open:
            self._admit_person(caller, path, given)
        elif caller.signed_in and not _is_own(caller, given):
            caller = caller.as_nobody()  # stopping and signing in are nobody's secret
        _remember(scope, caller)
        return again(body, receive)

    def _admit_person(self, caller: Caller, path: str, csrf: str) -> None:
        """Let a person act who has signed in, and others pass. Raises Problem."""
        if caller.signed_in is None:
            return
        if not _is_own(caller, csrf):
            raise Problem(
                "no-csrf",
                Message(
                    "changes of somebody who has signed in need the header `X-CSRF-Token` with the "
                    "`csrf` of GET /api/v1/session"
                ),
            )
        if path in WHILE_LOCKED:
            return
        if caller.signed_in.locked:
            raise locked(Message("nothing was done here for a while"))
        self._note_use(caller)

    def _still_known(self, caller: Caller | None) -> bool:
        """Whether what opened this answer still counts, session or token: a stream may outlast it."""
        if caller is None or self._people is None:
            return True
        if caller.bearer:
            return self._people.tokens.is_alive(caller.bearer.actor.name)
        its = caller.signed_in
        return its is None or self._people.sessions.is_alive(its.session)

    def _note_use(self, caller: Caller) -> None:
        if caller.signed_in and self._people and not caller.signed_in.locked:
            self._people.sessions.used(caller.signed_in.session)


def _is_sent_back(scope: Scope, headers: Headers) -> bool:
    """Whether it is the one page that another site may send a browser to: it does nothing itself."""
    is_page = headers.get("sec-fetch-dest", "document") == "document"
    return is_page and scope["method"] == "GET" and scope["path"] == FROM_PROVIDER


def _language(scope: Scope) -> str:
    return wanted(Headers(scope=scope).get("accept-language", ""), ENGLISH)


def locked(why: str) -> Problem:
    """The refusal that a page answers by asking for the password, at POST /api/v1/session/unlock."""
    return Problem(
        "locked", Message("{why}: give your password again, then repeat what you did", why=why)
    )


def _complete(headers: MutableHeaders) -> None:
    headers.update(ON_EVERY_ANSWER)
    # A value kept by somebody else would look new; files that never change may say otherwise.
    headers.setdefault("Cache-Control", "no-store")
    is_page = headers.get("content-type", "").startswith("text/html")
    headers["Content-Security-Policy"] = POLICY_OF_PAGES if is_page else POLICY


def _remember(scope: Scope, caller: Caller) -> None:
    scope["state"]["caller"], scope["state"]["actor"] = caller, caller.actor


def _is_own(caller: Caller, csrf: str) -> bool:
    """Whether the page of this person asks, and none that merely has the browser send the cookie."""
    signed_in = caller.signed_in
    if signed_in is None:
        return False
    return hmac.compare_digest(csrf.encode("utf-8", "surrogatepass"), signed_in.csrf.encode())


def _check_own_page(headers: Headers) -> None:
    """A form must say where it comes from, and was found to be ours then. Raises Problem."""
    if "origin" not in headers and headers.get("sec-fetch-site") != "same-origin":
        raise Problem("wrong-origin", Message("a form without the Origin of its page is not taken"))


def no_token() -> Problem:
    """One text for a missing and a wrong token: the difference would help only a guesser."""
    return Problem(
        "no-token",
        Message(
            "changes over TCP need a person who has signed in, or the header "
            "`Authorization: Bearer …` with a token, such as the one from the file that "
            "the config names as api.token_file"
        ),
        headers={"WWW-Authenticate": 'Bearer realm="labkeeper"'},
    )

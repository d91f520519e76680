"""Who is it? The kernel's word on the socket, a token, the cookie of a person, or nobody."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from agent.people.people import People
from agent.people.session import SignedIn
from agent.people.tokens import Bearer
from agent.roles import Actor
from agent.settings import Api
from agent.web.cookies import secret_in
from agent.web.peer import Peer, UserNames
from drivers import Role

NOBODY: Final = Actor(name="no token", origin="api", role=Role.OBSERVER)


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who asks, and how that is known."""

    actor: Actor
    address: str
    """Where it asks from: an IP address, or `uid 1000`."""
    is_known: bool = False
    """Whether anything but the address says who it is."""
    peer: Peer | None = None
    signed_in: SignedIn | None = None
    bearer: Bearer | None = None

    @property
    def key(self) -> str:
        """By what its requests are counted."""
        return f"{self.actor.origin} {self.actor.name}" if self.is_known else self.address

    def as_nobody(self) -> Caller:
        """The same caller, without what says who it is."""
        return replace(self, actor=NOBODY, is_known=False, signed_in=None, bearer=None)


class Callers:
    """Tells who asks on one listener. The token of the file counts where there is one."""

    def __init__(self, api: Api, token: str | None, people: People | None) -> None:
        self._api, self._token, self._people = api, token, people
        self._users = UserNames()

    async def of(self, scope: Scope, headers: Headers, *, is_stop: bool = False) -> Caller:
        """Who asks. A header that says it and is wrong makes a nobody, also with a good cookie."""
        peer: Peer | None = scope["state"].get("peer")
        if peer is not None:
            name = await self._users.of(peer.uid, is_stop=is_stop)
            actor = Actor(name=name, origin="cli", role=self._api.socket_role)
            return Caller(actor=actor, address=f"uid {peer.uid}", is_known=True, peer=peer)
        nobody = Caller(actor=NOBODY, address=scope["client"][0] if scope["client"] else "")
        if "authorization" in headers:
            return self._with_token(nobody, _bearer(headers))
        if self._people and (secret := secret_in(scope, headers)):
            signed_in = self._people.sessions.find(secret)
            if signed_in is not None:
                actor = signed_in.account.actor
                return replace(nobody, actor=actor, is_known=True, signed_in=signed_in)
        return nobody

    def _with_token(self, nobody: Caller, token: bytes) -> Caller:
        if self._token and hmac.compare_digest(token, self._token.encode()):
            actor = Actor(name="token", origin="api", role=self._api.role)
            return replace(nobody, actor=actor, is_known=True)
        bearer = self._people.tokens.find(token.decode("latin-1")) if self._people else None
        if bearer is None:
            return nobody
        return replace(nobody, actor=bearer.actor, is_known=True, bearer=bearer)


def _bearer(headers: Headers) -> bytes:
    given = headers.getlist("authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    return token.strip().encode("latin-1") if scheme.lower() == "bearer" else b""

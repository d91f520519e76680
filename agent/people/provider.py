"""A provider of OpenID Connect, asked over HTTP: where people sign in, and who it was.

Nothing is asked before somebody wants to sign in, each request has its end, and no answer is believed
to be short, whole or JSON. Imported late: its libraries are an extra.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import httpx

from agent.clock import Clock
from agent.errors import ConfigError
from agent.languages.message import N_, Message
from agent.people import id_token, oauth
from agent.people.attempts import Attempt
from agent.people.people_errors import NotLetIn, ProviderTrouble
from agent.people.vouched import Vouched, vouched
from agent.settings import Oidc, read_secret
from agent.settings.provider_address import is_secure

FACTS: Final = "/.well-known/openid-configuration"
ANSWER_WITHIN_S: Final = 8.0
"""For one answer, all of it."""
CONNECT_S: Final = 4.0
MOST_BYTES: Final = 1 << 20
KNOWN_S: Final = 3600.0
"""How long what a provider says of itself is taken for true."""
ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
ERRORS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (TimeoutError, N_("no answer in time")),
    (httpx.TimeoutException, N_("no answer in time")),
    (ssl.SSLCertVerificationError, N_("its certificate is not believed; see api.oidc.ca_file")),
    (httpx.ConnectError, N_("nothing answers there")),
    (httpx.HTTPError, N_("the connection was lost")),
    (httpx.InvalidURL, N_("this is no address of a host")),
    (OSError, N_("the file api.oidc.ca_file can't be read")),
)
"""What may happen to a request, the more special first, and what a person is told."""
BEGIN_AGAIN: Final = Message("this sign-in does not count any more: begin it again")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Facts:
    """What a provider says of itself."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    auth_method: str


class Provider:
    """The provider that the config names."""

    def __init__(self, oidc: Oidc, clock: Clock, *, answer_within: float = ANSWER_WITHIN_S) -> None:
        self._oidc, self._clock, self._within = oidc, clock, answer_within
        self._facts: _Facts | None = None
        self._known_until = 0.0
        self._keys: object = None

    async def sign_in_address(self, attempt: Attempt) -> str:
        """Where a browser goes to sign in. Raises ProviderTrouble."""
        endpoint = (await self._known()).authorization_endpoint
        its = self._oidc
        return oauth.sign_in_address(endpoint, its.client_id, its.scopes, attempt)

    async def vouched(self, attempt: Attempt, code: str) -> Vouched:
        """Who it is that the provider has sent back with this code.

        Raises:
            NotLetIn: The code does not count.
            ProviderTrouble: The provider can't be asked, or what it says can't be believed.
        """
        facts, its = await self._known(), self._oidc
        headers, body = oauth.token_request(
            *(facts.token_endpoint, facts.auth_method, its.client_id),
            *(await self._secret(), attempt, code),
        )
        status, said = await self._asked("POST", facts.token_endpoint, headers, body)
        if status != httpx.codes.OK:
            raise self._refusal(status, said)
        try:
            claims = await self._verified(said, attempt.nonce, facts)
            return vouched(claims, its.issuer, its.roles_claim)
        except (id_token.WrongToken, ValueError) as error:
            why = error.args[0] if isinstance(error, id_token.WrongToken) else Message("no subject")
            raise self._unbelievable(why) from error

    async def _verified(self, said: Mapping[str, Any], nonce: str, facts: _Facts) -> dict[str, Any]:
        """Verify the token with the keys that are known, or else with those of now."""
        if self._keys is not None:
            try:
                return await self._by_keys(said, nonce)
            except id_token.NotByTheseKeys:
                pass  # the provider may have changed them since
        status, self._keys = await self._asked("GET", facts.jwks_uri)
        if status != httpx.codes.OK:
            self._keys = None
            raise self._unreached(Message("it answers with the status {status}", status=status))
        return await self._by_keys(said, nonce)

    async def _by_keys(self, said: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        return await asyncio.to_thread(
            id_token.verified,
            *(said.get("id_token"), self._keys),
            issuer=self._oidc.issuer,
            client_id=self._oidc.client_id,
            nonce=nonce,
            access_token=said.get("access_token"),
            now=self._clock.utc(),
        )

    async def _known(self) -> _Facts:
        """What the provider says of itself, asked once an hour."""
        if self._facts is None or self._clock.monotonic() >= self._known_until:
            address = self._oidc.issuer.rstrip("/") + FACTS
            status, said = await self._asked("GET", address)
            if status != httpx.codes.OK:
                raise self._unreached(Message("it answers with the status {status}", status=status))
            self._facts = self._believed(said)
            self._known_until = self._clock.monotonic() + KNOWN_S
        return self._facts

    def _believed(self, said: Mapping[str, Any]) -> _Facts:
        if said.get("issuer") != self._oidc.issuer:
            shown = ascii(said.get("issuer"))[:200]
            raise self._unbelievable(Message("it calls itself {shown}", shown=shown))
        for name in ENDPOINTS:
            if not is_secure(said.get(name)):
                raise self._unbelievable(Message("its {name} is no https:// address", name=name))
        offered = said.get("token_endpoint_auth_methods_supported")
        has_secret = self._oidc.client_secret_file is not None
        method = oauth.auth_method(offered, has_secret=has_secret)
        return _Facts(**{name: said[name] for name in ENDPOINTS}, auth_method=method)

    async def _secret(self) -> str:
        """Read anew each time: it may have been renewed. Raises ProviderTrouble."""
        if self._oidc.client_secret_file is None:
            return ""
        try:
            return await asyncio.to_thread(read_secret, self._oidc.client_secret_file)
        except ConfigError as error:
            text = N_("the secret of this station is not there: {why}; tell an administrator")
            raise ProviderTrouble(Message(text, why=str(error))) from error

    async def _asked(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str] = MappingProxyType({}),
        body: str = "",
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON of one answer. Raises ProviderTrouble."""
        with self._as_trouble():
            async with self._client() as client, asyncio.timeout(self._within):
                sent = client.stream(method, address, headers=dict(headers), content=body)
                async with sent as answer:
                    text = bytearray()
                    async for piece in answer.aiter_bytes():
                        text += piece
                        if len(text) > MOST_BYTES:
                            raise self._unbelievable(Message("it says too much"))
        return answer.status_code, _object(bytes(text))

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client that follows no redirect and heeds no environment."""
        trust = await asyncio.to_thread(
            ssl.create_default_context, cafile=self._oidc.ca_file and str(self._oidc.ca_file)
        )
        timeout = httpx.Timeout(self._within, connect=min(CONNECT_S, self._within))
        async with httpx.AsyncClient(verify=trust, timeout=timeout, trust_env=False) as client:
            yield client

    @contextmanager
    def _as_trouble(self) -> Iterator[None]:
        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:  # TimeoutError is an OSError
            causes = (error, error.__cause__, error.__context__, _deepest(error))
            why = next(text for kind, text in ERRORS if any(isinstance(it, kind) for it in causes))
            raise self._unreached(Message(why)) from error

    def _unreached(self, why: str) -> ProviderTrouble:
        text = N_(
            "the provider {issuer} can't be asked who you are: {why}; "
            "accounts of this station go on signing in"
        )
        return ProviderTrouble(Message(text, issuer=self._oidc.issuer, why=why))

    def _unbelievable(self, why: str) -> ProviderTrouble:
        text = N_("what {issuer} says can't be believed: {why}; tell an administrator")
        return ProviderTrouble(Message(text, issuer=self._oidc.issuer, why=why))

    def _refusal(self, status: int, said: Mapping[str, Any]) -> NotLetIn | ProviderTrouble:
        match said.get("error"):
            case "invalid_grant":
                return NotLetIn(BEGIN_AGAIN)
            case "invalid_client" | "unauthorized_client":
                return self._unreached(Message("it does not know this station by its secret"))
        return self._unreached(Message("it answers with the status {status}", status=status))


def _deepest(error: BaseException) -> BaseException:
    """What an error began with: httpx hides the certificate's below its own."""
    while (before := error.__cause__ or error.__context__) is not None:
        error = before
    return error


def _object(text: bytes) -> dict[str, Any]:
    """The JSON object; empty where it is something else."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

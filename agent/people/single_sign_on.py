"""Signing in at a provider of OpenID Connect: what ends in a session here, and what in a sentence.

The provider says who it is and which groups they have; the role, the session and its locks are ours.
Nothing of this is needed by accounts that are kept here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from agent.clock import Clock
from agent.languages.message import N_, Message
from agent.people.account import Account
from agent.people.accounts import Accounts
from agent.people.attempts import Attempt, Attempts
from agent.people.people_errors import NotLetIn, ProviderTrouble, TooManyAtOnce
from agent.people.secrets_kept import RandomBytes
from agent.people.session import SignedIn
from agent.people.sessions import Sessions
from agent.people.vouched import Vouched, role_of
from agent.settings import Oidc
from agent.store.entries import AGENT, EventEntry
from agent.store.store_errors import RecordingEnded
from agent.store.worker import told

if TYPE_CHECKING:
    from agent.people.provider import Provider

AT_ONCE: Final = 4
MOST_WAITING: Final = 20
CLOCKS_APART_S: Final = 60.0
"""How much earlier than here it may be at the provider."""
NOT_INSTALLED: Final = Message(
    "signing in at a provider needs labkeeper[oidc], which is not installed; "
    "accounts of this station go on signing in"
)
NOT_BEGUN: Final = Message(
    "this sign-in was not begun in this browser, or longer than ten minutes ago: begin it again"
)
CANCELLED: Final = Message("you were not signed in there: it was cancelled, or you have no access")
NO_ROLE: Final = N_(
    "none of your groups there has a role on this station: ask whoever manages {issuer}"
)
BEGIN_AGAIN: Final = Message("the session is over meanwhile: sign in again")
SWITCHED_OFF: Final = N_("{name} is switched off on this station: ask an administrator")
SOMEBODY_ELSE: Final = N_("that was somebody else: {name} has to say again who they are")
NOT_ASKED: Final = N_(
    "the provider {issuer} did not say that it has just asked for your password, so nothing was unlocked: "
    "sign out and in again"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """How a sign-in ended well: a new session and its secret, or one that goes on and no secret."""

    secret: str
    signed_in: SignedIn
    back: str


class SingleSignOn:
    """Sign-ins at the provider that the config names."""

    def __init__(
        self,
        oidc: Oidc,
        accounts: Accounts,
        sessions: Sessions,
        clock: Clock,
        random_bytes: RandomBytes,
    ) -> None:
        self._oidc, self._accounts, self._sessions = oidc, accounts, sessions
        self._clock = clock
        self._attempts = Attempts(clock, random_bytes)
        self._provider: Provider | None = None
        self._turns, self._asked = asyncio.Semaphore(AT_ONCE), 0

    @property
    def issuer(self) -> str:
        """Who vouches."""
        return self._oidc.issuer

    @property
    def label(self) -> dict[str, str]:
        """What people call it, by language; the host of its address where nobody says otherwise."""
        host, label = urlsplit(self._oidc.issuer).hostname or "", self._oidc.label
        return {"ko": label.ko or label.en or host, "en": label.en or label.ko or host}

    def back_of(self, secret: str) -> str:
        """The page to go on with of a sign-in that this browser has begun; empty where it has not."""
        return self._attempts.back_of(secret)

    async def begin(
        self, redirect: str, back: str, address: str, *, again: SignedIn | None, asks: bool
    ) -> tuple[str, str]:
        """The secret for the browser, and the address where it goes to.

        `again` is the session of who only says again who they are; the password is asked for then,
        and where `asks` says so.

        Raises:
            ProviderTrouble: It can't be asked.
            TooManyAtOnce: Nothing was asked.
            NoPeople: There is no record.
        """
        self._accounts.ledger  # noqa: B018 - says so before anybody is sent away
        provider = await self._loaded()
        asks = asks or again is not None
        secret, attempt = self._attempts.begin(redirect, back, address, again=again, asks=asks)
        async with self._turn():
            return secret, await provider.sign_in_address(attempt)

    async def finish(
        self, secret: str, state: str, code: str, error: str, address: str
    ) -> Finished:
        """Let somebody in whom the provider has sent back with a code, or with an error instead.

        Raises:
            NotLetIn: They do not sign in by this; the sentence says why.
            ProviderTrouble: It can't be asked, or what it says can't be believed.
            TooManyAtOnce: Nothing was asked.
            NotRecorded: The disk does not take it.
            NoPeople: There is no record.
        """
        attempt = self._attempts.take(secret, state)
        if attempt is None:
            raise NotLetIn(NOT_BEGUN)
        whose = attempt.again.account if attempt.again else None
        try:
            if error or not code:
                raise NotLetIn(CANCELLED)
            async with self._turn():
                found = await (await self._loaded()).vouched(attempt, code)
            whose = self._accounts.of(found)
            if attempt.again:
                return await self._unlock(attempt, attempt.again, found)
            return await self._let_in(attempt, found)
        except (NotLetIn, ProviderTrouble) as refusal:
            self._note_failure(whose, address, str(refusal))
            raise

    async def _let_in(self, attempt: Attempt, found: Vouched) -> Finished:
        role, known = role_of(found.groups, self._oidc.roles), self._accounts.of(found)
        if role is None:
            if known:
                await self._put_out(known)
            raise NotLetIn(Message(NO_ROLE, issuer=self.issuer))
        if known and not known.enabled:
            raise NotLetIn(Message(SWITCHED_OFF, name=known.name))
        account = await self._accounts.welcome(found, role)
        is_proved = _has_just_asked(attempt, found)
        secret, signed_in = await self._sessions.begin(
            account, is_proved=is_proved, reason=self.issuer
        )
        if not self._accounts.named(account.name).enabled:  # while the disk took the session
            await self._sessions.end(signed_in)
            raise NotLetIn(Message(SWITCHED_OFF, name=account.name))
        return Finished(secret=secret, signed_in=signed_in, back=attempt.back)

    async def _unlock(self, attempt: Attempt, its: SignedIn, found: Vouched) -> Finished:
        """Let a session go on whose person has just given the password to the provider."""
        known = self._accounts.of(found)
        if known is None or known.name != its.account.name:
            raise NotLetIn(Message(SOMEBODY_ELSE, name=its.account.name))
        role = role_of(found.groups, self._oidc.roles)
        if role is None:
            await self._put_out(known)
            raise NotLetIn(Message(NO_ROLE, issuer=self.issuer))
        if not _has_just_asked(attempt, found):
            raise NotLetIn(Message(NOT_ASKED, issuer=self.issuer))
        if not self._sessions.is_alive(its.session):
            raise NotLetIn(BEGIN_AGAIN)
        await self._accounts.welcome(found, role)
        await self._sessions.unlock(its, reason=self.issuer)
        return Finished(secret="", signed_in=its, back=attempt.back)

    async def _put_out(self, account: Account) -> None:
        """End what somebody may do here who has no role at the provider any more."""
        await self._accounts.demote(account, self._sessions.along_without(account.name))
        self._sessions.forget_those_of(account.name)

    async def _loaded(self) -> Provider:
        """The provider; its libraries are imported beside the loop, once somebody needs them."""
        if self._provider is None:
            try:
                module = await asyncio.to_thread(import_module, "agent.people.provider")
            except ImportError as error:
                raise ProviderTrouble(NOT_INSTALLED) from error
            self._provider = module.Provider(self._oidc, self._clock)
        return self._provider

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """So many ask the provider at once, and no more wait than it can answer in time."""
        if self._asked >= AT_ONCE + MOST_WAITING:
            raise TooManyAtOnce(
                Message("too many people sign in at this moment: try again in some seconds")
            )
        self._asked += 1
        try:
            async with self._turns:
                yield
        finally:
            self._asked -= 1

    def _note_failure(self, whose: Account | None, address: str, why: str) -> None:
        entry = EventEntry(
            action="sign-in.failed",
            target=whose.name if whose else "nobody",
            reason=f"{address}: {why}",
        )
        with suppress(RecordingEnded):  # the station ends then, and says why
            self._accounts.ledger.record_soon(AGENT, entry).add_done_callback(told)


def _has_just_asked(attempt: Attempt, found: Vouched) -> bool:
    """Whether the provider was told to ask for the password, and says that it has."""
    when = found.signed_in_at
    return attempt.asks and when is not None and when >= attempt.since - CLOCKS_APART_S

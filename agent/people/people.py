"""People as the doors see them: who signs in, acts again after a pause, and signs out."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Final

from agent.clock import Clock
from agent.errors import AgentError
from agent.fleet.events import EventLog, Severity
from agent.languages.message import Message
from agent.people.account import Account
from agent.people.accounts import Accounts, check_kept_here
from agent.people.delays import Delays
from agent.people.first_start import FirstStart
from agent.people.passwords import Passwords
from agent.people.people_errors import NoPeople, SignInFailed
from agent.people.secrets_kept import RandomBytes
from agent.people.session import Rules, SignedIn
from agent.people.sessions import Sessions
from agent.people.single_sign_on import SingleSignOn
from agent.people.spelling import folded
from agent.people.tokens import Tokens
from agent.roles import Actor
from agent.settings import Oidc
from agent.store.entries import AGENT, EventEntry
from agent.store.ledger import Ledger
from agent.store.store_errors import RecordingEnded
from agent.store.worker import told

FREE_OF_ACCOUNT: Final = 5
FREE_OF_ADDRESS: Final = 20
"""Failures before somebody has to wait. Many people may sit behind one address, such as loopback."""


class People:
    """The people of one station. `ledger` is None where nothing is recorded: nobody signs in then."""

    def __init__(
        self,
        ledger: Ledger | None,
        clock: Clock,
        events: EventLog,
        rules: Rules,
        *,
        passwords: Passwords | None = None,
        oidc: Oidc | None = None,
        random_bytes: RandomBytes = secrets.token_bytes,
    ) -> None:
        self.accounts = Accounts(ledger, clock, passwords or Passwords())
        self.sessions = Sessions(self.accounts, clock, rules, random_bytes)
        self.tokens = Tokens(self.accounts, clock, random_bytes)
        self.first = FirstStart(self.accounts, clock, random_bytes)
        self.elsewhere: SingleSignOn | None = None
        """Where else than here people sign in; None where the config names no provider."""
        if oidc is not None:
            self.elsewhere = SingleSignOn(oidc, self.accounts, self.sessions, clock, random_bytes)
        self._events = events
        self._by_account = Delays(clock, free=FREE_OF_ACCOUNT)
        self._by_address = Delays(clock, free=FREE_OF_ADDRESS)

    async def run(self) -> None:
        """Take over what is on record, and print the first code where there is nobody yet."""
        try:
            await self.accounts.recall()
            await self.sessions.recall()
            await self.tokens.recall()
        except NoPeople:
            return  # why nothing is recorded has been told
        except AgentError as error:
            text = Message("nobody can sign in: {error}", error=str(error))
            self._events.add("people.unread", text, severity=Severity.ERROR)
        else:
            self.first.say()

    async def sign_in(self, name: str, password: str, address: str) -> tuple[str, SignedIn]:
        """Begin a session: the secret for the browser, and what it opens.

        Raises:
            SignInFailed: For whatever reason; it is said in one text.
            TooManyAtOnce: Nothing was looked at.
            NotRecorded: The disk does not take it.
            NoPeople: There is no record.
        """
        self.accounts.ledger  # noqa: B018 - says so before anything is counted
        account = await self._proved(name, password, address)
        proof = self.accounts.proof_of(account.name)
        found = await self.sessions.begin(account)
        if self.accounts.proof_of(account.name) != proof:  # changed while the disk took the session
            await self.sessions.end(found[1])
            raise SignInFailed
        return found

    async def unlock(self, signed_in: SignedIn, password: str, address: str) -> None:
        """Let somebody act again. Raises the same, and KeptElsewhere."""
        check_kept_here(signed_in.account)
        await self._proved(signed_in.account.name, password, address)
        await self.sessions.unlock(signed_in)

    async def make_first(
        self, code: str, name: str, password: str, address: str, *, display: str = ""
    ) -> Account:
        """Make the first administrator. Raises SignInFailed, BadName and NotRecorded."""
        if self._by_address.waits(address):
            raise SignInFailed
        self._by_address.attempt(address)
        made = await self.first.make(code, name, password, display=display)
        self._by_address.forgive(address)
        return made

    async def change_password(
        self, signed_in: SignedIn, password: str, new: str, address: str
    ) -> None:
        """Give oneself another password, which ends the other sessions. Raises the same, and BadName."""
        check_kept_here(signed_in.account)
        name, but = signed_in.account.name, signed_in.session.key
        await self._proved(name, password, address)
        await self._give(signed_in.account.actor, name, new, but)

    async def give_password(self, actor: Actor, name: str, new: str) -> None:
        """Give somebody another password as an administrator, which ends all their sessions."""
        await self._give(actor, self.accounts.named(name).name, new, b"")

    async def switch(self, actor: Actor, name: str, *, on: bool) -> Account:
        """Let somebody sign in, or no longer: then their sessions end."""
        name = self.accounts.named(name).name
        along = self.sessions.along_without(name)
        account = await self.accounts.switch(actor, name, on=on, along=along)
        self.sessions.forget_those_of(name)
        return account

    async def _give(self, actor: Actor, name: str, new: str, but: bytes) -> None:
        along = self.sessions.along_without(name, but)
        await self.accounts.set_password(actor, name, new, along)
        self.sessions.forget_those_of(name, but)

    async def _proved(self, name: str, password: str, address: str) -> Account:
        """Whose password this is, unless name or address have to wait. Raises SignInFailed."""
        key = folded(name)[:100]
        if self._by_account.waits(key) or self._by_address.waits(address):
            raise SignInFailed
        self._by_account.attempt(key)
        self._by_address.attempt(address)
        account = await self.accounts.fits(name, password)
        if account is None:
            self._note_failure(name, address)
            raise SignInFailed
        self._by_account.succeeded(key)
        self._by_address.forgive(address)
        return account

    def _note_failure(self, name: str, address: str) -> None:
        """Record it. A name that nobody has is not written down: it may be a password."""
        known = self.accounts.get(name)
        entry = EventEntry(
            action="sign-in.failed", target=known.name if known else "nobody", reason=address
        )
        with suppress(RecordingEnded):  # the station ends then, and says why
            self.accounts.ledger.record_soon(AGENT, entry).add_done_callback(told)

"""Who is signed in. Ends are monotonic within a process, and UTC over a restart, after which all are locked."""

from __future__ import annotations

from functools import partial
from math import inf
from typing import Final

from agent.clock import Clock
from agent.people.account import Account, who
from agent.people.accounts import Accounts
from agent.people.secrets_kept import RandomBytes, csrf_of, key_of, new_secret
from agent.people.session import PROVED_S, Rules, Session, SignedIn
from agent.roles import Actor
from agent.store.append import Along
from agent.store.entries import EventEntry
from agent.store.session_rows import (
    SessionRow,
    drop_session,
    drop_sessions_of,
    put_session,
    sessions,
)

MOST_OF_ONE: Final = 20
"""Sessions of one account; one more ends the one that was used least lately."""
LONGEST_SECRET: Final = 100


class Sessions:
    """The sessions of a station. Those that write return when it is on the disk; raises NotRecorded."""

    def __init__(
        self, accounts: Accounts, clock: Clock, rules: Rules, random_bytes: RandomBytes
    ) -> None:
        self.rules = rules
        self._accounts, self._clock, self._random = accounts, clock, random_bytes
        self._sessions: dict[bytes, Session] = {}

    async def recall(self) -> None:
        """Take over what has not ended, locked. Raises NotRead and NoPeople."""
        now, mono = self._clock.utc(), self._clock.monotonic()
        for row in await self._accounts.ledger.read(sessions, "who is signed in"):
            left = min(row.ends - now, self.rules.longest)  # the clock may have been set
            since = max(now - row.proved, self.rules.lock_after)
            if left > 0 and since < self.rules.idle:
                self._sessions[row.key] = Session(
                    key=row.key,
                    account=row.account,
                    proved=-inf,
                    used=mono - since,
                    ends=mono + left,
                )

    async def begin(
        self, account: Account, *, is_proved: bool = True, reason: str = ""
    ) -> tuple[str, SignedIn]:
        """Sign somebody in whose password was right: the secret for the browser, and the session.

        `is_proved` is False where nobody was asked for a password just now, as by a provider that
        knew the browser; `reason` goes into the ledger.
        """
        now, mono = self._clock.utc(), self._clock.monotonic()
        secret = new_secret(self._random)
        session = Session(
            key=key_of(secret),
            account=account.name,
            proved=mono if is_proved else -inf,
            used=mono,
            ends=mono + self.rules.longest,
        )
        row = SessionRow(
            key=session.key, account=account.name, proved=now, ends=now + self.rules.longest
        )
        await self._record(account.actor, "sign-in", partial(put_session, row, now), reason)
        self._sessions[session.key] = session
        self._thin_out(account.name)
        return secret, self._seen(account, session, secret)

    def find(self, secret: str) -> SignedIn | None:
        """Whose secret this is; None when the session is over, or the account switched off."""
        if not secret or len(secret) > LONGEST_SECRET:
            return None
        session = self._sessions.get(key_of(secret))
        if session is None or not self.is_alive(session):
            return None
        account = self._accounts.get(session.account)
        return self._seen(account, session, secret) if account and account.enabled else None

    def is_alive(self, session: Session) -> bool:
        """Whether it still counts; one that is over is forgotten."""
        now = self._clock.monotonic()
        if session.ends <= now or session.used + self.rules.idle <= now:
            self._sessions.pop(session.key, None)
        account = self._accounts.get(session.account)
        return session.key in self._sessions and account is not None and account.enabled

    def used(self, session: Session) -> None:
        """Note that the person has just done something: it locks later."""
        session.used = self._clock.monotonic()

    async def unlock(self, signed_in: SignedIn, *, reason: str = "") -> None:
        """Let somebody act again whose password was right."""
        now, mono = self._clock.utc(), self._clock.monotonic()
        session, account = signed_in.session, signed_in.account
        left = session.ends - mono
        row = SessionRow(key=session.key, account=account.name, proved=now, ends=now + left)
        await self._record(account.actor, "unlock", partial(put_session, row, now), reason)
        session.proved = session.used = mono

    async def end(self, signed_in: SignedIn) -> None:
        """Sign somebody out. It counts at once, whatever the disk does."""
        key = signed_in.session.key
        self._sessions.pop(key, None)
        await self._record(signed_in.account.actor, "sign-out", partial(drop_session, key))

    def forget_those_of(self, account: str, but: bytes = b"") -> None:
        """End the sessions of an account, but for one. What is on the disk goes `along_without`."""
        for key, session in tuple(self._sessions.items()):
            if session.account == account and key != but:
                del self._sessions[key]

    def along_without(self, account: str, but: bytes = b"") -> Along:
        """What forgets the same on the disk, together with what they end for."""
        return partial(drop_sessions_of, account, but)

    def _seen(self, account: Account, session: Session, secret: str) -> SignedIn:
        now = self._clock.monotonic()
        locked = now - session.used >= self.rules.lock_after
        return SignedIn(
            account=account,
            session=session,
            csrf=csrf_of(secret),
            locked=locked,
            is_proved=not locked and now - session.proved < PROVED_S,
        )

    def _thin_out(self, account: str) -> None:
        own = [it for it in self._sessions.values() if it.account == account]
        for session in sorted(own, key=lambda it: it.used)[:-MOST_OF_ONE]:
            del self._sessions[session.key]

    async def _record(self, actor: Actor, action: str, along: Along, reason: str = "") -> None:
        entry = EventEntry(action=action, target=actor.name, reason=reason)
        await self._accounts.ledger.record(who(actor), entry, along)

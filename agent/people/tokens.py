"""Tokens of programs: each with a name, a scope and an end, shown once and kept as a hash."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Final

from agent.clock import Clock
from agent.errors import NoSuchThing, NotAllowed
from agent.languages.message import Message
from agent.people.account import who
from agent.people.accounts import UNKNOWN, Accounts
from agent.people.people_errors import BadName, NameTaken, NoPeople
from agent.people.secrets_kept import RandomBytes, key_of, new_secret
from agent.people.spelling import user_name
from agent.roles import Actor, refusal
from agent.store.entries import EventEntry
from agent.store.moments import exact
from agent.store.token_rows import TokenRow, put_token, revoke_token, tokens
from drivers import Role

PREFIX: Final = "lk_"
"""What tokens begin with: programs that look for lost secrets know them by it."""
DAY_S: Final = 86_400.0
LONGEST_DAYS: Final = 366
OF_JOBS: Final = re.compile(r"/api/v1/(jobs|questions|queue|files)(/.*)?")
SCOPES: Final[Mapping[str, Role]] = MappingProxyType(
    {
        "read": Role.OBSERVER,
        "jobs": Role.TECHNICIAN,
        "technician": Role.TECHNICIAN,
        "engineer": Role.ENGINEER,
        "qa": Role.QA,
    }
)
"""What a token may do at most. `jobs` changes jobs, their questions, the queue and files alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bearer:
    """A program that has shown a token."""

    actor: Actor
    scope: str

    def may_change(self, path: str) -> bool:
        """Whether its scope has changes of this path at all."""
        return self.scope != "read" and (self.scope != "jobs" or bool(OF_JOBS.fullmatch(path)))


class Tokens:
    """All tokens of a station. Changes need an administrator; raises NotAllowed and NotRecorded."""

    def __init__(self, accounts: Accounts, clock: Clock, random_bytes: RandomBytes) -> None:
        self._accounts, self._clock, self._random = accounts, clock, random_bytes
        self._rows: dict[str, TokenRow] = {}
        self._by_key: dict[bytes, str] = {}
        self._is_known = False

    async def recall(self) -> None:
        """Take over what is on record. Raises NotRead and NoPeople."""
        found = await self._accounts.ledger.read(tokens, "the tokens")
        self._rows = dict(found)
        self._by_key = {row.key: name for name, row in found.items()}
        self._is_known = True

    @property
    def listing(self) -> tuple[TokenRow, ...]:
        """All, by name, those that count no more included."""
        return tuple(row for _, row in sorted(self._rows.items()))

    def find(self, token: str) -> Bearer | None:
        """The program whose token this is; None where it counts no more, or its owner does not."""
        name = self._by_key.get(key_of(token)) if token.startswith(PREFIX) else None
        row = self._rows[name] if name else None
        role = self._role(row) if row else None
        if row is None or role is None:
            return None
        return Bearer(actor=Actor(name=row.name, origin="api", role=role), scope=row.scope)

    def is_alive(self, name: str) -> bool:
        """Whether the token of this name still counts, and so does whoever made it."""
        row = self._rows.get(name)
        return row is not None and self._role(row) is not None

    def _role(self, row: TokenRow) -> Role | None:
        """What it may do at most at this moment; None where it counts no more."""
        role = SCOPES[row.scope]
        if not self.counts(row) or not row.owner:
            return role if self.counts(row) else None
        owner = self._accounts.get(row.owner)
        return min(role, owner.role) if owner and owner.enabled else None

    def counts(self, row: TokenRow) -> bool:
        """Whether it is neither revoked nor over."""
        return not row.revoked and self._clock.utc() < row.ends

    async def add(self, actor: Actor, name: str, scope: str, days: int) -> tuple[str, TokenRow]:
        """Make a token that counts for some days. It is returned once, and never again.

        Raises:
            BadName: Name, scope or days are none.
            NameTaken: There is one of this name, or was.
        """
        self._check(actor, Message("making a token"))
        if scope not in SCOPES:
            raise BadName(
                Message(
                    "{scope} is not a scope; allowed: {scopes}",
                    scope=ascii(scope)[:40],
                    scopes=", ".join(SCOPES),
                )
            )
        if not 1 <= days <= LONGEST_DAYS:
            raise BadName(Message("{n} days: give 1 to {most}", n=days, most=LONGEST_DAYS))
        name, token = user_name(name), PREFIX + new_secret(self._random)
        if name in self._rows:
            raise NameTaken(
                Message("there is a token {name} already, or was: choose another name", name=name)
            )
        now = self._clock.utc()
        row = TokenRow(
            name=name,
            key=key_of(token),
            owner=actor.name if actor.origin == "web" else "",
            scope=scope,
            since=exact(now),
            ends=now + days * DAY_S,
            revoked=False,
        )
        after = {"scope": scope, "until": exact(row.ends)}
        entry = EventEntry(action="token.add", target=name, after=after)
        await self._accounts.ledger.record(who(actor), entry, partial(put_token, row))
        self._rows[name], self._by_key[row.key] = row, name
        return token, row

    async def revoke(self, actor: Actor, name: str) -> TokenRow:
        """Let a token count no more. It counts at once, whatever the disk does. Raises NoSuchThing."""
        self._check(actor, Message("revoking the token {name}", name=name))
        row = self._rows.get(name)
        if row is None:
            shown = ascii(name)[:80]
            raise NoSuchThing(
                Message("no token is called {name}; `labkeeper token list`", name=shown)
            )
        self._rows[name] = revoked = replace(row, revoked=True)
        entry = EventEntry(action="token.revoke", target=name)
        await self._accounts.ledger.record(who(actor), entry, partial(revoke_token, name))
        return revoked

    def _check(self, actor: Actor, what: str) -> None:
        if why := refusal(actor, Role.ADMINISTRATOR, what):
            raise NotAllowed(why)
        if not self._is_known:
            raise NoPeople(UNKNOWN)

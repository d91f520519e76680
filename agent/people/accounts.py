"""The accounts of a station: made, changed and switched off by administrators, never deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import chain, count
from typing import Final

from agent.clock import Clock
from agent.errors import NoSuchThing, NotAllowed
from agent.languages.message import N_, Message
from agent.people.account import Account, who
from agent.people.passwords import Passwords
from agent.people.people_errors import (
    BadName,
    KeptElsewhere,
    LastAdministrator,
    NameTaken,
    NoPeople,
)
from agent.people.spelling import display_name, folded, new_password, user_name
from agent.people.vouched import Vouched
from agent.roles import Actor, refusal
from agent.store.accounts import AccountRow, accounts, put_account
from agent.store.append import Along
from agent.store.database import Connection
from agent.store.entries import AGENT, EventEntry, Json
from agent.store.ledger import Ledger
from agent.store.moments import exact
from drivers import Role

LANGUAGES: Final = ("", "ko", "en")
UNKNOWN: Final = Message("the accounts are not known: the station's record can't be read")


class Accounts:
    """All accounts, in memory as they are on the disk. What changes one needs an administrator.

    Changes raise NotAllowed, BadName, NoSuchThing where there is none of a name, and NotRecorded.
    """

    def __init__(self, ledger: Ledger | None, clock: Clock, passwords: Passwords) -> None:
        self._ledger, self._clock, self._passwords = ledger, clock, passwords
        self._rows: dict[str, AccountRow] = {}
        self._is_known = False
        self._turn = asyncio.Lock()  # a change is made of what the one before it has left

    async def recall(self) -> None:
        """Take over what is on record. Raises NotRead and NoPeople."""
        self._rows = dict(await self.ledger.read(accounts, "the accounts"))
        self._is_known = True

    @property
    def ledger(self) -> Ledger:
        """Where accounts are kept. Raises NoPeople."""
        if self._ledger is None:
            raise NoPeople(UNKNOWN)
        return self._ledger

    @property
    def are_none(self) -> bool:
        """Whether this station is known to have no account yet."""
        return self._is_known and not self._rows

    @property
    def listing(self) -> tuple[Account, ...]:
        """All, by name."""
        return tuple(_account(row) for _, row in sorted(self._rows.items()))

    def get(self, name: str) -> Account | None:
        """The account of a name, however it is spelled."""
        row = self._rows.get(folded(name))
        return _account(row) if row else None

    def named(self, name: str) -> Account:
        """The same. Raises NoSuchThing."""
        return _account(self._row(name))

    async def fits(self, name: str, password: str) -> Account | None:
        """Whose name and password these are. It takes as long where there is no such account."""
        row = self._rows.get(folded(name))
        fits = await self._passwords.fits(password, (row and row.password) or None)
        now = self._rows.get(folded(name))  # it may have been switched off meanwhile, or changed
        is_same = row is not None and now is not None and now.password == row.password
        return _account(now) if now and fits and is_same and now.enabled else None

    def proof_of(self, name: str) -> tuple[str, bool]:
        """What changes when somebody's password counts no more: with it ends what it had opened."""
        row = self._row(name)
        return row.password, row.enabled

    async def add(
        self, actor: Actor, name: str, role: Role, password: str, *, display: str = ""
    ) -> Account:
        """Make an account. Raises NameTaken."""
        self._check(actor, Message("adding a user"))
        hashed = await self._passwords.hashed(new_password(password, name, display))
        row = AccountRow(
            name=user_name(name),
            display=display_name(display or name),
            role=role.name.lower(),
            password=hashed,
            enabled=True,
            language="",
            since=exact(self._clock.utc()),
        )
        async with self._turn:
            if row.name in self._rows:
                raise NameTaken(Message("there is a user {name} already", name=row.name))
            return await self._keep(actor, "user.add", row, after={"role": row.role})

    def of(self, vouched: Vouched) -> Account | None:
        """The account of somebody at a provider, whatever they are called there now."""
        identity = vouched.issuer, vouched.subject
        rows = self._rows.values()
        return next((_account(row) for row in rows if (row.issuer, row.subject) == identity), None)

    async def welcome(self, vouched: Vouched, role: Role) -> Account:
        """Make an account of somebody whom a provider vouches for, or bring theirs up to date.

        The name of an account that is there already is never taken: another one gets a number.
        """
        if not self._is_known:
            raise NoPeople(UNKNOWN)
        async with self._turn:
            if known := self.of(vouched):
                return await self._follow(self._rows[known.name], vouched.display, role)
            row = AccountRow(
                name=self._free_name(vouched.name),
                display=vouched.display,
                role=role.name.lower(),
                password="",
                enabled=True,
                language="",
                since=exact(self._clock.utc()),
                issuer=vouched.issuer,
                subject=vouched.subject,
            )
            entry = EventEntry(
                action="user.add",
                target=row.name,
                after={"role": row.role, "subject": row.subject},
                reason=row.issuer,
            )
            return await self._keep_as_agent(entry, row)

    async def demote(self, account: Account, along: Along) -> None:
        """Take every right from somebody who has no role at their provider any more."""
        async with self._turn:
            row = self._row(account.name)
            await self._follow(row, row.display, Role.OBSERVER, along)

    async def _follow(
        self, row: AccountRow, display: str, role: Role, along: Along | None = None
    ) -> Account:
        """Take over what the provider says; the role of whoever is there changes at once."""
        changed = replace(row, display=display, role=role.name.lower())
        if changed == row and along is None:
            return _account(row)
        before, after = ({"role": it.role, "display": it.display} for it in (row, changed))
        entry = EventEntry(
            action="user.role", target=row.name, before=before, after=after, reason=row.issuer
        )
        return await self._keep_as_agent(entry, changed, along)

    async def _keep_as_agent(
        self, entry: EventEntry, row: AccountRow, along: Along | None = None
    ) -> Account:
        await self.ledger.record(AGENT, entry, partial(_put, row, along))
        self._rows[row.name] = row
        return _account(row)

    def _free_name(self, wish: str) -> str:
        names = chain((wish,), (f"{wish}-{n}" for n in count(2)))
        return next(name for name in names if name not in self._rows)

    async def set_role(self, actor: Actor, name: str, role: Role) -> Account:
        """Give somebody another role; it counts at once. Raises LastAdministrator."""
        self._check(actor, Message("changing the role of {name}", name=name))
        async with self._turn:
            row = self._row(name)
            check_kept_here(_account(row))
            changed = replace(row, role=role.name.lower())
            self._check_left(changed)
            before, after = {"role": row.role}, {"role": changed.role}
            return await self._keep(actor, "user.role", changed, before=before, after=after)

    async def switch(self, actor: Actor, name: str, *, on: bool, along: Along) -> Account:
        """Let somebody sign in, or no longer. Raises LastAdministrator."""
        off = Message("switching the user {name} off", name=name)
        self._check(actor, Message("switching the user {name} on", name=name) if on else off)
        action = "user.enable" if on else "user.disable"
        async with self._turn:
            changed = replace(self._row(name), enabled=on)
            self._check_left(changed)
            return await self._keep(actor, action, changed, along=along)

    async def set_password(self, actor: Actor, name: str, password: str, along: Along) -> Account:
        """Give somebody another password: an administrator anybody, everybody themselves."""
        row = self._row(name)
        if not (actor.origin == "web" and actor.name == row.name):
            self._check(actor, Message("changing the password of {name}", name=row.name))
        check_kept_here(_account(row))
        hashed = await self._passwords.hashed(new_password(password, row.name, row.display))
        async with self._turn:
            changed = replace(self._row(name), password=hashed)
            return await self._keep(actor, "user.passwd", changed, along=along)

    async def set_language(self, actor: Actor, language: str) -> Account:
        """Remember the language of whoever asks: `ko`, `en`, or empty. Raises BadName."""
        if language not in LANGUAGES:
            raise BadName(
                Message(
                    "{language} is not a language; allowed: ko, en", language=ascii(language)[:20]
                )
            )
        async with self._turn:
            row = self._row(actor.name)
            before, after = {"language": row.language}, {"language": language}
            changed = replace(row, language=language)
            return await self._keep(actor, "user.language", changed, before=before, after=after)

    def _check(self, actor: Actor, what: str) -> None:
        if why := refusal(actor, Role.ADMINISTRATOR, what):
            raise NotAllowed(why)
        if not self._is_known:
            raise NoPeople(UNKNOWN)

    def _check_left(self, changed: AccountRow) -> None:
        """Raise LastAdministrator where nobody would be left who may manage people."""
        rows = {**self._rows, changed.name: changed}.values()
        had = any(_may_manage(row) for row in self._rows.values())
        if had and not any(_may_manage(row) for row in rows):
            raise LastAdministrator(
                Message(
                    "{name} is the last administrator: give somebody else the role first",
                    name=changed.name,
                )
            )

    def _row(self, name: str) -> AccountRow:
        row = self._rows.get(folded(name))
        if row is None:
            shown = ascii(name)[:80]
            raise NoSuchThing(
                Message("no user is called {name}; `labkeeper user list`", name=shown)
            )
        return row

    async def _keep(
        self,
        actor: Actor,
        action: str,
        row: AccountRow,
        *,
        before: Mapping[str, Json] | None = None,
        after: Mapping[str, Json] | None = None,
        along: Along | None = None,
    ) -> Account:
        entry = EventEntry(action=action, target=row.name, before=before, after=after)
        await self.ledger.record(who(actor), entry, partial(_put, row, along))
        self._rows[row.name] = row
        return _account(row)


def _put(row: AccountRow, along: Along | None, connection: Connection) -> None:
    put_account(row, connection)
    if along is not None:
        along(connection)


def check_kept_here(account: Account) -> None:
    """Raise KeptElsewhere where a provider says who somebody is, and with which rights."""
    if account.provider:
        text = N_("{name} signs in at {issuer}: role and password are changed there")
        raise KeptElsewhere(Message(text, name=account.name, issuer=account.provider))


def _may_manage(row: AccountRow) -> bool:
    return row.enabled and row.role == Role.ADMINISTRATOR.name.lower()


def _account(row: AccountRow) -> Account:
    return Account(
        name=row.name,
        display=row.display,
        role=Role[row.role.upper()],
        enabled=row.enabled,
        language=row.language,
        since=row.since,
        provider=row.issuer,
    )

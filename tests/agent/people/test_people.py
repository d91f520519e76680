"""Accounts: who signs in, who manages whom, and what stays on the disk of it."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from agent.errors import NotAllowed
from agent.fleet.events import EventLog
from agent.people.people import People
from agent.people.people_errors import (
    BadName,
    LastAdministrator,
    NameTaken,
    NoPeople,
)
from agent.people.session import Rules, SignedIn
from agent.roles import Actor
from drivers import Role
from tests.agent.people_bench import (
    HERE,
    PASSWORD,
    ROOT,
    HandClock,
    clock,
    ledger_of,
    people_in,
    refused,
)

__all__ = ["clock"]  # fixtures


async def test_who_has_the_password_is_signed_in_and_on_record(
    tmp_path: Path, clock: HandClock
) -> None:
    async with people_in(tmp_path, clock, "kim") as people:
        secret, signed_in = await people.sign_in("Kim ", PASSWORD, HERE)
        found = people.sessions.find(secret)
        assert found is not None
        assert found.account.actor == Actor(name="kim", origin="web", role=Role.TECHNICIAN)
        assert found.csrf == signed_in.csrf != secret
        assert not found.locked
        assert found.is_proved
        assert ("root", "cli", "user.add", "kim") in await ledger_of(people)
        assert ("kim", "web", "sign-in", "kim") in await ledger_of(people)


async def test_neither_password_nor_secret_nor_token_is_on_the_disk(
    tmp_path: Path, clock: HandClock
) -> None:
    async with people_in(tmp_path, clock, "kim") as people:
        secret, _ = await people.sign_in("kim", PASSWORD, HERE)
        token, _ = await people.tokens.add(ROOT, "report", "read", 1)
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"$argon2id$" in held
    for kept in (PASSWORD, secret, token, token.removeprefix("lk_")):
        assert kept.encode() not in held


async def test_a_korean_name_and_password_are_the_same_however_they_are_composed(
    tmp_path: Path, clock: HandClock
) -> None:
    password = "오늘도안전한실험실입니다"
    async with people_in(tmp_path, clock) as people:
        taken_apart = unicodedata.normalize("NFD", "김하나")
        made = await people.accounts.add(ROOT, taken_apart, Role.OBSERVER, password)
        assert made.name == unicodedata.normalize("NFC", "김하나")
        for form in ("NFC", "NFD"):
            name, given = (unicodedata.normalize(form, text) for text in ("김하나", password))
            _, signed_in = await people.sign_in(name, given, HERE)
            assert signed_in.account == made


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a/b", "../x", "-x", ".x", "a\n", "a\x00", "x" * 41, "<b>", "\u202ea"]
)
async def test_a_name_that_could_be_something_else_is_refused(
    tmp_path: Path, clock: HandClock, name: str
) -> None:
    async with people_in(tmp_path, clock) as people:
        if name.strip() == "a":
            assert (await people.accounts.add(ROOT, name, Role.QA, PASSWORD)).name == "a"
            return
        with pytest.raises(BadName):
            await people.accounts.add(ROOT, name, Role.QA, PASSWORD)
        assert people.accounts.listing == ()


@pytest.mark.parametrize("password", ["", "short", "kim-the-one", "aaaaaaaaaaaaaaa", "x" * 257])
async def test_a_password_that_is_none_is_refused(
    tmp_path: Path, clock: HandClock, password: str
) -> None:
    async with people_in(tmp_path, clock) as people:
        with pytest.raises(BadName, match="a password"):
            await people.accounts.add(ROOT, "kim-the-one", Role.QA, password)


async def test_a_name_is_given_once(tmp_path: Path, clock: HandClock) -> None:
    async with people_in(tmp_path, clock, "kim") as people:
        with pytest.raises(NameTaken):
            await people.accounts.add(ROOT, "KIM", Role.QA, PASSWORD)


@pytest.mark.parametrize("role", [it for it in Role if it is not Role.ADMINISTRATOR])
async def test_only_an_administrator_manages_people(
    tmp_path: Path, clock: HandClock, role: Role
) -> None:
    actor = Actor(name="lee", origin="web", role=role)
    async with people_in(tmp_path, clock, "kim", "park") as people:
        for work in (
            lambda: people.accounts.add(actor, "new", Role.OBSERVER, PASSWORD),
            lambda: people.accounts.set_role(actor, "kim", Role.ENGINEER),
            lambda: people.switch(actor, "kim", on=False),
            lambda: people.give_password(actor, "kim", "a new password"),
            lambda: people.tokens.add(actor, "report", "read", 1),
        ):
            with pytest.raises(NotAllowed):
                await work()


async def test_the_last_administrator_stays_one(tmp_path: Path, clock: HandClock) -> None:
    async with people_in(tmp_path, clock, "kim", "park") as people:
        with pytest.raises(LastAdministrator):
            await people.accounts.set_role(ROOT, "park", Role.ENGINEER)
        with pytest.raises(LastAdministrator):
            await people.switch(ROOT, "park", on=False)
        await people.accounts.set_role(ROOT, "kim", Role.ADMINISTRATOR)
        assert not (await people.switch(ROOT, "park", on=False)).enabled


async def test_a_role_counts_at_once_and_who_is_switched_off_is_out(
    tmp_path: Path, clock: HandClock
) -> None:
    async with people_in(tmp_path, clock, "kim", "park") as people:
        secret, _ = await people.sign_in("kim", PASSWORD, HERE)
        await people.accounts.set_role(ROOT, "kim", Role.ENGINEER)
        assert _found(people, secret).account.role is Role.ENGINEER
        await people.switch(ROOT, "kim", on=False)
        assert people.sessions.find(secret) is None
        await refused(lambda: people.sign_in("kim", PASSWORD, HERE), 1)
        await people.switch(ROOT, "kim", on=True)
        assert people.sessions.find(secret) is None
        await people.sign_in("kim", PASSWORD, HERE)


async def test_where_nothing_is_recorded_nobody_signs_in(clock: HandClock) -> None:
    people = People(None, clock, EventLog(clock), Rules())
    await people.run()
    assert not people.first.is_due
    assert people.first.code() == ""
    with pytest.raises(NoPeople):
        await people.sign_in("kim", PASSWORD, HERE)
    with pytest.raises(NoPeople):
        await people.accounts.add(ROOT, "kim", Role.QA, PASSWORD)


def _found(people: People, secret: str) -> SignedIn:
    found = people.sessions.find(secret)
    assert found is not None
    return found

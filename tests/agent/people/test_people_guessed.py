"""Secrets: what a guesser meets, the first code, and the tokens of programs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.errors import NoSuchThing
from agent.people.delays import LONGEST_S, Delays
from agent.people.first_start import COUNTS_S
from agent.people.passwords import Passwords
from agent.people.people import FREE_OF_ACCOUNT, FREE_OF_ADDRESS
from agent.people.people_errors import (
    BadName,
    NameTaken,
    SignInFailed,
)
from agent.people.tokens import DAY_S
from agent.roles import Actor
from agent.store.database import NAME
from drivers import Role
from tests.agent.people_bench import (
    CHEAP,
    HERE,
    PASSWORD,
    ROOT,
    WRONG,
    HandClock,
    clock,
    ledger_of,
    people_in,
    refused,
)

__all__ = ["clock"]  # fixtures


async def test_who_guesses_waits_longer_each_time_also_for_a_name_that_nobody_has(
    tmp_path: Path, clock: HandClock
) -> None:
    async with people_in(tmp_path, clock, "kim") as people:
        for name in ("kim", "nobody"):
            await refused(
                lambda name=name: people.sign_in(name, WRONG, HERE),  # type: ignore[misc]
                FREE_OF_ACCOUNT,
            )
        await refused(lambda: people.sign_in("kim", PASSWORD, HERE), 3)  # not even looked at
        clock.wind(2.1)
        await people.sign_in("kim", PASSWORD, HERE)
        await people.sign_in("kim", PASSWORD, HERE)


async def test_who_guesses_many_names_waits_by_address_and_others_do_not(
    tmp_path: Path, clock: HandClock
) -> None:
    async with people_in(tmp_path, clock, "kim") as people:
        for number in range(FREE_OF_ADDRESS):
            await refused(
                lambda number=number: people.sign_in(f"n{number}", WRONG, "10.0.0.9"),  # type: ignore[misc]
                1,
            )
        await refused(lambda: people.sign_in("kim", PASSWORD, "10.0.0.9"), 1)
        await people.sign_in("kim", PASSWORD, HERE)


async def test_people_who_sign_in_often_are_no_guessers(tmp_path: Path, clock: HandClock) -> None:
    async with people_in(tmp_path, clock, "kim") as people:
        for _ in range(FREE_OF_ADDRESS + 2):
            await people.sign_in("kim", PASSWORD, HERE)


def test_a_wait_grows_to_five_minutes_and_is_forgotten(clock: HandClock) -> None:
    delays = Delays(clock, free=2)
    waits = []
    for _ in range(12):
        delays.attempt("kim")
        waited = 0.0
        while delays.waits("kim"):
            clock.wind(1.0)
            waited += 1.0
        waits.append(waited)
    assert waits == sorted(waits)
    assert waits[0] == 0.0
    assert LONGEST_S - 1 <= waits[-1] <= LONGEST_S
    clock.wind(1000.0)
    delays.attempt("kim")
    assert not delays.waits("kim")


async def test_a_failure_is_on_record_without_a_name_that_may_be_a_password(
    tmp_path: Path, clock: HandClock
) -> None:
    async with people_in(tmp_path, clock, "kim") as people:
        await refused(lambda: people.sign_in("kim", WRONG, HERE), 1)
        await refused(lambda: people.sign_in(PASSWORD, "", HERE), 1)
        await people.sign_in("kim", PASSWORD, HERE)  # is written after what was begun before it
        failures = [row for row in await ledger_of(people) if row[2] == "sign-in.failed"]
        assert [row[3] for row in failures] == ["kim", "nobody"]
    assert PASSWORD.encode() not in (tmp_path / NAME).read_bytes()


async def test_the_first_administrator_is_made_with_the_code_of_the_log_once(
    tmp_path: Path, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "labkeeper"):
        async with people_in(tmp_path, clock) as people:
            code = people.first.code()
            assert code in caplog.text
            await refused(lambda: people.make_first("ABCD", "park", PASSWORD, HERE), 1)
            with pytest.raises(BadName):
                await people.make_first(code, "park", "short", HERE)
            made = await people.make_first(f" {code.lower()}", "park", PASSWORD, HERE)
            assert made.role is Role.ADMINISTRATOR
            assert people.first.code() == ""
            await refused(lambda: people.make_first(code, "kim", PASSWORD, HERE), 1)
    caplog.clear()
    async with people_in(tmp_path, clock) as people:
        assert not people.first.is_due
        assert caplog.text == ""


async def test_a_code_counts_for_an_hour(tmp_path: Path, clock: HandClock) -> None:
    async with people_in(tmp_path, clock) as people:
        code = people.first.code()
        clock.wind(COUNTS_S)
        await refused(lambda: people.make_first(code, "park", PASSWORD, HERE), 1)
        assert people.first.code() not in {code, ""}
        await refused(lambda: people.make_first("", "park", PASSWORD, HERE), 1)


async def test_a_token_counts_until_its_end_and_as_far_as_its_scope(
    tmp_path: Path, clock: HandClock
) -> None:
    async with people_in(tmp_path, clock) as people:
        token, row = await people.tokens.add(ROOT, "night-report", "jobs", 2)
        bearer = people.tokens.find(token)
        assert bearer is not None
        assert bearer.actor == Actor(name="night-report", origin="api", role=Role.TECHNICIAN)
        assert bearer.may_change("/api/v1/jobs")
        assert bearer.may_change("/api/v1/jobs/j1/pause")
        assert not bearer.may_change("/api/v1/jobsx")
        assert not bearer.may_change("/api/v1/devices/psu1/settings/voltage")
        assert people.tokens.find(token[:-1]) is None
        assert people.tokens.find(token.upper()) is None
        with pytest.raises(NameTaken):
            await people.tokens.add(ROOT, "night-report", "read", 1)
    async with people_in(tmp_path, clock) as people:
        assert people.tokens.find(token) == bearer
        clock.wind(2 * DAY_S)
        assert people.tokens.find(token) is None
        assert row.owner == ""


async def test_a_token_ends_with_a_word_and_with_its_owner(
    tmp_path: Path, clock: HandClock
) -> None:
    async with people_in(tmp_path, clock, "park") as people:
        _, signed_in = await people.sign_in("park", PASSWORD, HERE)
        park = signed_in.account.actor
        one, _ = await people.tokens.add(park, "one", "engineer", 1)
        two, _ = await people.tokens.add(ROOT, "two", "engineer", 1)
        await people.accounts.add(ROOT, "han", Role.ADMINISTRATOR, PASSWORD)
        await people.accounts.set_role(ROOT, "park", Role.OBSERVER)
        bearer = people.tokens.find(one)
        assert bearer is not None
        assert bearer.actor.role is Role.OBSERVER
        await people.switch(ROOT, "park", on=False)
        assert people.tokens.find(one) is None
        await people.tokens.revoke(ROOT, "two")
        assert people.tokens.find(two) is None
        with pytest.raises(NoSuchThing):
            await people.tokens.revoke(ROOT, "three")
    async with people_in(tmp_path, clock) as people:
        assert people.tokens.find(two) is None


class Counting(Passwords):
    """Passwords that tell what was hashed and checked."""

    def __init__(self) -> None:
        super().__init__(**CHEAP)
        self.verified = 0

    def _argon2(self) -> Any:
        inner = super()._argon2()
        inner.verify = self._counted(inner.verify)  # type: ignore[method-assign]
        return inner

    def _counted(self, verify: Callable[..., bool]) -> Any:
        def counted(*given: Any) -> bool:
            self.verified += 1
            return verify(*given)

        return counted


async def test_a_name_that_nobody_has_takes_as_much_work_as_one_that_somebody_has(
    tmp_path: Path, clock: HandClock
) -> None:
    async with people_in(tmp_path, clock, "kim") as people:
        people.accounts._passwords = passwords = Counting()
        await refused(lambda: people.sign_in("kim", WRONG, HERE), 1)
        assert passwords.verified == 1
        await refused(lambda: people.sign_in("no-one", WRONG, HERE), 1)
        assert passwords.verified == 2
        await people.switch(ROOT, "kim", on=False)
        await refused(lambda: people.sign_in("kim", PASSWORD, HERE), 1)
        assert passwords.verified == 3


async def test_many_guesses_at_once_are_no_more_than_a_few(
    tmp_path: Path, clock: HandClock
) -> None:
    async with people_in(tmp_path, clock, "kim") as people:
        people.accounts._passwords = passwords = Counting()
        guesses = [people.sign_in("kim", f"{WRONG} {number}", HERE) for number in range(15)]
        ended = await asyncio.gather(*guesses, return_exceptions=True)
        assert all(isinstance(it, SignInFailed) for it in ended)
        assert passwords.verified == FREE_OF_ACCOUNT

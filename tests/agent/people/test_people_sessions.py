"""Sessions: when they lock, when they end, and what a restart and the clock do to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.people.people import People
from agent.people.session import PROVED_S, Rules, SignedIn
from agent.people.tokens import DAY_S
from tests.agent.people_bench import (
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


async def test_a_new_password_ends_the_other_sessions(tmp_path: Path, clock: HandClock) -> None:
    async with people_in(tmp_path, clock, "kim") as people:
        here, signed_in = await people.sign_in("kim", PASSWORD, HERE)
        elsewhere, _ = await people.sign_in("kim", PASSWORD, HERE)
        await refused(lambda: people.change_password(signed_in, WRONG, "a new password", HERE), 1)
        await people.change_password(signed_in, PASSWORD, "a new password", HERE)
        assert people.sessions.find(here)
        assert people.sessions.find(elsewhere) is None
        await refused(lambda: people.sign_in("kim", PASSWORD, HERE), 1)
        await people.give_password(ROOT, "kim", PASSWORD)
        assert people.sessions.find(here) is None
    async with people_in(tmp_path, clock) as people:
        assert people.sessions.find(here) is None
        await people.sign_in("kim", PASSWORD, HERE)


async def test_a_session_locks_after_a_pause_and_the_password_opens_it(
    tmp_path: Path, clock: HandClock
) -> None:
    async with people_in(tmp_path, clock, "kim", rules=Rules(lock_after=60.0)) as people:
        secret, signed_in = await people.sign_in("kim", PASSWORD, HERE)
        clock.wind(50.0)
        people.sessions.used(signed_in.session)
        clock.wind(50.0)
        assert not _found(people, secret).locked
        clock.wind(10.0)
        assert _found(people, secret).locked
        await refused(lambda: people.unlock(signed_in, WRONG, HERE), 1)
        assert _found(people, secret).locked
        await people.unlock(signed_in, PASSWORD, HERE)
        assert not _found(people, secret).locked
        assert ("kim", "web", "unlock", "kim") in await ledger_of(people)


async def test_a_password_counts_for_five_minutes_where_users_are_changed(
    tmp_path: Path, clock: HandClock
) -> None:
    async with people_in(tmp_path, clock, "kim") as people:
        secret, _ = await people.sign_in("kim", PASSWORD, HERE)
        clock.wind(PROVED_S - 1.0)
        assert _found(people, secret).is_proved
        clock.wind(1.0)
        assert not _found(people, secret).is_proved


@pytest.mark.parametrize("is_busy", [True, False])
async def test_a_session_ends_when_nobody_acts_and_at_last_in_any_case(
    tmp_path: Path, clock: HandClock, is_busy: bool
) -> None:
    rules = Rules(lock_after=900.0, idle=1000.0, longest=3000.0)
    async with people_in(tmp_path, clock, "kim", rules=rules) as people:
        secret, signed_in = await people.sign_in("kim", PASSWORD, HERE)
        lived = 0.0
        while people.sessions.find(secret):
            clock.wind(500.0)
            lived += 500.0
            if is_busy:
                people.sessions.used(signed_in.session)
        assert lived == (3000.0 if is_busy else 1000.0)


async def test_a_step_of_the_clock_neither_ends_a_session_nor_keeps_it(
    tmp_path: Path, clock: HandClock
) -> None:
    async with people_in(tmp_path, clock, "kim") as people:
        secret, _ = await people.sign_in("kim", PASSWORD, HERE)
        clock.set_ahead = 10 * DAY_S
        assert not _found(people, secret).locked
        clock.set_ahead = -10 * DAY_S
        clock.wind(Rules().longest)
        assert people.sessions.find(secret) is None


async def test_a_session_outlives_a_restart_locked_and_no_longer_than_before(
    tmp_path: Path, clock: HandClock
) -> None:
    async with people_in(tmp_path, clock, "kim") as people:
        secret, before = await people.sign_in("kim", PASSWORD, HERE)
        gone, signed_in = await people.sign_in("kim", PASSWORD, HERE)
        await people.sessions.end(signed_in)
    async with people_in(tmp_path, clock) as people:
        after = _found(people, secret)
        assert (after.account, after.csrf) == (before.account, before.csrf)
        assert after.locked
        assert people.sessions.find(gone) is None
        await people.unlock(after, PASSWORD, HERE)
        assert not _found(people, secret).locked
    clock.wind(Rules().longest)
    async with people_in(tmp_path, clock) as people:
        assert people.sessions.find(secret) is None


async def test_a_clock_that_was_set_back_gives_a_session_no_longer_life(
    tmp_path: Path, clock: HandClock
) -> None:
    async with people_in(tmp_path, clock, "kim") as people:
        secret, _ = await people.sign_in("kim", PASSWORD, HERE)
    clock.set_ahead = -100 * DAY_S
    async with people_in(tmp_path, clock) as people:
        assert _found(people, secret).locked
        clock.wind(Rules().longest)
        assert people.sessions.find(secret) is None


def _found(people: People, secret: str) -> SignedIn:
    found = people.sessions.find(secret)
    assert found is not None
    return found

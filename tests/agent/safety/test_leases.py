"""A device that a person reserves: others are refused and jobs wait, until its time is over."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.clock import SystemClock
from agent.fleet.samples import Cause, Status
from agent.jobs.states import JobState
from agent.safety.lease_forms import UNKNOWN
from agent.safety.leases import Leases
from agent.store.database import NAME
from agent.store.ledger import Ledger
from agent.store.store_errors import DiskFull
from tests.agent.jobs_bench import KIM, LEE, VISITOR, JobsBench, toys
from tests.agent.restart_bench import life

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

HOUR = 3600.0


class TwoClocks(SystemClock):
    """Wall time and monotonic time, each as a test sets it."""

    def __init__(self) -> None:
        self.wall, self.mono = 1_790_000_000.0, 100.0

    def utc(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.mono

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))


def leases_of(bench: JobsBench) -> Leases:
    found = bench.station.station.leases
    assert found is not None
    return found


async def test_others_are_refused_in_words_and_the_owner_is_not(tmp_path: Path) -> None:
    async with life(tmp_path) as bench:
        gate = bench.station.station.gate
        done = await leases_of(bench).reserve(KIM, "psu1", HOUR, "changing the leads")
        assert done.status is Status.DONE
        refused = await gate.set(LEE, "psu1", "voltage", 5)
        assert refused.cause is Cause.RESERVED
        assert "psu1 is reserved by kim (cli) until " in refused.message
        assert "changing the leads" in refused.message
        assert (await gate.set(KIM, "psu1", "voltage", 5)).status is Status.DONE
        assert (await gate.stop(VISITOR, "psu1")).status is Status.DONE
        again = await leases_of(bench).reserve(LEE, "psu1", HOUR, "mine")
        assert again.cause is Cause.RESERVED


async def test_a_job_waits_for_a_reserved_device_says_whose_it_is_and_begins_when_it_is_free(
    tmp_path: Path,
) -> None:
    async with life(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}")
        await leases_of(bench).reserve(KIM, "psu1", HOUR, "changing the leads")
        job = await bench.start(KIM)
        assert job.state is JobState.QUEUED
        assert "psu1 is reserved by kim" in job.why
        assert (await leases_of(bench).unreserve(KIM, "psu1")).status is Status.DONE
        assert (await bench.over(job)).state is JobState.DONE


async def test_a_lease_ends_by_the_monotonic_clock_and_the_queue_goes_on(tmp_path: Path) -> None:
    clock = TwoClocks()
    async with life(tmp_path, clock=clock) as bench:
        bench.write("- set: {supply.voltage: 1}")
        await leases_of(bench).reserve(KIM, "psu1", HOUR, "changing the leads")
        job = await bench.start()
        clock.wall += 2 * HOUR  # somebody has set the station's clock
        await asyncio.sleep(0.05)
        assert job.state is JobState.QUEUED
        clock.mono += HOUR
        await bench.until(lambda: job.state is not JobState.QUEUED)
        assert not leases_of(bench).held


async def test_a_device_of_a_running_job_can_not_be_reserved(tmp_path: Path) -> None:
    async with life(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}\n- wait: 5")
        job = await bench.start()
        refused = await leases_of(bench).reserve(LEE, "psu1", HOUR, "mine", takeover=True)
        assert refused.cause is Cause.RESERVED
        assert f"reserved by the job {job.id}" in refused.message


async def test_an_engineer_takes_a_device_over_and_that_is_on_record(tmp_path: Path) -> None:
    async with life(tmp_path) as bench:
        leases = leases_of(bench)
        await leases.reserve(LEE, "psu1", HOUR, "first")
        refused = await leases.reserve(KIM, "psu1", HOUR, "second", takeover=True)
        assert refused.cause is Cause.NOT_ALLOWED
        assert "needs the role engineer" in refused.message
        assert (await leases.unreserve(KIM, "psu1")).cause is Cause.RESERVED
        await leases.unreserve(LEE, "psu1")
        await leases.reserve(KIM, "psu1", HOUR, "kim's")
        await leases.reserve(LEE, "psu1", HOUR, "urgent", takeover=True)
        assert "lee (cli) took psu1 over from kim" in await bench.station.until_event(
            "device.taken_over"
        )
        assert leases.held["psu1"].by == "lee"
    query = (
        "SELECT action, actor, before ->> 'by', after ->> 'by' FROM entries WHERE kind = 'event'"
    )
    with closing(sqlite3.connect(tmp_path / NAME)) as connection:
        found = connection.execute(query).fetchall()
    assert ("reserve", "lee", "kim", "lee") in found
    assert ("unreserve", "lee", "lee", None) in found


async def test_what_is_left_of_a_lease_is_known_to_the_next_agent(tmp_path: Path) -> None:
    clock = TwoClocks()
    async with life(tmp_path, clock=clock, cut_off=True) as bench:
        await leases_of(bench).reserve(KIM, "psu1", HOUR, "changing the leads")
        await leases_of(bench).reserve(KIM, "psu2", 60, "a moment")
    clock.wall += 600
    clock.mono = 5.0  # the machine was started anew
    async with life(tmp_path, clock=clock) as bench:
        assert list(leases_of(bench).held) == ["psu1"]
        clock.mono += HOUR - 601
        assert list(leases_of(bench).held) == ["psu1"]
        clock.mono += 2
        assert not leases_of(bench).held


async def test_what_the_disk_does_not_take_is_not_reserved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with life(tmp_path) as bench:

        async def full(*_: object) -> None:
            raise DiskFull("not recorded: the disk is full")

        with monkeypatch.context() as patched:
            patched.setattr(Ledger, "record", full)
            failed = await leases_of(bench).reserve(KIM, "psu1", HOUR, "x")
        assert failed.cause is Cause.NOT_RECORDED
        assert not leases_of(bench).held


@pytest.mark.parametrize("seconds", [0, 0.5, 24 * HOUR + 1, float("nan")])
async def test_a_time_that_is_none_is_refused(tmp_path: Path, seconds: float) -> None:
    async with life(tmp_path) as bench:
        refused = await leases_of(bench).reserve(KIM, "psu1", seconds, "x")
        assert refused.cause is Cause.BAD_VALUE
        unknown = await leases_of(bench).reserve(KIM, "psu9", HOUR, "x")
        assert unknown.cause is Cause.NO_SUCH
        visitor = await leases_of(bench).reserve(VISITOR, "psu1", HOUR, "x")
        assert visitor.cause is Cause.NOT_ALLOWED


async def test_nothing_is_reserved_or_given_back_before_the_disk_has_told_of_what_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with life(tmp_path) as bench:
        await leases_of(bench).reserve(KIM, "psu1", HOUR, "changing the leads")
    async with life(tmp_path) as bench:
        leases, answers, usual = leases_of(bench), asyncio.Event(), Ledger.read

        async def read(ledger: Ledger, *asked: Any) -> Any:
            await answers.wait()
            return await usual(ledger, *asked)

        monkeypatch.setattr(Ledger, "read", read)
        recalling = asyncio.get_running_loop().create_task(leases.recall())
        await asyncio.sleep(0)
        for asked in (leases.reserve(LEE, "psu2", HOUR, "mine"), leases.unreserve(KIM, "psu1")):
            outcome = await asked
            assert (outcome.status, outcome.cause) == (Status.FAILED, Cause.NOT_RECORDED)
            assert "the disk has not told of the reservations of before yet" in outcome.message
        answers.set()
        await recalling
        assert (await leases.reserve(LEE, "psu2", HOUR, "mine")).status is Status.DONE
    async with life(tmp_path) as bench:
        assert set(leases_of(bench).held) == {"psu1", "psu2"}


def mangled(folder: Path, change: str) -> None:
    """Change what the disk has of the reservations, as another version of the agent might."""
    with closing(sqlite3.connect(folder / NAME)) as connection, connection:
        connection.execute(f"UPDATE marks SET value = {change} WHERE name = 'leases'")


def set_aside(bench: JobsBench) -> list[Any]:
    """What the ledger has of reservations that can't be read."""
    query = "SELECT before FROM entries WHERE action = 'lease.set_aside'"
    folder = bench.recipes.parent
    with closing(sqlite3.connect(folder / NAME)) as connection:
        return [json.loads(before) for (before,) in connection.execute(query)]


async def test_what_a_later_agent_has_added_to_a_reservation_is_passed_over(tmp_path: Path) -> None:
    async with life(tmp_path) as bench:
        await leases_of(bench).reserve(KIM, "psu1", HOUR, "changing the leads")
    mangled(tmp_path, "json_set(value, '$[0].colour', 'red')")
    async with life(tmp_path) as bench:
        assert leases_of(bench).held["psu1"].by == "kim"
        assert set_aside(bench) == []


@pytest.mark.parametrize(
    ("change", "devices"),
    [
        ("json_remove(value, '$[0].by')", {"psu1"}),
        ("json_set(value, '$[0].until', 'noon')", {"psu1"}),
        ("json_remove(value, '$[0].device')", {"psu1", "psu2"}),
        ("json_set(value, '$[0]', 7)", {"psu1", "psu2"}),
        ("json('7')", {"psu1", "psu2"}),
    ],
)
async def test_a_device_whose_reservation_can_not_be_read_is_not_free_and_that_is_said(
    tmp_path: Path, change: str, devices: set[str]
) -> None:
    async with life(tmp_path) as bench:
        await leases_of(bench).reserve(KIM, "psu1", HOUR, "changing the leads")
    mangled(tmp_path, change)
    async with life(tmp_path) as bench:
        leases = leases_of(bench)
        assert {name for name, it in leases.held.items() if it.by == UNKNOWN} == devices
        text = await bench.station.until_event("leases.unread")
        assert f"reserved by somebody unknown: {', '.join(sorted(devices))}, until" in text
        refused = await bench.station.station.gate.set(KIM, "psu1", "voltage", 5)
        assert refused.cause is Cause.RESERVED
        assert len(set_aside(bench)) == 1
    async with life(tmp_path) as bench:  # it is known to the next agent, and said no more
        leases = leases_of(bench)
        assert set(leases.held) == devices
        assert len(set_aside(bench)) == 1
        assert (await leases.unreserve(KIM, "psu1")).cause is Cause.RESERVED
        assert (await leases.unreserve(LEE, "psu1")).status is Status.DONE
        assert (
            await bench.station.station.gate.set(KIM, "psu1", "voltage", 5)
        ).status is Status.DONE


async def test_what_can_not_be_read_is_overwritten_by_nothing_before_the_ledger_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with life(tmp_path) as bench:
        await leases_of(bench).reserve(KIM, "psu1", HOUR, "changing the leads")
    mangled(tmp_path, "json_remove(value, '$[0].by')")

    async def full(*_: object) -> None:
        raise DiskFull("not recorded: the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "record", full)
        async with life(tmp_path) as bench:
            await bench.station.until_event("leases.unread")
            failed = await leases_of(bench).reserve(KIM, "psu2", HOUR, "x")
            assert failed.cause is Cause.NOT_RECORDED
            patched.undo()
            await leases_of(bench).reserve(KIM, "psu2", HOUR, "x")
            [[form]] = set_aside(bench)
            assert (form["device"], form["reason"]) == ("psu1", "changing the leads")

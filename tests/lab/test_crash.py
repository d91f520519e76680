"""The crash lab in small: real agents are killed while they run jobs, and nothing is lost or sent twice."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from benchmarks.crash import Lane, endure
from benchmarks.crash_books import not_held
from benchmarks.crash_station import station

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

KILLS = 3


async def test_after_each_kill_the_record_agrees_with_what_the_devices_were_told() -> None:
    lane = Lane("test")
    await endure(lane, KILLS)
    assert lane.findings == []
    assert lane.kills == KILLS
    assert lane.jobs > 0
    assert lane.commands > lane.jobs


async def test_the_lab_finds_a_command_that_was_sent_twice_and_one_that_was_lost() -> None:
    async with station("found") as it:
        assert await it.end() == []
        books = it.books
        it.supplies[0].told["psu1.voltage", 3.0] += 1
        books.confirmed["psu2.voltage", 4.0] += 1
        books.acknowledged.settings["psu3.voltage", 5.0] += 1
        books.acknowledged.jobs.add("20260102-030405-1")
        books.acknowledged.keys.add("key-1")
        books.stages["c1"] = ["intent", "confirmed", "unknown"]
        books.states["20260102-030405-2"] = ["submit", "running", "done", "running"]
        books.states["20260102-030405-3"] = ["submit", "running", "done", "interrupted"]
        found = "\n".join(await asyncio.to_thread(books.findings))
    for words in (
        "psu1.voltage = 3.0: was sent once more than it was intended (1)",
        "psu2.voltage = 4.0: is confirmed, and the device was not told (1)",
        "psu3.voltage = 5.0: was acknowledged, and its confirmation is missing (1)",
        "job 20260102-030405-1 was acknowledged, and is not on record",
        "command c1 has the stages intent, confirmed, unknown",
        "job 20260102-030405-2 has the states submit, running, done, running",
        "job 20260102-030405-3 has the states submit, running, done, interrupted",
        "1 jobs more than keys",
    ):
        assert words in found
    assert books.told() == Counter({("psu1.voltage", 3.0): 1})


def test_what_begins_by_itself_after_a_kill_is_found() -> None:
    jobs = [{"job": str(n), "state": it} for n, it in enumerate(("held", "done", "running"))]
    assert not_held(jobs) == ["job 2 is running"]

"""The disk hangs while a real agent starts: it watches and stops, says what hangs, and goes on later."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from agent.store.disk_threads import MOST_THREADS, MOST_WAITING
from tests.lab.processes import Agent, Room, agent
from tests.lab.safe_bench import asked, output
from tests.lab.test_bad_disks import until_event, verified
from tests.lab.test_disk_turns_read_only import station_with_jobs
from tests.lab.test_jobs import job, until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

BEYOND = 20
"""Requests more than may wait for the disk."""


async def left_by_a_killed_agent(folder: Path, config: str) -> str:
    """A job that was running, and a reservation."""
    async with agent(folder, config) as it:
        it.socket = folder / "a.sock"
        await it.until_ready("psu1", "oven1", seconds=60)
        reserved = await asked(it, "reserve", "oven1", "--for", "2h", "--reason", "mine")
        assert reserved.code == 0, reserved.text
        _, begun = await job(it, "start", "switching")
        await until(it, begun["job"], lambda found: found["state"] == "running")
        it.process.kill()
        await it.ended()
    return str(begun["job"])


async def watches_and_stops(it: Agent, lab: Room) -> None:
    await it.until_said("agent.started", 90)
    hanging = [event["text"].split(":")[0] for event in it.events("start.disk_hangs")]
    assert hanging == [
        "the start goes on without the jobs of before",
        "the start goes on without the reservations of people",
        "the start goes on without the safe-state file",
    ]
    await it.until_ready("psu1", "oven1", seconds=60)
    assert (await asked(it, "read", "psu1.voltage", "--fresh")).code == 0
    stopped = await asked(it, "stop", "psu1")
    assert (stopped.code, "psu1: stopped and safe" in stopped.text) == (0, True), stopped.text
    assert not await output(lab)
    refused = await asked(it, "job", "start", "switching")
    assert refused.code != 0
    assert "the disk has not told of the jobs of before yet" in refused.text


@asynccontextmanager
async def every_place_taken(it: Agent) -> AsyncIterator[None]:
    """More ask for the recipes than may wait for the disk; the rest hears at once that it does not answer."""
    over = httpx.AsyncHTTPTransport(uds=str(it.socket))
    async with httpx.AsyncClient(
        transport=over, base_url="http://labkeeper", timeout=120
    ) as client:
        many = MOST_THREADS + MOST_WAITING + BEYOND
        async with asyncio.TaskGroup() as tasks:
            asking = [tasks.create_task(client.get("/api/v1/recipes")) for _ in range(many)]
            async with asyncio.timeout(60):
                while len(answered := [it.result() for it in asking if it.done()]) < BEYOND:
                    await asyncio.sleep(0.02)
            for answer in answered:
                assert "the disk does not answer, and 48 requests wait" in answer.json()["detail"]
            yield
        assert {it.result().status_code for it in asking} == {200, 500}


async def still_watches_and_stops(it: Agent, lab: Room) -> None:
    await it.until_ready("psu1", "oven1")
    assert not await output(lab)  # that takes its connection away: it is found on the network anew
    async with asyncio.timeout(60):
        while (await asked(it, "read", "psu1.voltage", "--fresh")).code != 0:
            await it.until_ready("psu1", "oven1", seconds=60)
    stopped = await asked(it, "stop")
    assert (stopped.code, "psu1: stopped and safe" in stopped.text) == (0, True), stopped.text


async def test_a_start_on_a_disk_that_hangs_watches_and_stops_and_goes_on_when_it_answers(
    lab: Room, folder: Path
) -> None:
    config, hangs = station_with_jobs(lab, folder), folder / "hangs"
    cut_off = await left_by_a_killed_agent(folder, config)
    async with agent(folder, config, program="tests.lab.hung_agent", HANGS=str(hangs)) as it:
        it.socket = folder / "a.sock"
        await watches_and_stops(it, lab)
        reads = hangs.with_suffix(".reads")
        reads.touch()
        async with every_place_taken(it):
            await still_watches_and_stops(it, lab)
            reads.unlink()
        hangs.unlink()
        await until_event(it, "jobs.taken_over")
        assert (await it.get(f"/jobs/{cut_off}"))["state"] == "interrupted"
        assert "mine" in (await asked(it, "reserve")).text
        assert (await asked(it, "settle", "--all", "--reason", "off")).code == 0
        async with asyncio.timeout(20):  # who looked at its output has taken its connection away
            while (await asked(it, "set", "psu1.voltage", "5")).code != 0:
                await it.until_ready("psu1")
    await verified(folder / "state")


async def test_a_start_on_a_disk_that_hangs_ends_when_it_is_told_to(
    lab: Room, folder: Path
) -> None:
    config, hangs = station_with_jobs(lab, folder), folder / "hangs"
    async with agent(folder, config, program="tests.lab.hung_agent", HANGS=str(hangs)) as it:
        await it.until_said("the start goes on without the jobs of before", 60)
        it.signal(signal.SIGTERM)
        await it.ended(15)

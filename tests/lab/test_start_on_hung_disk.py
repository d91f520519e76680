"""The disk hangs while a real agent starts: it watches and stops, says what hangs, and goes on later."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.lab.processes import Agent, Room, agent
from tests.lab.safe_bench import asked, output
from tests.lab.test_bad_disks import until_event, verified
from tests.lab.test_disk_turns_read_only import station_with_jobs
from tests.lab.test_jobs import job, until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]


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


async def test_a_start_on_a_disk_that_hangs_watches_and_stops_and_goes_on_when_it_answers(
    lab: Room, folder: Path
) -> None:
    config, hangs = station_with_jobs(lab, folder), folder / "hangs"
    cut_off = await left_by_a_killed_agent(folder, config)
    async with agent(folder, config, program="tests.lab.hung_agent", HANGS=str(hangs)) as it:
        it.socket = folder / "a.sock"
        await watches_and_stops(it, lab)
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

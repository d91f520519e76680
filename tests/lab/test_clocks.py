"""The real agent under a clock that is set by an hour, and after it was stopped for a while."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from agent.clock import SystemClock
from agent.store import database as store
from agent.store.database import reading
from agent.store.rows import Wanted, rows
from tests.lab.faked_time import FakedTime
from tests.lab.processes import Agent, Room, agent, station
from tests.lab.safe_bench import asked

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

FIVE: Final = ("psu1", "dmm1", "oven1", "printer1", "stage1")
HOUR: Final = 3600.0
STOPPED_S: Final = float(os.environ.get("LABKEEPER_STOPPED_S", "4"))
"""How long the agent is stopped; 30 in the long form: LABKEEPER_STOPPED_S=30."""
RECIPE: Final = """\
name: watch
version: "1"
devices:
  supply: {driver: siglent.spd1000x, device: psu1}
steps:
  - measure: {before: {value: supply.voltage, low: 0, high: 6}}
  - wait: 4
  - measure: {after: {value: supply.voltage, low: 0, high: 6}}
"""
INTERLOCK: Final = """\
interlocks:
  oven:
    requires: {oven1.temperature: {below: 500}}
    guards: [psu1.output]
    trip: [stage1]
    max_age: 8
"""
"""Its reading is polled every 3 s, so that it is never too old while the oven answers, on a slow
machine neither, and is so before it is called stale."""
PATIENT: Final = "poll: {temperature: 3}, timeouts: {first_byte: 60, whole: 60}"
SCHEDULE: Final = "schedules:\n  hourly: {recipe: watch, cron: 0 * * * *, zone: UTC}\n"


@asynccontextmanager
async def running(lab: Room, folder: Path, time: FakedTime) -> AsyncIterator[Agent]:
    """An agent with five devices and a schedule that is followed, half an hour before its time."""
    to_before_the_hour(time, HOUR / 2)
    (folder / "recipes").mkdir(parents=True)
    (folder / "recipes" / "watch.yaml").write_text(RECIPE, "utf-8")
    # Nobody stands beside what a schedule starts: something has to cover the output.
    covered = lab.five().replace("spd1000x,", "spd1000x, safe_by: {output: {by: hardware}},")
    config = station(folder, covered, more=SCHEDULE)
    async with agent(folder, config, **time.environment) as made:
        await made.until_ready(*FIVE, seconds=40)
        await until_event(made, "agent.started")
        yield made


def to_before_the_hour(time: FakedTime, seconds: float) -> None:
    """Set the clock forward to so many seconds before the next full hour, or after it."""
    now = SystemClock.utc() + time.offset
    time.jump((-seconds - now) % HOUR)


async def now_of(made: Agent) -> float:
    """The agent's wall clock."""
    return seconds((await made.get("/station"))["time"])


def seconds(moment: str) -> float:
    """Seconds UTC of a moment in RFC 3339."""
    return datetime.fromisoformat(moment).timestamp()


async def until_fresh(made: Agent, within: float = 15.0) -> None:
    """Wait until all that is polled has a value of right now by the agent's own clock, and is live."""
    async with asyncio.timeout(within):
        while not await is_fresh(made):
            await asyncio.sleep(0.1)


async def is_fresh(made: Agent) -> bool:
    devices, now = await made.devices(), await now_of(made)
    return all(
        device["state"] == "ready"
        and any(-0.5 < now - seconds(it["time"]) < 3 for it in device["values"].values())
        and {it["quality"] for it in device["values"].values()} == {"simulated"}
        for device in devices.values()
    )


async def ends_of_jobs(made: Agent) -> list[tuple[str, str, str]]:
    """State and verdict of every job, and who started it."""
    jobs = (await made.get("/jobs"))["jobs"]
    return [(it["state"], it["verdict"], it["by"]) for it in jobs]


async def steps_of_clock(folder: Path) -> list[int]:
    """By how much the clock was set each time, in seconds, as the ledger has it."""
    return [
        round(seconds(it["after"]) - seconds(it["before"]))
        for it in await recorded(folder, "clock.stepped")
    ]


async def until_event(made: Agent, kind: str, number: int = 1) -> list[dict[str, Any]]:
    """Wait until so many events of a kind are in the log, and return all of them."""
    async with asyncio.timeout(30):
        while len(found := made.events(kind)) < number:
            await asyncio.sleep(0.1)
        return found


async def recorded(folder: Path, action: str) -> list[dict[str, Any]]:
    """The rows of the ledger with this action."""
    return await asyncio.to_thread(_recorded, folder, action)


def _recorded(folder: Path, action: str) -> list[dict[str, Any]]:
    with reading(folder / "state" / store.NAME) as connection:
        found = [dict(row.entry) for row in rows(connection, Wanted(kind="event"))]
    return [entry for entry in found if entry["action"] == action]


async def test_an_hour_forth_and_back_disturbs_no_poll_no_job_and_no_schedule(
    lab: Room, folder: Path
) -> None:
    time = FakedTime(folder / "time")
    async with running(lab, folder, time) as made:
        to_before_the_hour(time, 3)
        await until_event(made, "clock.stepped")
        [fired] = await until_event(made, "schedule.fired")
        begun = SystemClock.monotonic()
        time.jump(-HOUR)  # the job waits for 4 s
        _, back = await until_event(made, "clock.stepped", 2)
        assert back["seconds"] == pytest.approx(-HOUR, abs=1)
        await until_event(made, "job.done")
        assert SystemClock.monotonic() - begun < 10
        await until_fresh(made)
        time.jump(HOUR - 30)  # just before the hour that was fired already
        await until_event(made, "clock.stepped", 3)
        time.jump(40)
        await until_event(made, "clock.stepped", 4)
        await until_fresh(made)
        assert len(made.events("schedule.fired")) == 1
        time.jump(HOUR)
        await until_event(made, "clock.stepped", 5)
        second = (await until_event(made, "schedule.fired", 2))[-1]
        await until_event(made, "job.done", 2)
        await until_fresh(made)
        assert len({fired["due"], second["due"]}) == 2
        assert seconds(second["due"]) - seconds(fired["due"]) == HOUR
        assert await ends_of_jobs(made) == [("done", "pass", "hourly")] * 2
    assert len(await recorded(folder, "schedule.fired")) == 2
    assert (await steps_of_clock(folder))[1:] == [-3600, 3570, 40, 3600]


async def test_what_was_missed_by_a_jump_is_skipped_and_said(lab: Room, folder: Path) -> None:
    time = FakedTime(folder / "time")
    async with running(lab, folder, time) as made:
        to_before_the_hour(time, -600)
        [missed] = await until_event(made, "schedule.missed")
        assert "1 firing was missed" in missed["text"]
        await until_fresh(made)
        assert (await made.get("/jobs"))["jobs"] == []


async def test_an_agent_that_was_stopped_goes_on_and_takes_no_late_reply_for_another(
    lab: Room, folder: Path
) -> None:
    time = FakedTime(folder / "time")
    async with running(lab, folder, time) as made:
        await until_fresh(made)
        before = await settings_of(made)
        to_before_the_hour(time, STOPPED_S / 2)
        await until_event(made, "clock.stepped")
        made.signal(signal.SIGSTOP)
        await asyncio.sleep(STOPPED_S)
        made.signal(signal.SIGCONT)
        [stalled] = await until_event(made, "agent.stalled")
        assert stalled["seconds"] == pytest.approx(STOPPED_S, abs=1.5)
        await until_fresh(made, within=25)
        for _ in range(4):  # shorter and longer than a device's reply may take, at any moment
            made.signal(signal.SIGSTOP)
            await asyncio.sleep(1.3)
            made.signal(signal.SIGCONT)
            assert await settings_of(made) == before
            await asyncio.sleep(0.37)
            assert await settings_of(made) == before
        await until_fresh(made, within=25)
        await until_event(made, "job.done")
        assert len(made.events("schedule.fired")) == 1
    assert await recorded(folder, "agent.stalled")
    assert len(await recorded(folder, "clock.stepped")) == 1


async def test_an_interlock_takes_no_reading_for_old_or_fresh_because_the_clock_was_set(
    lab: Room, folder: Path
) -> None:
    time, devices = FakedTime(folder / "time"), lab.five()
    devices = devices.replace("autonics.tk4,", f"autonics.tk4, {PATIENT},")
    config = station(folder, devices, more=INTERLOCK)
    async with agent(folder, config, **time.environment) as made:
        await made.until_ready(*FIVE, seconds=40)
        await until_event(made, "agent.started")
        for number, jump in enumerate((HOUR, -HOUR, -HOUR, HOUR), 1):
            time.jump(jump)
            await until_event(made, "clock.stepped", number)
            assert await held(made) == ""
            assert (await asked(made, "set", "psu1.output", "on")).code == 0
        assert not made.events("interlock.tripped")
        await lab.control.ask("oven1", do="hang")
        time.jump(-HOUR)  # by the wall clock what was read last is from the future from now on
        await until_event(made, "clock.stepped", 5)
        [tripped] = await until_event(made, "interlock.tripped")
        assert re.search(r"oven1.temperature is (8|9)\S* s old, and", tripped["text"]), tripped
        time.jump(HOUR)
        refused = await asked(made, "set", "psu1.output", "on")
        assert (refused.code, "the interlock oven" in refused.text) == (2, True), refused.text


async def held(made: Agent) -> str:
    """Why the interlock does not hold; "" when it does."""
    [found] = await made.get("/interlocks")
    return str(found["reason"])


async def settings_of(made: Agent) -> dict[str, Any]:
    """What nobody has changed and is therefore the same in every answer, as far as it is believed."""
    devices = await made.devices()
    return {
        f"{name}.{key}": devices[name]["values"][key]["value"]
        for name, keys in SETTINGS.items()
        for key in keys
        if devices[name]["values"][key]["value"] is not None
    }


SETTINGS: Final = {
    "psu1": ("voltage", "current_limit", "output"),
    "oven1": ("setpoint",),
}

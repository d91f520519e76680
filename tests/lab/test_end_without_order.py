"""The end of an agent in which something fails, hangs or hurries: devices are made safe all the same."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.lab.processes import Agent, Room, agent, child, station
from tests.lab.safe_bench import asked, energised, kept, made_safe, output, typed

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]
IN_TIME_S = 5.5

HANGING = """\
import asyncio, sys
from pathlib import Path
from agent import app

class Flight(app.Parts):
    def __init__(self, *given):
        super().__init__(*given)
        self.flight.run = self.hang

    async def hang(self):
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                pass

app.Parts = Flight
from agent.running import run
run(Path(sys.argv[1]))
"""
"""An agent with a part that does not heed its end."""

FAILING_DISK = """\
import asyncio, sys
from pathlib import Path
from agent.store.database import Database

async def failed(self):
    while not Path(sys.argv[2]).exists():
        await asyncio.sleep(0.05)
    return "disk I/O error"

Database.failed = failed
from agent.running import run
run(Path(sys.argv[1]))
"""
"""An agent whose disk fails as soon as a file is there."""


FAILING_JOBS = """\
import sys
from pathlib import Path
from agent.jobs.jobs import Jobs

async def end(self):
    raise RuntimeError("a defect of ours")

Jobs.end = end
from agent.running import run
run(Path(sys.argv[1]))
"""
"""An agent with a defect in the end of its jobs."""


HANGING_DISK = """\
import sys, time
from pathlib import Path
from agent import begin_record
from agent.store.database import Database

def hang(self):
    Path(sys.argv[2]).touch()
    time.sleep(600)

Database._open = hang
begin_record.OPEN_WITHIN_S = float(sys.argv[3])
from agent.running import run
run(Path(sys.argv[1]))
"""
"""An agent whose disk never opens the database; a file says that it tries to."""


@asynccontextmanager
async def agent_of(program: str, folder: Path, config: str, *more: str) -> AsyncIterator[Agent]:
    """An agent with something wrong in it."""
    path = folder / "station.yaml"
    path.write_text(config, encoding="utf-8")
    with (folder / "agent.log").open("wb") as log:
        words = (sys.executable, "-c", program, str(path), *more)
        async with child(*words, stderr=log.fileno()) as process:
            yield Agent(folder, process)


async def test_a_part_that_does_not_end_keeps_no_device_from_being_made_safe(
    lab: Room, folder: Path
) -> None:
    devices = lab.five().replace("spd1000x,", "spd1000x, on_shutdown: make_safe,")
    async with agent_of(HANGING, folder, station(folder, devices)) as running:
        await energised(running)
        running.signal(signal.SIGTERM)
        assert await running.ended(IN_TIME_S) == 0
        assert not await output(lab)
        assert "ended without waiting any longer for" in running.log
        assert (await made_safe(folder)).text.startswith("nothing to do: the agent ended in order")


async def test_a_defect_in_the_end_of_jobs_keeps_no_device_from_being_made_safe(
    lab: Room, folder: Path
) -> None:
    async with agent_of(FAILING_JOBS, folder, station(folder, lab.five())) as running:
        await energised(running)
        running.signal(signal.SIGTERM)
        assert await running.ended(IN_TIME_S) != 0
        assert not await output(lab)
        assert "a defect of ours" in running.log
    assert (await made_safe(folder)).text.startswith("nothing to do: the agent ended in disorder")


async def test_a_disk_that_fails_ends_the_agent_and_makes_safe_what_config_would_leave(
    lab: Room, folder: Path
) -> None:
    config, sign = station(folder, lab.five()), folder / "fail"
    async with agent_of(FAILING_DISK, folder, config, str(sign)) as running:
        await energised(running)
        sign.touch()
        assert await running.ended(IN_TIME_S) != 0
        assert not await output(lab)
        assert "disk I/O error" in running.log
    said = await made_safe(folder)
    assert (said.code, said.text.startswith("nothing to do: the agent ended in disorder")) == (
        0,
        True,
    )


async def test_what_a_failing_agent_could_not_make_safe_is_left_to_make_safe(
    lab: Room, folder: Path
) -> None:
    config, sign = station(folder, lab.five()), folder / "fail"
    async with agent_of(FAILING_DISK, folder, config, str(sign)) as running:
        await energised(running)
        await lab.control.ask("psu1", do="hang")
        sign.touch()
        assert await running.ended(IN_TIME_S) != 0
        assert "psu1 was left as it is, not confirmed safe" in running.log
    await lab.control.ask("psu1", do="clear")
    assert await output(lab)
    said = await made_safe(folder)
    assert (said.code, said.text) == (0, "psu1: made safe: output off\n")
    assert not await output(lab)


async def test_with_a_database_that_cannot_be_opened_devices_are_watched_and_stopped(
    lab: Room, folder: Path
) -> None:
    (folder / "state" / "station.db").mkdir(parents=True)
    async with agent(folder, station(folder, lab.five())) as running:
        await running.until_ready("psu1", "oven1")
        assert "nothing else is sent" in running.events("record.failed")[0]["text"]
        refused = await asked(running, "set", "psu1.output", "on")
        assert refused.code == 3
        assert "what is not on record is not done" in refused.text
        stopped = await asked(running, "stop", "oven1")
        assert (stopped.code, stopped.text) == (0, "oven1: stopped and safe\n")
        running.signal(signal.SIGTERM)
        assert await running.ended(IN_TIME_S) == 0


async def test_with_a_disk_that_hangs_at_the_start_devices_are_watched_and_stopped(
    lab: Room, folder: Path
) -> None:
    config, sign = station(folder, lab.five()), folder / "opening"
    async with agent_of(HANGING_DISK, folder, config, str(sign), "0.5") as running:
        await running.until_ready("psu1", "oven1")
        assert "within 0.5 s" in running.events("record.failed")[0]["text"]
        stopped = await asked(running, "stop", "oven1")
        assert (stopped.code, stopped.text) == (0, "oven1: stopped and safe\n")
        running.signal(signal.SIGTERM)
        assert await running.ended(IN_TIME_S) == 0


async def test_told_to_end_while_its_start_waits_for_a_disk_that_hangs_it_ends_in_time(
    lab: Room, folder: Path
) -> None:
    config, sign = station(folder, lab.five()), folder / "opening"
    async with agent_of(HANGING_DISK, folder, config, str(sign), "60") as running:
        async with asyncio.timeout(10):
            while not sign.exists():
                await asyncio.sleep(0.02)
        running.signal(signal.SIGTERM)
        assert await running.ended(IN_TIME_S) == 1
        assert "ended without waiting any longer for" in running.log


async def test_a_stop_that_is_under_way_at_the_end_is_on_record(lab: Room, folder: Path) -> None:
    async with agent(folder, station(folder, lab.five())) as running:
        await energised(running)
        await lab.control.ask("psu1", fault="delay", seconds=0.2, probability=1)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asked(running, "stop", "psu1"))
            async with asyncio.timeout(10):
                while (await lab.control.ask("psu1", do="counts"))["counts"].get("delay", 0) < 4:
                    await asyncio.sleep(0.01)
            running.signal(signal.SIGTERM)
            assert await running.ended(IN_TIME_S) == 0
    assert not await output(lab)
    shown = await typed("ledger", "show", "--state", str(folder / "state"), "--device", "psu1")
    assert "psu1 was made safe" in shown.text, shown.text


async def test_told_twice_it_waits_for_nobody_and_leaves_the_rest_to_make_safe(
    folder: Path,
) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(16)
        slow = "on_shutdown: make_safe, timeouts: {first_byte: 60, whole: 60}"
        where = f"tcp://127.0.0.1:{deaf.getsockname()[1]}"
        devices = f'devices:\n  psu1: {{driver: siglent.spd1000x, address: "{where}", {slow}}}\n'
        async with agent(folder, station(folder, devices)) as running:
            await running.until(lambda found: found["psu1"]["state"] == "connecting")
            running.signal(signal.SIGTERM)
            await running.until_said("agent.stopping")
            running.signal(signal.SIGTERM)
            assert await running.ended(IN_TIME_S) == 1
            assert "psu1 was left as it is" not in running.log, "nobody waited for that"
        assert kept(folder)["psu1"]["act"]

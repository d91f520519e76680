"""A real agent on a disk that is full, or whose database is damaged or of another version."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.store import schema
from tests.lab.processes import LABKEEPER, Agent, Room, agent, child, station
from tests.lab.safe_bench import output
from tests.lab.test_jobs import job, until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]

MARKS = ("disk.low", "disk.no_data", "disk.no_jobs")
"""The alarms of a disk that fills."""


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """The state folder on a file system of its own, of 24 MB."""
    state = folder / "state"
    state.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "labkeeper-test", str(state)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting needs more rights than this user has")
    yield state
    subprocess.run(["umount", "-l", str(state)], check=True)


async def typed(running: Agent, *words: str) -> tuple[int, str]:
    """What the command line answers, and its exit code."""
    arguments = (*LABKEEPER, "--socket", str(running.socket), *words)
    async with child(*arguments, stderr=asyncio.subprocess.STDOUT) as process:
        said = (await process.communicate())[0].decode()
        assert process.returncode is not None
        return process.returncode, said


async def until_event(running: Agent, kind: str) -> str:
    async with asyncio.timeout(20):
        while not (found := running.events(kind)):
            await asyncio.sleep(0.1)
    return str(found[0])


def fill(folder: Path) -> Path:
    """Take all that is left of a disk."""
    filler = folder / "filler"
    room = 1 << 20
    with filler.open("ab", buffering=0) as file:
        while room:
            with contextlib.suppress(OSError):
                while file.write(b"x" * room) == room:
                    pass
            room >>= 1
    return filler


async def verified(state: Path) -> None:
    """See that nothing was altered, and nothing is missing."""
    words = ("ledger", "verify", "--state", str(state))
    async with child(*LABKEEPER, *words, stderr=asyncio.subprocess.STDOUT) as process:
        said = (await process.communicate())[0].decode()
        assert process.returncode == 0, said


async def test_on_a_full_disk_commands_are_refused_stop_works_and_the_agent_stays(
    lab: Room, folder: Path, small_disk: Path
) -> None:
    async with agent(folder, station(folder, lab.five())) as it:
        await it.until_ready("psu1")
        assert (await typed(it, "set", "psu1.voltage", "3"))[0] == 0
        reserve = small_disk / "reserve"
        assert reserve.exists()
        filler = await asyncio.to_thread(fill, small_disk)
        await until_event(it, "disk.no_data")
        assert not reserve.exists()
        assert await disk_alarms(it) == dict.fromkeys(MARKS, "unacknowledged")
        assert (await typed(it, "set", "psu1.voltage", "4"))[0] == 0  # there is room for records
        with filler.open("ab"):
            await asyncio.to_thread(fill, small_disk)
        code, said = await until_refused(it)
        assert "nothing was sent: what is not on record is not done" in said
        assert "the disk is full" in said
        assert code != 0
        code, said = await typed(it, "stop", "psu1")
        assert (code, said) == (0, "psu1: stopped and safe\n")
        assert it.process.returncode is None
        filler.unlink()
        await until_event(it, "disk.recovered")
        assert await disk_alarms(it) == dict.fromkeys(MARKS, "returned")
        assert (await typed(it, "set", "psu1.voltage", "5"))[0] == 0
    await verified(small_disk)


SWITCHING = """\
name: switching
version: "1"
devices:
  supply: {driver: siglent.spd1000x, device: psu1}
steps:
  - set: {supply.output: true}
  - repeat: {times: 100000}
    steps:
      - set: {supply.voltage: 1}
      - set: {supply.voltage: 2}
finally:
  - set: {supply.output: false}
  - log: {ko: 껐음, en: switched off at last}
"""


async def test_on_a_full_disk_a_job_fails_switches_off_in_finally_and_is_made_safe(
    lab: Room, folder: Path, small_disk: Path
) -> None:
    (folder / "recipes").mkdir(parents=True)
    (folder / "recipes" / "switching.yaml").write_text(SWITCHING, "utf-8")
    more = f"recipes: {folder / 'recipes'}\nruns: {folder / 'runs'}\n"
    async with agent(folder, station(folder, lab.five(), more=more)) as it:
        await it.until_ready("psu1", "oven1")
        _, begun = await job(it, "start", "switching")
        await until(it, begun["job"], lambda found: found["state"] == "running")
        filler = await asyncio.to_thread(fill, small_disk)
        await until_event(it, "disk.no_data")
        with filler.open("ab"):
            await asyncio.to_thread(fill, small_disk)
        found = await until(it, begun["job"], lambda found: found["ended"])
        assert (found["state"], "the disk is full" in found["why"]) == ("failed", True), found
        assert [line["texts"]["en"] for line in found["log"]] == ["switched off at last"]
        assert found["safe"]["psu1"]["status"] == "done"
        assert not await output(lab)
        assert (await typed(it, "stop", "oven1")) == (0, "oven1: stopped and safe\n")
        filler.unlink()
        await until_event(it, "disk.recovered")
        assert (await typed(it, "set", "psu1.voltage", "5"))[0] == 0
        assert it.process.returncode is None
    assert "Traceback" not in it.log
    await verified(small_disk)


async def disk_alarms(running: Agent) -> dict[str, str]:
    """How the alarms of the disk stand, by name."""
    found = await running.get("/alarms")
    return {it["alarm"]: it["state"] for it in found if it["alarm"] in MARKS}


async def until_refused(running: Agent) -> tuple[int, str]:
    """Set something until the disk takes no more of it."""
    async with asyncio.timeout(60):
        while True:
            code, said = await typed(running, "set", "psu1.voltage", "2")
            if code:
                return code, said


async def test_a_damaged_database_is_put_aside_and_each_device_waits_for_a_person(
    lab: Room, folder: Path
) -> None:
    config = station(folder, lab.five())
    async with agent(folder, config) as first:
        await first.until_ready("psu1", "oven1")
        assert (await typed(first, "set", "oven1.setpoint", "61"))[0] == 0
    database = folder / "state" / "station.db"
    pages = bytearray(database.read_bytes())
    pages[4096 : 2 * 4096] = b"\xa5" * 4096
    database.write_bytes(pages)
    async with agent(folder, config) as second:
        await second.until_ready("psu1", "oven1")
        assert second.events("record.damaged")
        for target, value in (("psu1.voltage", "3"), ("oven1.setpoint", "62")):
            code, said = await typed(second, "set", target, value)
            assert (code, "nobody knows what was under way" in said) == (2, True), said
        assert (await typed(second, "stop", "psu1"))[0] == 0
        assert (await typed(second, "set", "psu1.voltage", "3"))[0] == 2
        code, said = await typed(second, "settle")
        assert said.count("nobody knows what was under way") == 5
        code, said = await typed(second, "settle", "--all", "--reason", "다 꺼져 있음")
        assert (code, said.count(": 1 settled")) == (0, 5), said
        assert (await typed(second, "set", "psu1.voltage", "3"))[0] == 0
    kept = list((folder / "state" / "damaged").rglob("station.db"))
    assert [path.read_bytes() for path in kept] == [bytes(pages)]
    await verified(folder / "state")


async def test_an_older_agent_refuses_a_newer_database_and_leaves_it_as_it_is(
    lab: Room, folder: Path
) -> None:
    config = station(folder, lab.five())
    async with agent(folder, config) as first:
        await first.until_ready("psu1")
        assert (await typed(first, "set", "psu1.voltage", "3"))[0] == 0
    database = folder / "state" / "station.db"
    version = len(schema.STEPS)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute(f"PRAGMA user_version = {version + 1}")
    newer = database.read_bytes()
    async with agent(folder, config) as older:
        assert await older.ended(15) == 2
        assert f"version {version + 1} of its tables, this one knows {version}" in older.log
    assert database.read_bytes() == newer
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    async with agent(folder, config) as again:
        await again.until_ready("psu1")
        assert (await typed(again, "set", "psu1.voltage", "4"))[0] == 0
    await verified(folder / "state")

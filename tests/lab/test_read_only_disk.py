"""A real agent whose state folder can't be written: it watches and stops, and says why it does no more."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.processes import Agent, Room, agent, station
from tests.lab.safe_bench import asked, energised, output

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


@pytest.fixture
def disk(folder: Path) -> Iterator[Path]:
    """The state folder on a file system of its own, which can be written as yet."""
    state = folder / "state"
    state.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "labkeeper-test", str(state)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting needs more rights than this user has")
    yield state
    subprocess.run(["umount", "-l", str(state)], check=True)


def read_only(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


def station_of(lab: Room, folder: Path) -> str:
    """A station whose socket and token lie elsewhere."""
    return elsewhere(station(folder, lab.five()), folder)


def elsewhere(config: str, folder: Path) -> str:
    """The same config, with socket and token beside the state folder."""
    listen = 'api: {listen: "127.0.0.1:0"'
    beside = f"{listen}, socket: {folder / 'a.sock'}, token_file: {folder / 'token'}"
    return config.replace(listen, beside)


async def watches_and_stops(running: Agent, why: str) -> None:
    running.socket = running.folder / "a.sock"
    await running.until_ready("psu1", "dmm1", "oven1", "printer1", "stage1", seconds=30)
    await running.until_said("agent.started", 30)
    [said] = running.events("record.failed")
    assert "nothing else is sent" in said["text"]
    assert running.events("safe.unwritten")
    refused = await asked(running, "set", "psu1.voltage", "3")
    assert (refused.code != 0, why in refused.text) == (True, True), refused.text
    assert (await asked(running, "read", "psu1.voltage", "--fresh")).code == 0
    stopped = await asked(running, "stop", "psu1")
    assert (stopped.code, stopped.text) == (0, "psu1: stopped and safe\n")
    shown = await asked(running, "job", "list")
    assert shown.code == 0, shown.text
    running.signal(signal.SIGTERM)
    assert await running.ended(6) == 0
    assert "Traceback" not in running.log


async def test_on_a_disk_that_was_never_written_devices_are_watched_and_stopped(
    lab: Room, folder: Path, disk: Path
) -> None:
    read_only(disk)
    async with agent(folder, station_of(lab, folder)) as running:
        await watches_and_stops(running, "what is not on record is not done")


async def test_on_a_disk_that_can_be_written_no_more_what_was_left_on_is_stopped(
    lab: Room, folder: Path, disk: Path
) -> None:
    config = station_of(lab, folder)
    async with agent(folder, config) as running:
        running.socket = folder / "a.sock"
        await energised(running)
        running.process.kill()
        await running.ended()
    read_only(disk)
    async with agent(folder, config) as running:
        await watches_and_stops(running, "the agent before this one ended without order")
        assert running.events("start.dirty")
    assert not await output(lab)

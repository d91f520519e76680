"""The agent is gone: what it had switched on is switched off by another program, and said."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from tests.lab.processes import Agent, Room, agent, station
from tests.lab.safe_bench import asked, energised, kept, made_safe, output, typed

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]


async def test_what_a_killed_agent_had_switched_on_is_switched_off_and_said(
    lab: Room, folder: Path
) -> None:
    async with agent(folder, station(folder, lab.five())) as running:
        await energised(running)
        running.process.kill()
        await running.ended()
    assert await output(lab)
    said = await made_safe(folder)
    assert said.code == 0, said.text
    assert "psu1: made safe: output off\n" in said.text
    assert "oven1: made safe: running off\n" in said.text
    assert "printer1: made safe: heaters off, print_state idle\n" in said.text
    assert "stage1: made safe: state idle, spindle off\n" not in said.text  # a speed is a number
    assert "stage1: made safe: state idle" in said.text
    assert "dmm1" not in said.text
    assert not await output(lab)
    assert (await made_safe(folder)).code == 0, "harmless twice"


async def test_an_agent_that_stands_still_is_killed_by_the_watchdog_and_its_output_goes_off(
    lab: Room, folder: Path
) -> None:
    async with agent(folder, station(folder, lab.five())) as running:
        await energised(running)
        running.signal(signal.SIGSTOP)
        refused = await made_safe(folder)
        assert (refused.code, "labkeeper stop" in refused.text) == (2, True), refused.text
        assert await output(lab)
        running.process.kill()  # what systemd does when the watchdog has heard nothing for 2 s
        await running.ended()
        said = await made_safe(folder)
        assert said.code == 0, said.text
        assert not await output(lab)


async def test_while_an_agent_runs_it_does_nothing_and_says_whom_to_ask(
    lab: Room, folder: Path
) -> None:
    async with agent(folder, station(folder, lab.five())) as running:
        await energised(running)
        said = await made_safe(folder)
        assert said.code == 2
        assert "labkeeper stop" in said.text
        assert await output(lab)


async def test_a_device_that_is_gone_is_named_and_the_others_are_made_safe_in_time(
    lab: Room, folder: Path
) -> None:
    async with agent(folder, station(folder, lab.five())) as running:
        await energised(running)
        assert (await asked(running, "set", "oven1.running", "on")).code == 0
        running.process.kill()
        await running.ended()
    await lab.control.ask("oven1", do="stop")
    clock = asyncio.get_running_loop().time
    began = clock()
    said = await made_safe(folder, within=2.5)
    assert clock() - began < 10.0
    assert said.code == 3, said.text
    assert "oven1: NOT CONFIRMED SAFE, go and look: " in said.text
    assert "psu1: made safe: output off\n" in said.text
    assert not await output(lab)


async def test_a_device_that_hangs_does_not_hold_the_program_up(lab: Room, folder: Path) -> None:
    devices = lab.five().replace("spd1000x,", "spd1000x, timeouts: {first_byte: 60, whole: 60},")
    async with agent(folder, station(folder, devices)) as running:
        await energised(running)
        running.process.kill()
        await running.ended()
    await lab.control.ask("psu1", do="hang")
    clock = asyncio.get_running_loop().time
    began = clock()
    said = await made_safe(folder, within=2.5)
    assert clock() - began < 10.0
    assert said.code == 3, said.text
    assert "psu1: NOT CONFIRMED SAFE, go and look: " in said.text


async def test_after_an_end_in_order_there_is_nothing_to_do(lab: Room, folder: Path) -> None:
    async with agent(folder, station(folder, lab.five())) as running:
        await energised(running)
        running.signal(signal.SIGTERM)
        assert await running.ended() == 0
    said = await made_safe(folder)
    assert said.code == 0
    assert said.text.startswith("nothing to do: the agent ended in order")
    assert await output(lab), "its config leaves it on"


async def test_what_config_leaves_and_something_else_covers_is_left_by_a_crash_too(
    lab: Room, folder: Path
) -> None:
    covered = "spd1000x, safe_by: {output: {by: firmware, lease: 30}},"
    devices = lab.five().replace("spd1000x,", covered)
    async with agent(folder, station(folder, devices)) as running:
        await energised(running)
        running.process.kill()
        await running.ended()
    said = await made_safe(folder)
    assert said.code == 0, said.text
    assert "psu1: left as it is, as its config says" in said.text
    assert await output(lab)


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "another version"])
async def test_a_file_that_cannot_be_believed_is_said_and_nothing_is_tried(
    lab: Room, folder: Path, damage: str
) -> None:
    async with agent(folder, station(folder, lab.five())) as running:
        await energised(running)
        running.process.kill()
        await running.ended()
    path = folder / "state" / "safe-state.json"
    text = path.read_text()
    path.write_text(
        {
            "cut": text[: len(text) // 2],
            "flipped": text.replace('"port": ', '"port": 1', 1),
            "emptied": "",
            "another version": text.replace("safe-state/1", "safe-state/2"),
        }[damage]
    )
    said = await made_safe(folder)
    assert said.code == 3
    assert "safe-state.json is" in said.text
    assert "go and look" in said.text
    assert await output(lab)


async def test_where_no_agent_ever_ran_it_says_so(folder: Path) -> None:
    said = await typed("make-safe", "--state", str(folder / "nowhere"))
    assert said.code == 3
    assert "there is no " in said.text
    assert not (folder / "nowhere").exists()


async def test_it_says_the_same_as_json(lab: Room, folder: Path) -> None:
    async with agent(folder, station(folder, lab.five())) as running:
        await energised(running)
        running.process.kill()
        await running.ended()
    said = await typed("make-safe", "--json", "--state", str(folder / "state"))
    found = json.loads(said.text)
    assert found["unsafe"] == []
    assert found["devices"]["psu1"] == {"confirmed": True, "text": "output off", "seen": "on"}


async def test_the_file_is_not_written_at_each_poll(lab: Room, folder: Path) -> None:
    async with agent(folder, station(folder, lab.five())) as running:
        await energised(running)
        await running.until_ready(*kept(folder))
        # What changes at a device meanwhile, on a machine under load, is a write of its own.
        assert any([await _two_polls_leave_it(running) for _ in range(5)])
        assert kept(folder)["psu1"]["seen"] == "on"


async def _two_polls_leave_it(running: Agent) -> bool:
    """Whether the safe-state file is the same one after two more polls of the supply."""
    path = running.folder / "state" / "safe-state.json"
    before = path.stat().st_ino, path.stat().st_mtime_ns
    for _ in range(2):
        last = (await running.devices())["psu1"]["values"]["output"]["time"]
        await running.until(lambda found: found["psu1"]["values"]["output"]["time"] > last)  # noqa: B023
    return (path.stat().st_ino, path.stat().st_mtime_ns) == before

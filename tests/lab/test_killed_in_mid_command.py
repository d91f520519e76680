"""A real agent is killed in the middle of a command: what the next one knows, and what it does not do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.lab.processes import LABKEEPER, Agent, Room, agent, child, station

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]


async def typed(running: Agent, *words: str) -> tuple[int, str]:
    """What the command line answers, and its exit code."""
    arguments = (*LABKEEPER, "--socket", str(running.socket), *words)
    async with child(*arguments, stderr=asyncio.subprocess.STDOUT) as process:
        said = (await process.communicate())[0].decode()
        assert process.returncode is not None
        return process.returncode, said


async def test_a_command_that_a_kill_cut_off_is_unknown_and_blocks_its_device(
    lab: Room, folder: Path
) -> None:
    config = station(folder, lab.five())
    async with agent(folder, config) as first:
        await first.until_ready("psu1", "oven1")
        assert (await typed(first, "set", "oven1.setpoint", "61"))[0] == 0
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(typed(first, "do", "psu1.ramp", "to=5", "rate=0.1"))
            await first.until(lambda devices: devices["psu1"]["state"] == "busy")
            first.process.kill()
    async with agent(folder, config) as second:
        await second.until_ready("psu1", "oven1")
        refused = (2, "psu1 is blocked: nobody knows how `do psu1.ramp` of")
        code, said = await typed(second, "set", "psu1.voltage", "3")
        assert (code, refused[1] in said) == (2, True), said
        assert (await typed(second, "set", "psu1.output", "off"))[0] == 0
        code, said = await typed(second, "set", "oven1.setpoint", "62")
        found = "oven1 is blocked: the agent before this one ended without order, and running on"
        assert (code, found in said) == (2, True), said
        assert (await typed(second, "settle", "oven1", "--reason", "it heats, as it should"))[
            0
        ] == 0
        assert (await typed(second, "set", "oven1.setpoint", "62"))[0] == 0
        code, said = await typed(second, "settle", "psu1", "--reason", "출력이 꺼져 있음")
        assert (code, said) == (0, "psu1: 1 settled\n")
        assert (await typed(second, "set", "psu1.voltage", "3"))[0] == 0
        state = second.folder / "state"
        async with child(
            *LABKEEPER, "ledger", "verify", "--state", str(state), stderr=asyncio.subprocess.STDOUT
        ) as process:
            said = (await process.communicate())[0].decode()
            assert process.returncode == 0, said
        async with child(*LABKEEPER, "ledger", "show", "--state", str(state), "--json") as process:
            rows = (await process.communicate())[0].decode()
        assert rows.count('"stage": "intent"') == 5, rows
        assert "출력이 꺼져 있음" in rows

"""What the tests of safe states share: the outputs as the instruments have them, and the program."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.processes import LABKEEPER, Agent, Room, child


@dataclass(frozen=True)
class Said:
    """How a command of the command line ended, and all that it said."""

    code: int
    text: str


async def typed(*words: str) -> Said:
    """Type a command, and wait for its end."""
    async with child(*LABKEEPER, *words, stderr=asyncio.subprocess.STDOUT) as process:
        async with asyncio.timeout(20):
            text = (await process.communicate())[0].decode()
        assert process.returncode is not None
        return Said(process.returncode, text)


async def asked(running: Agent, *words: str) -> Said:
    """Type a command to a running agent."""
    return await typed("--socket", str(running.socket), *words)


async def made_safe(folder: Path, within: float = 10.0) -> Said:
    """Run `labkeeper make-safe` as systemd does after the end of an agent, or with more patience."""
    return await typed("make-safe", "--state", str(folder / "state"), "--within", str(within))


async def output(lab: Room) -> bool:
    """Whether the supply's terminals are live, as the instrument itself says."""
    reader, writer = await asyncio.open_connection(*lab.tcp("psu1"))
    try:
        writer.write(b"SYST:STAT?\n")
        async with asyncio.timeout(5):
            answer = await reader.readline()
    finally:
        writer.close()
        await writer.wait_closed()
    return bool(int(answer, 16) >> 4 & 1)


async def energised(running: Agent) -> None:
    """Switch the supply's output on through the agent, and wait until its file says so."""
    await running.until_ready("psu1", "oven1")
    said = await asked(running, "set", "psu1.output", "on")
    assert said.code == 0, said.text
    async with asyncio.timeout(5):
        while kept(running.folder)["psu1"]["seen"] != "on":
            await asyncio.sleep(0.02)


def kept(folder: Path) -> dict[str, Any]:
    """The devices of the safe-state file."""
    found: dict[str, Any] = json.loads((folder / "state" / "safe-state.json").read_text())
    return dict(found["devices"])

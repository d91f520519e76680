"""The five minutes of README.md, typed into a demo: it says what is printed there."""

from __future__ import annotations

import asyncio
import os
import shlex
from itertools import takewhile
from pathlib import Path

import pytest

from agent.cli.client import AgentClient
from tests.lab.processes import LABKEEPER
from tests.lab.terminal import terminal
from tests.lab.test_demo import demo
from tests.pages import READMES, shape, typed

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]

ONLY_ON_A_TERMINAL = "runs; Ctrl-C ends the waiting"
TOUR = list(takewhile(lambda it: " check " not in it[0], typed(READMES[0])))


def printed(output: str) -> list[list[str]]:
    lines = [line for line in output.split("\n") if ONLY_ON_A_TERMINAL not in line]
    return shape("\n".join(lines))


async def said(socket: str, words: list[str]) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *LABKEEPER,
        *words,
        env={**os.environ, "LABKEEPER_SOCKET": socket, "LC_ALL": "C.UTF-8"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def answered(socket: str, words: list[str]) -> str:
    """What stays on a terminal where each question is answered with yes."""
    async with terminal(Path(socket), *words) as shown:
        await shown.until("[yes/no] ")
        shown.type("yes\n")
        assert await shown.ended() == 0
        return "\n".join(line.strip() for line in shown.lines)


def state_of(socket: str, device: str) -> str:
    with AgentClient(Path(socket)) as client:
        return str(client.get("devices", device)["state"])


async def until(socket: str, device: str, state: str) -> None:
    async with asyncio.timeout(15):
        while await asyncio.to_thread(state_of, socket, device) != state:
            await asyncio.sleep(0.05)


def test_the_tour_looks_changes_refuses_runs_and_stops() -> None:
    verbs = [shlex.split(line)[1] for line, _ in TOUR if line.startswith("labkeeper ")]
    assert verbs == [
        *("devices", "read", "set", "set", "do", "files", "print", "stop", "reconnect", "job")
    ]


async def test_every_command_of_the_tour_says_what_the_readme_shows() -> None:
    code: int | None = None
    async with demo() as (_, place):
        for line, output in TOUR:
            program, *words = shlex.split(line)
            match program:
                case "labkeeper" if "--wait" in words:
                    assert printed(await answered(place["socket"], words)) == printed(output), line
                case "labkeeper":
                    code, text = await said(place["socket"], words)
                    assert printed(text) == printed(output), line
                case "echo":
                    assert f"{code}\n" == output
        await until(place["socket"], "printer1", "ready")

"""A toy printer behind a real API, and a print that is watched by a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.cli.demo.cube import cube
from drivers import Bound
from tests.agent.bench import PLAN
from tests.agent.toy_printer import KNOBS, toy_printer
from tests.agent.web_bench import Web, served, until

DONE, FAILED = 1.0, 2.0
WITHIN_S = 15.0


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    (tmp_path / "station").mkdir()
    printer = toy_printer(nozzle=Bound(210.0, "station.yaml:7"))
    async with served(PLAN, printer, folder=tmp_path / "station") as found:
        knobs(found).update(KNOBS)
        yield found


@pytest.fixture
def part(tmp_path: Path) -> Path:
    path = tmp_path / "시험편.gcode"
    path.write_text(cube(), "ascii")
    return path


def knobs(web: Web) -> dict[str, float]:
    return web.bench.simulators["printer1"].values


async def until_it_prints(web: Web) -> None:
    await until(lambda: knobs(web)["state"] == 1.0, WITHIN_S)


async def seen(web: Web, **values: float) -> None:
    """Turn knobs, and wait until the agent shows them to everybody."""
    knobs(web).update(values)
    names = {"part": "print_time_progress", "left": "print_left", "state": "print_state"}
    for knob, value in values.items():
        await web.bench.until("printer1", partial(_shows, name=names[knob], value=value))


def _shows(snapshot: Any, name: str, value: float) -> bool:
    shown = snapshot.samples[name].value
    return shown == value or (name == "print_state" and shown == "paused" and value == 2.0)


def command(web: Web, *words: str) -> list[str]:
    program = [sys.executable, "-m", "agent.cli", "--socket", str(web.path)]
    return [*program, "print", "printer1", *words]


class Told:
    """A print that is watched by a process of its own, and what it has told so far."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self.complaints = ""

    async def until(self, words: str) -> None:
        """Wait for a line with these words."""
        assert self.process.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            while not (self.lines and words in self.lines[-1]):
                line = await self.process.stdout.readline()
                assert line, self.lines
                self.lines.append(line.decode().rstrip("\n"))

    async def ended(self) -> int:
        """The exit code; all that it has told is then there."""
        async with asyncio.timeout(WITHIN_S):
            out, err = await self.process.communicate()
        self.lines += out.decode().splitlines()
        self.complaints = err.decode()
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def watched(web: Web, *words: str) -> AsyncIterator[Told]:
    """Print a file, and watch it in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *command(web, *words), stdout=PIPE, stderr=PIPE, env={**os.environ, "LC_ALL": "C.UTF-8"}
    )
    try:
        yield Told(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()  # also of one that has ended: its pipes may not be read out

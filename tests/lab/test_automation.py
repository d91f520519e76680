"""The scripts of the page on automation, as they are printed there, against a real agent."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.lab.processes import Agent, Room, agent, child, free_port, station
from tests.lab.safe_bench import asked
from tests.pages import snippets

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

PAGE = "automation.md"
SCRIPTS = {it.title: it.text for it in snippets(PAGE) if it.title}
MORE = """\
alarms:
  psu-set-high: {reading: psu1.voltage, high: 9, priority: high}
"""


@asynccontextmanager
async def ready(lab: Room, folder: Path) -> AsyncIterator[tuple[Agent, dict[str, str]]]:
    """A real agent with the page's recipe and scripts beside it, and what these take to find it."""
    port = free_port()
    config = station(folder, lab.five(), more=MORE).replace("127.0.0.1:0", f"127.0.0.1:{port}", 1)
    config = config.replace("psu1: {", "psu1: {safe_by: {output: {by: hardware}}, ", 1)
    (folder / "recipes").mkdir(parents=True)
    for name, text in SCRIPTS.items():
        where = folder / "recipes" if name.endswith(".yaml") else folder
        (where / name).write_text(text, "utf-8")
    async with agent(folder, config) as running:
        await running.until_ready("psu1", "printer1", seconds=40)
        await running.until_said("agent.started")
        yield (
            running,
            {
                **os.environ,
                "LABKEEPER_API": f"http://127.0.0.1:{port}/api/v1",
                "LABKEEPER_TOKEN_FILE": str(folder / "state" / "api-token"),
            },
        )


async def run(folder: Path, environment: dict[str, str], *command: str) -> tuple[int, str]:
    """What a script says, and how it ends."""
    program = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await program.communicate()
    return program.returncode or 0, output.decode()


def interpreter(script: str) -> str:
    return sys.executable if script.endswith(".py") else "bash"


@pytest.mark.parametrize("script", ["run-one.sh", "run_one.py"])
async def test_a_script_starts_a_job_once_answers_it_and_brings_home_what_was_recorded(
    lab: Room, folder: Path, script: str
) -> None:
    async with ready(lab, folder) as (running, environment):
        command = (interpreter(script), script, "SN-17", "3", "order-4711")
        code, text = await run(folder, environment, *command)
        assert code == 0, text + running.log[-3000:]
        [listed] = (await running.get("/jobs"))["jobs"]
        job = listed["job"]
        assert (listed["state"], listed["verdict"], listed["by"]) == ("done", "pass", "token")
        assert text.startswith(f"job {job}\n")
        assert "asks: Is the load connected?" in text
        assert f"run-{job} is what was recorded" in text
        manifest = await asyncio.to_thread(_checked, folder / f"run-{job}")
        assert manifest["parameters"] == {"serial": "SN-17", "level": 3.0}
        # As after a power cut of the machine that runs the script.
        again, text = await run(folder, environment, *command)
        assert (again, text.startswith(f"job {job}\n")) == (0, True), text
        assert len((await running.get("/jobs"))["jobs"]) == 1
        other = (interpreter(script), script, "SN-18", "3", "order-4711")
        refused, text = await run(folder, environment, *other)
        assert refused != 0
        assert f"the key order-4711 belongs to job {job}" in text


def _checked(folder: Path) -> Any:
    """The manifest of a folder whose every file is as it says."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert {it["name"] for it in manifest["files"]} >= {"readings/settling.csv", "measures.csv"}
    for it in manifest["files"]:
        assert hashlib.sha256((folder / it["name"]).read_bytes()).hexdigest() == it["sha256"]
    return manifest


async def test_the_queue_is_held_when_an_alarm_of_high_priority_is_raised(
    lab: Room, folder: Path
) -> None:
    async with ready(lab, folder) as (running, environment):
        script = (sys.executable, "-u", str(folder / "on_alarm.py"))
        async with child(*script, environment=environment) as program:
            assert program.stdout is not None
            said = await asked(running, "set", "psu1.voltage", "10")
            assert said.code == 0, said.text
            async with asyncio.timeout(30):
                assert await program.stdout.readline() == b"alarm psu-set-high (high)\n"
                assert await program.stdout.readline() == b"the queue is held\n"
        held = (await running.get("/queue"))["held"]
        assert held["reason"] == "alarm psu-set-high"


async def test_a_print_that_is_asked_for_twice_under_one_key_is_printed_once(
    lab: Room, folder: Path
) -> None:
    async with ready(lab, folder) as (running, environment):
        (folder / "part.gcode").write_text("G28\nG1 X10 F3000\nG4 S3\nG1 X20\n", "utf-8")
        command = ("bash", "print-once.sh", "printer1", "part.gcode", "order-4712")
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(run(folder, environment, *command))
            await running.until(lambda devices: devices["printer1"]["state"] == "busy")
            second = await run(folder, environment, *command)  # it waits for the first
        later = await run(folder, environment, *command)
        assert [code for code, _ in (first.result(), second, later)] == [0, 0, 0], second
        printed = [it for it in running.events("do.done") if "printer1.print" in it["text"]]
        assert len(printed) == 1

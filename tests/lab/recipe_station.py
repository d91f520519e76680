"""A station whose devices are simulators in which time runs faster, and the recipes that come with labkeeper."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.lab.processes import Agent, agent, room, station
from tests.pages import ROOT

SPEED = "100"
ALL = ("psu1", "dmm1", "oven1", "printer1", "stage1")
OVER_WITHIN_S = 60.0
GCODE = """\
M140 S50
M104 S200
G28
M83
M190 S50
M109 S200
G0 X20 Y20 Z0.2 F3000
G1 X40 Y20 E1 F1800
M104 S0
M140 S0
M84
"""


@asynccontextmanager
async def fast_lab(folder: Path, **environment: str) -> AsyncIterator[Agent]:
    """An agent over a room in which a second is more than a minute; it has all the examples."""
    shutil.copytree(ROOT / "config" / "recipes", folder / "recipes")
    files = folder / "files"
    files.mkdir()
    (files / "part.gcode").write_text(GCODE)
    async with room(folder / "room", "--speed", SPEED) as lab:
        config = station(folder, lab.five(), more=f"files: {files}\n")
        async with agent(folder, config, **environment) as running:
            await running.until_ready(*ALL)
            yield running


async def asked(running: Agent, path: str, method: str = "POST", **body: object) -> Any:
    """Ask a path of the API for a change, as a technician on this machine."""
    transport = httpx.AsyncHTTPTransport(uds=str(running.socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://labkeeper") as client:
        answer = await client.request(method, f"/api/v1{path}", json=body, timeout=10)
        assert answer.is_success, answer.text
        return answer.json()


async def ran(
    running: Agent, recipe: str, answers: Mapping[str, object] | None = None, **arguments: object
) -> dict[str, Any]:
    """Run a recipe to its end. Each question that has one of these words in it gets its answer, yes else."""
    started = await asked(running, "/jobs", recipe=recipe, arguments=arguments)
    async with asyncio.timeout(OVER_WITHIN_S):
        while True:
            job: dict[str, Any] = await running.get(f"/jobs/{started['job']}")
            if job["ended"]:
                return job
            for question in (await running.get("/questions"))["questions"]:
                text = question["texts"]["en"]
                said = next((it for word, it in (answers or {}).items() if word in text), True)
                await asked(running, f"/questions/{question['question']}/answer", value=said)
            await asyncio.sleep(0.05)


async def value(running: Agent, reading: str) -> Any:
    """What a device says now."""
    device, name = reading.split(".")
    return (await running.get(f"/devices/{device}/readings/{name}?fresh=true"))["value"]

"""A recipe as a job of a real agent over simulated instruments: done, and stopped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.lab.processes import LABKEEPER, Agent, Room, agent, child, station

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]

RECIPE = """\
name: live
version: "1"
parameters:
  level: {type: number, unit: V, low: 0, high: 5}
  rest: {type: number, unit: s, low: 0, high: 60, default: 0}
devices:
  supply: {driver: siglent.spd1000x, device: psu1}
steps:
  - set: {supply.voltage: =level, supply.output: true}
  - wait: {until: abs(supply.measured_voltage - level) < 0.1, within: 20}
  - measure: {reached: {value: supply.measured_voltage, low: =level - 0.2, high: =level + 0.2}}
  - wait: =rest s
finally:
  - set: {supply.voltage: 0}
"""


async def job(running: Agent, *words: str) -> tuple[int, Any]:
    """What `labkeeper job` says, as JSON."""
    arguments = (*LABKEEPER, "--socket", str(running.socket), "--json", "job", *words)
    async with child(*arguments, stderr=asyncio.subprocess.STDOUT) as process:
        said = (await process.communicate())[0].decode()
        assert process.returncode is not None
        return process.returncode, json.loads(said)


async def test_a_job_of_a_real_agent_measures_is_stopped_and_leaves_its_device_safe(
    lab: Room, folder: Path
) -> None:
    config = station(folder, lab.five())
    (folder / "recipes").mkdir(parents=True)
    (folder / "recipes" / "live.yaml").write_text(RECIPE, "utf-8")
    async with agent(folder, config) as running:
        await running.until_ready("psu1")
        code, ended = await job(running, "start", "live", "level=3", "--wait")
        assert (code, ended["state"], ended["verdict"]) == (0, "done", "pass"), ended
        assert ended["measures"][0]["value"] == pytest.approx(3, abs=0.2)
        _, begun = await job(running, "start", "live", "level=2", "rest=60")
        await until(running, begun["job"], lambda it: it["measures"])
        code, _ = await job(running, "stop", begun["job"])
        assert code == 0
        output = await running.get("/devices/psu1/readings/output?fresh=true")
        assert output["value"] is False
        found = await until(running, begun["job"], lambda it: it["ended"])
        assert (found["state"], found["safe"]["psu1"]["status"]) == ("stopped", "done")


async def until(running: Agent, name: str, holds: Callable[[Any], Any]) -> Any:
    """Wait until something holds of a job, and return it."""
    async with asyncio.timeout(20):
        while not holds(found := await running.get(f"/jobs/{name}")):
            await asyncio.sleep(0.05)
        return found


async def test_the_end_of_the_agent_interrupts_its_jobs_and_takes_no_longer_for_them(
    lab: Room, folder: Path
) -> None:
    (folder / "recipes").mkdir(parents=True)
    (folder / "recipes" / "live.yaml").write_text(RECIPE, "utf-8")
    async with agent(folder, station(folder, lab.five())) as running:
        await running.until_ready("psu1")
        _, begun = await job(running, "start", "live", "level=2", "rest=60")
        await until(running, begun["job"], lambda it: it["measures"])
        running.process.terminate()
        async with asyncio.timeout(5):
            assert await running.process.wait() == 0
        [interrupted] = running.events("job.interrupted")
        assert begun["job"] in interrupted["text"]
        assert not running.events("job.unsafe")

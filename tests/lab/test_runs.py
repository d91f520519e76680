"""The folder of a run of a real agent: whole after a job, and after a kill in the middle of one."""

from __future__ import annotations

import asyncio
import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab.processes import LABKEEPER, Agent, Room, agent, child, station
from tests.lab.test_jobs import job, until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]

RECIPE = """\
name: warm_up
version: "1"
title: {ko: 예열, en: Warm-up}
parameters:
  level: {type: number, unit: V, low: 0, high: 5}
  rest: {type: number, unit: s, low: 0, high: 60, default: 1}
devices:
  supply: {driver: siglent.spd1000x, device: psu1}
  oven: {driver: autonics.tk4, device: oven1}
steps:
  - set: {supply.voltage: =level, supply.output: true}
  - wait: {until: abs(supply.measured_voltage - level) < 0.1, within: 20}
  - record: [supply.measured_voltage, oven.temperature]
    every: 100 ms
    as: heating
    steps:
      - wait: =rest s
  - measure: {reached: {value: supply.measured_voltage, low: =level - 0.2, high: =level + 0.2, unit: V}}
finally:
  - set: {supply.voltage: 0}
"""


def prepared(lab: Room, folder: Path) -> str:
    (folder / "recipes").mkdir(parents=True)
    (folder / "recipes" / "warm_up.yaml").write_text(RECIPE, "utf-8")
    return station(folder, lab.five())


async def verified(path: str, *words: str) -> tuple[int, Any]:
    """What `labkeeper run verify` says, as JSON."""
    arguments = (*LABKEEPER, "--json", "run", "verify", path, *words)
    async with child(*arguments, stderr=asyncio.subprocess.STDOUT) as process:
        said = (await process.communicate())[0].decode()
        assert process.returncode is not None
        return process.returncode, json.loads(said)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


async def closed(running: Agent, name: str) -> Any:
    """The manifest of a job's run, once the folder is closed."""
    async with asyncio.timeout(10):
        while not (Path((await running.get(f"/jobs/{name}"))["folder"]) / "manifest.json").exists():
            await asyncio.sleep(0.05)
    return await running.get(f"/jobs/{name}/run")


async def test_a_job_of_a_real_agent_leaves_a_whole_folder_with_what_it_measured(
    lab: Room, folder: Path
) -> None:
    async with agent(folder, prepared(lab, folder)) as running:
        await running.until_ready("psu1", "oven1")
        code, ended = await job(running, "start", "warm_up", "level=3", "--wait")
        assert (code, ended["verdict"]) == (0, "pass"), ended
        manifest = await closed(running, ended["job"])
        run = Path(ended["folder"])
        assert run == folder / "state" / "runs" / f"{ended['job']}_warm_up"
        code, said = await verified(str(run))
        assert code == 0, said
        assert "has this very manifest" in said["notes"][0]
        _, supply = manifest["devices"]
        assert supply["identity"]["firmware"]
        assert (supply["driver"], manifest["simulated"]) == ("siglent.spd1000x", True)
        assert manifest["recipe"]["titles"] == {"ko": "예열", "en": "Warm-up"}
        assert len(manifest["agent"]["config_hash"]) == 64
        assert (run / "recipe.yaml").read_text("utf-8") == RECIPE
        rows = table(run / "readings" / "heating.csv")
        assert len(rows) >= 8
        assert {row["oven.temperature quality (품질)"] for row in rows} == {"simulated"}
        volts = float(rows[-1]["supply.measured_voltage [V]"])
        assert volts == pytest.approx(3, abs=0.2)
        [measured] = table(run / "measures.csv")
        assert float(measured["value (값)"]) == ended["measures"][0]["value"]
        assert (measured["verdict (판정)"], measured["quality (품질)"]) == ("pass", "simulated")
        (run / "measures.csv").write_bytes(
            (run / "measures.csv").read_bytes().replace(b"pass", b"fail")
        )
        code, said = await verified(str(run))
        assert (code, [it["file"] for it in said["faults"]]) == (3, ["measures.csv"])


async def test_a_kill_leaves_what_was_there_and_the_next_start_closes_it_as_interrupted(
    lab: Room, folder: Path
) -> None:
    config = prepared(lab, folder)
    async with agent(folder, config) as first:
        await first.until_ready("psu1", "oven1")
        _, begun = await job(first, "start", "warm_up", "level=2", "rest=60")
        await until(first, begun["job"], lambda it: it["steps"]["begun"] >= 4)
        run = Path((await first.get(f"/jobs/{begun['job']}"))["folder"])
        heating = run / "readings" / "heating.csv"
        async with asyncio.timeout(10):
            while not heating.exists() or len(table(heating)) < 5:
                await asyncio.sleep(0.05)
        kept = heating.read_bytes()
        first.process.kill()
        await first.process.wait()
    code, said = await verified(str(run))
    assert (code, said["faults"][0]["file"]) == (3, "manifest.json")
    async with agent(folder, config) as second:
        async with asyncio.timeout(10):
            while not second.events("run.closed"):
                await asyncio.sleep(0.05)
        [told] = second.events("run.interrupted")
        assert begun["job"] in told["text"]
        code, said = await verified(str(run))
        assert code == 0, said
        assert "has this very manifest" in said["notes"][0]
        manifest = await second.get(f"/jobs/{begun['job']}/run")
        assert (manifest["state"], manifest["parameters"]["level"]) == ("interrupted", 2.0)
        assert heating.read_bytes().startswith(kept)
        kept_job = await second.get(f"/jobs/{begun['job']}")
        assert Path(kept_job["folder"]) == run
        assert (manifest["why"], manifest["verdict"]) == (kept_job["why"], kept_job["verdict"])

"""A real agent is killed while it runs a job: what the next one knows, and that it begins nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.lab.processes import LABKEEPER, Agent, Room, agent, child, station
from tests.lab.safe_bench import asked
from tests.lab.test_jobs import RECIPE, job, until
from tests.lab.test_station_metrics import scraped

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


async def test_a_kill_interrupts_what_ran_holds_what_waits_and_forgets_no_key(
    lab: Room, folder: Path
) -> None:
    config = station(folder, lab.five())
    (folder / "recipes").mkdir(parents=True)
    (folder / "recipes" / "live.yaml").write_text(RECIPE, "utf-8")
    keyed = ("start", "live", "level=1", "--key", "tuesday-7")
    async with agent(folder, config) as first:
        await first.until_ready("psu1")
        _, ran = await job(first, "start", "live", "level=2", "rest=60")
        _, waits = await job(first, *keyed)
        await until(first, ran["job"], lambda it: it["measures"])
        first.process.kill()
        await first.process.wait()
    async with agent(folder, config) as second:
        await second.until_ready("psu1")
        found = {it["job"]: it for it in (await second.get("/jobs"))["jobs"]}
        assert found[ran["job"]]["state"] == "interrupted"
        assert found[waits["job"]]["state"] == "held"
        assert "release it" in found[waits["job"]]["why"]
        assert (await scraped(config))["labkeeper_jobs_held_by_agent"] == 1
        shown = await second.get(f"/jobs/{ran['job']}")
        assert [it["name"] for it in shown["measures"]] == ["reached"]
        again = await job(second, *keyed)
        assert (again[0], again[1]["job"], again[1]["state"]) == (0, waits["job"], "held")
        await its_log_says_that_it_was_interrupted(second, ran["job"])
        looked = await asked(second, "settle", "psu1", "--reason", "looked at")
        assert looked.code == 0, looked.text
        assert (await job(second, "release", waits["job"]))[0] == 0
        await until(second, waits["job"], lambda it: it["state"] == "done")
        await the_ledger_verifies(second)


async def its_log_says_that_it_was_interrupted(running: Agent, its: str) -> None:
    log = (await running.get(f"/jobs/{its}/log"))["entries"]
    assert [it["data"]["phase"] for it in log if it["what"] == "step"][-1] == "unknown"
    states = [it["data"]["state"] for it in log if it["what"] == "state"]
    assert states[-1] == "interrupted"


async def the_ledger_verifies(running: Agent) -> None:
    """Nothing of it was altered, removed, added or moved."""
    arguments = (*LABKEEPER, "ledger", "verify", "--state", str(running.folder / "state"))
    async with child(*arguments, stderr=asyncio.subprocess.STDOUT) as process:
        said = (await process.communicate())[0].decode()
        assert process.returncode == 0, said


async def test_after_an_end_in_order_the_queue_goes_on(lab: Room, folder: Path) -> None:
    config = station(folder, lab.five())
    (folder / "recipes").mkdir(parents=True)
    (folder / "recipes" / "live.yaml").write_text(RECIPE, "utf-8")
    async with agent(folder, config) as first:
        await first.until_ready("psu1")
        _, runs = await job(first, "start", "live", "level=2", "rest=60")
        # Before it runs, it waits as well.
        await until(first, runs["job"], lambda it: it["state"] == "running")
        _, waits = await job(first, "start", "live", "level=1")
        first.process.terminate()
        async with asyncio.timeout(6):
            assert await first.process.wait() == 0
    async with agent(folder, config) as second:
        await second.until_ready("psu1")
        found = await until(second, waits["job"], lambda it: it["ended"])
        assert found["state"] == "done", found

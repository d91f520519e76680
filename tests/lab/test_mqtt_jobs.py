"""Jobs over a real broker and a real agent: what is retained, what a restart leaves of it, and the head of the ledger."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from tests.lab.broker import Broker, running_broker
from tests.lab.processes import LABKEEPER, Agent, Room, agent, child, station
from tests.lab.test_jobs import RECIPE
from tests.lab.witness import Witness, soon, witness

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]

ROOT = "lab/v1/bench-1"
STATUS = f"{ROOT}/status"


@asynccontextmanager
async def lab_station(lab: Room, folder: Path, broker: Broker) -> AsyncIterator[Agent]:
    (folder / "recipes").mkdir(parents=True, exist_ok=True)
    (folder / "recipes" / "live.yaml").write_text(RECIPE, "utf-8")
    covered = "spd1000x, safe_by: {output: {by: hardware}},"  # so that it may be used unattended
    devices = lab.five().replace("spd1000x,", covered)
    config = station(folder, devices, broker_port=broker.port)
    async with agent(folder, config) as running:
        await running.until_ready("psu1")
        yield running


async def asked(seen: Witness, verb: str, **body: Any) -> Any:
    """The answer to a request."""
    answer = await seen.ask(
        f"{ROOT}/command/{verb}", response_topic="test/answers", **{"not_after": soon()} | body
    )
    return answer.form


async def test_a_job_over_mqtt_is_retained_and_is_gone_from_the_broker_when_nobody_knows_it(
    lab: Room, folder: Path
) -> None:
    async with running_broker(folder / "broker") as broker, witness(broker) as seen:
        unknown = f"{ROOT}/job/20200101-000000-1"
        await seen.publish(unknown, b'{"state": "running"}', retain=True)
        async with lab_station(lab, folder / "station", broker) as running:
            await seen.until(unknown, lambda form: form is None)
            start = {"recipe": "live", "arguments": {"level": 2, "rest": 60}, "by": "line-3"}
            begun = await asked(seen, "job.start", id="s1", **start)
            assert begun["status"] == "done", begun
            topic = f"{ROOT}/job/{begun['value']['job']}"
            said = await seen.until(topic, lambda form: form["steps"]["ended"] >= 3, 15)
            assert (said.form["state"], said.form["verdict"]) == ("running", "pass")
            again = await asked(seen, "job.start", id="s1", **start)
            assert again["value"]["job"] == begun["value"]["job"]
            stopped = await asked(seen, "job.stop", id="s2", job=begun["value"]["job"])
            assert stopped["status"] == "done", stopped
            await seen.until(topic, lambda form: form["state"] == "stopped")
            output = await running.get("/devices/psu1/readings/output?fresh=true")
            assert output["value"] is False
        async with witness(broker) as late:
            kept = await late.until(topic)
            assert (kept.retained, kept.form["state"]) == (True, "stopped")
            assert unknown not in late.latest


async def test_a_job_that_the_end_of_the_agent_interrupts_is_said_to_be_so(
    lab: Room, folder: Path
) -> None:
    async with running_broker(folder / "broker") as broker, witness(broker) as seen:
        async with lab_station(lab, folder / "station", broker) as running:
            start = {"recipe": "live", "arguments": {"level": 2, "rest": 60}}
            begun = await asked(seen, "job.start", id="s1", **start)
            topic = f"{ROOT}/job/{begun['value']['job']}"
            await seen.until(topic, lambda form: form["state"] == "running")
            running.process.terminate()
            async with asyncio.timeout(5):
                assert await running.process.wait() == 0
            await seen.until(topic, lambda form: form["state"] == "interrupted")
            await seen.until(STATUS, lambda form: form["state"] == "offline")


async def test_the_broker_has_a_head_of_the_ledger_with_which_a_cut_tail_is_found(
    lab: Room, folder: Path
) -> None:
    async with running_broker(folder / "broker") as broker, witness(broker) as seen:
        async with lab_station(lab, folder / "station", broker) as running:
            start = {"recipe": "live", "arguments": {"level": 1}}
            begun = await asked(seen, "job.start", id="s1", **start)
            topic = f"{ROOT}/job/{begun['value']['job']}"
            await seen.until(topic, lambda form: form["state"] == "done", 15)
            running.process.terminate()
            await running.process.wait()
        await seen.until(STATUS, lambda form: form["state"] == "offline")
        head = seen.latest[f"{ROOT}/ledger"].form["head"]
        state = folder / "station" / "state"
        assert await verified(state, head) == 0
        await asyncio.to_thread(cut, state, int(head.partition(":")[0]) - 1)
        assert await verified(state, head) == 3


async def verified(state: Path, head: str) -> int:
    """What the verification of a ledger against this head ends with."""
    words = ("ledger", "verify", "--state", str(state), "--head", head)
    async with child(*LABKEEPER, *words) as process:
        await process.communicate()
        assert process.returncode is not None
        return process.returncode


def cut(state: Path, last: int) -> None:
    """Cut off the rows after this one, and the heads beside the ledger with them."""
    with closing(sqlite3.connect(state / "station.db")) as connection, connection:
        for (trigger,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("DELETE FROM ledger WHERE seq > ?", (last,))
    (state / "ledger.head").unlink()

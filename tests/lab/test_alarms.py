"""Alarms of a real agent over its sudden end: what nobody has acknowledged still waits for somebody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.lab.broker import running_broker
from tests.lab.processes import Agent, Room, agent, station
from tests.lab.safe_bench import asked
from tests.lab.witness import witness

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

HOT = "psu-set-high"
SEEN = "psu-set-seen"
ALARMS = f"""\
alarms:
  {HOT}: {{reading: psu1.voltage, high: 5, priority: high, title: {{ko: 전압 높음, en: Set too high}}}}
  {SEEN}: {{reading: psu1.voltage, high: 4, priority: low}}
"""


def topic(alarm: str) -> str:
    return f"lab/v1/bench-1/alarm/{alarm}"


async def alarms(running: Agent) -> dict[str, Any]:
    return {it["alarm"]: it for it in await running.get("/alarms")}


async def set_to(running: Agent, volts: float) -> None:
    said = await asked(running, "set", "psu1.voltage", str(volts))
    assert said.code == 0, said.text


async def test_a_kill_acknowledges_nothing_and_the_broker_says_the_same(
    lab: Room, folder: Path
) -> None:
    async with running_broker(folder / "broker") as broker, witness(broker) as heard:
        config = station(folder, lab.five(), broker_port=broker.port, more=ALARMS)
        async with agent(folder, config) as first:
            await first.until_ready("psu1", seconds=30)
            await set_to(first, 6)
            for name in (HOT, SEEN):
                await heard.until(topic(name), lambda it: it["state"] == "unacknowledged", 20)
            acknowledged = await asked(first, "alarm", "ack", SEEN, "--reason", "시험 중")
            assert acknowledged.code == 0, acknowledged.text
            await heard.until(topic(SEEN), lambda it: it["state"] == "acknowledged", 20)
            await set_to(first, 1)
            raised = await heard.until(topic(HOT), lambda it: it["state"] == "returned", 20)
            await heard.until(topic(SEEN), lambda it: it["state"] == "normal", 20)
            first.process.kill()
            await first.ended()
        heard.latest.clear()
        async with agent(folder, config) as second:
            again = await heard.until(topic(HOT), lambda it: it is not None, 30)
            assert (again.form["state"], again.form["since"]) == ("returned", raised.form["since"])
            await second.until_ready("psu1", seconds=30)
            found = await alarms(second)
            assert (found[HOT]["state"], found[SEEN]["state"]) == ("returned", "normal")
            assert not second.events("alarm.raised"), "it is not raised anew, it was never over"
            seen_to = await asked(second, "alarm", "ack", HOT, "--reason", "확인")
            assert seen_to.code == 0, seen_to.text
            await heard.until(topic(HOT), lambda it: it["state"] == "normal", 20)
            async with witness(broker) as later:
                kept = await later.until(topic(HOT))
                assert (kept.retained, kept.form["state"]) == (True, "normal")

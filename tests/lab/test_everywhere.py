"""What one trouble looks like in every place at once: MQTT, metrics, API and command line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.lab.broker import Broker, running_broker
from tests.lab.processes import LABKEEPER, Agent, Room, agent, child, station
from tests.lab.witness import witness

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]
FIVE = ("psu1", "dmm1", "oven1", "printer1", "stage1")
RECOVERY_S = 5.0


STATE = "lab/v1/bench-1/device/{}/state"
STATUS = "lab/v1/bench-1/status"


@asynccontextmanager
async def running_station(lab: Room, folder: Path) -> AsyncIterator[tuple[Agent, Broker]]:
    async with running_broker(folder / "broker") as broker:
        config = station(folder, lab.five(), broker_port=broker.port)
        async with agent(folder, config) as running:
            await running.until_ready(*FIVE)
            yield running, broker


async def _typed(running: Agent, *words: str) -> tuple[int, str]:
    """What the command line answers, and its exit code."""
    arguments = (*LABKEEPER, "--socket", str(running.socket), *words)
    async with child(*arguments, stderr=asyncio.subprocess.STDOUT) as process:
        out, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode()


def _qualities(state: dict[str, Any]) -> set[str]:
    return {value["quality"] for value in state["values"].values()}


async def test_a_lost_device_is_stale_in_every_place_and_live_again_in_every_place(
    lab: Room, folder: Path
) -> None:
    oven = STATE.format("oven1")
    async with running_station(lab, folder) as (running, broker), witness(broker) as heard:
        live = await heard.until(oven, lambda state: state["state"] == "ready")
        assert _qualities(live.form) == {"simulated"}
        code, said = await _typed(running, "read", "oven1.temperature")
        assert (code, "simulated" in said) == (0, True)

        await lab.control.ask("oven1", do="stop")
        lost = await heard.until(oven, lambda state: state["state"] == "offline", 10)
        assert _qualities(lost.form) == {"stale"}
        assert _qualities((await running.devices())["oven1"]) == {"stale"}
        code, said = await _typed(running, "read", "oven1.temperature")
        assert (code, "stale" in said, "simulated" in said) == (3, True, False)
        code, said = await _typed(running, "set", "oven1.setpoint", "50")
        assert (code, "offline" in said) == (3, True)

        await lab.control.ask("oven1", do="start")
        await heard.until(oven, lambda state: _qualities(state) == {"simulated"}, RECOVERY_S)
        assert (await _typed(running, "read", "oven1.temperature"))[0] == 0


async def test_a_killed_broker_stops_nothing_and_knows_everything_again_when_it_is_back(
    lab: Room, folder: Path
) -> None:
    async with running_station(lab, folder) as (running, broker):
        await broker.kill()
        async with asyncio.timeout(10):
            while not running.events("mqtt.lost"):
                await asyncio.sleep(0.05)
        code, said = await _typed(running, "set", "oven1.setpoint", "61")
        assert (code, "61" in said) == (0, True)
        await broker.start()
        async with asyncio.timeout(RECOVERY_S), witness(broker) as heard:
            await heard.until(STATUS, lambda status: status["state"] == "online")
            for name in FIVE:
                await heard.until(STATE.format(name))
            value = heard.latest[STATE.format("oven1")].form["values"]["setpoint"]
            assert (value["value"], value["quality"]) == (61, "simulated")


async def test_a_killed_agent_is_told_of_by_its_will(lab: Room, folder: Path) -> None:
    async with running_station(lab, folder) as (running, broker), witness(broker) as heard:
        birth = await heard.until(STATUS, lambda status: status["state"] == "online")
        running.process.kill()
        will = await heard.until(STATUS, lambda status: status["state"] == "offline")
        assert will.form["session"] == birth.form["session"]

"""A real agent that is killed again and again: the next one only observes until a person releases it."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from agent.safety.observe_only import ENDS
from tests.lab.processes import Agent, Room, agent, station
from tests.lab.safe_bench import asked, output, typed

pytestmark = [pytest.mark.lab, pytest.mark.timeout(150)]

RECIPE = """\
name: blink
version: "1"
devices:
  supply: {driver: siglent.spd1000x, device: psu1}
steps:
  - set: {supply.voltage: 1}
"""


async def started(running: Agent) -> None:
    await running.until_said("agent.started", 30)


async def killed(folder: Path, config: str, times: int) -> None:
    """So many agents that are killed as soon as they speak to a device."""
    for _ in range(times):
        async with agent(folder, config) as running:
            await running.until_ready("psu1", seconds=30)
            running.process.kill()
            await running.ended()


async def alarm(running: Agent) -> dict[str, Any]:
    found = {it["alarm"]: it for it in await running.get("/alarms")}
    return dict(found["agent.observe_only"])


def station_of(lab: Room, folder: Path) -> str:
    (folder / "recipes").mkdir(parents=True)
    (folder / "recipes" / "blink.yaml").write_text(RECIPE, "utf-8")
    return station(folder, lab.five())


async def test_after_three_kills_devices_are_watched_and_stopped_and_take_nothing_else(
    lab: Room, folder: Path
) -> None:
    config = station_of(lab, folder)
    await killed(folder, config, ENDS)
    async with agent(folder, config) as running:
        await running.until_ready("psu1", "dmm1", "oven1", "printer1", "stage1", seconds=30)
        await started(running)
        [said] = running.events("start.observe_only")
        assert "nothing else is sent" in said["text"]
        assert "labkeeper settle --all" in said["text"]
        assert (await alarm(running))["state"] == "unacknowledged"
        await nothing_is_sent_but_off_and_stop(running)
        running.signal(signal.SIGTERM)
        assert await running.ended(6) == 0
    async with agent(folder, config) as running:
        await started(running)
        assert running.events("start.observe_only"), "a restart in order is nobody who has looked"
        await each_device_is_released_by_itself(running)
        running.process.kill()
        await running.ended()
    async with agent(folder, config) as running:
        await started(running)
        assert not running.events("start.observe_only"), "one more end begins a new row"
    shown = await typed("ledger", "show", "--state", str(folder / "state"))
    assert "전원 불안정" in shown.text
    assert not await output(lab)


async def nothing_is_sent_but_off_and_stop(running: Agent) -> None:
    assert (await asked(running, "read", "psu1.voltage", "--fresh")).code == 0
    assert (await asked(running, "set", "psu1.output", "off")).code == 0
    stopped = await asked(running, "stop", "psu1")
    assert (stopped.code, stopped.text) == (0, "psu1: stopped and safe\n")
    for words in (("set", "psu1.voltage", "3"), ("do", "stage1.home"), ("job", "start", "blink")):
        refused = await asked(running, *words)
        assert refused.code != 0, words
        assert "only observes" in refused.text, refused.text


async def each_device_is_released_by_itself(running: Agent) -> None:
    one = await asked(running, "settle", "psu1", "--reason", "봤음")
    assert (one.code, one.text) == (0, "psu1: 1 settled\n")
    assert (await asked(running, "set", "psu1.voltage", "3")).code == 0
    assert (await asked(running, "set", "oven1.setpoint", "40")).code == 2
    rest = await asked(running, "settle", "--all", "--reason", "전원 불안정, 고쳤음")
    assert (rest.code, rest.text.count(": 1 settled")) == (0, 4), rest.text
    assert running.events("start.released")
    assert (await alarm(running))["state"] == "returned"
    assert (await asked(running, "set", "oven1.setpoint", "40")).code == 0
    assert (await asked(running, "job", "start", "blink")).code == 0


async def test_an_end_in_order_ends_the_row(lab: Room, folder: Path) -> None:
    config = station_of(lab, folder)
    await killed(folder, config, ENDS - 1)
    async with agent(folder, config) as running:
        await started(running)
        running.signal(signal.SIGTERM)
        assert await running.ended(6) == 0
    await killed(folder, config, 1)
    assert kept(folder)["unclean_ends"] == []
    async with agent(folder, config) as running:
        await started(running)
        assert not running.events("start.observe_only")
        assert len(kept(folder)["unclean_ends"]) == 1


def kept(folder: Path) -> dict[str, Any]:
    """The safe-state file."""
    return dict(json.loads((folder / "state" / "safe-state.json").read_text()))

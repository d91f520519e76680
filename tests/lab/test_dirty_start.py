"""The start after an end without order: what is on is said, and left alone until somebody has looked."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.lab.processes import Agent, Room, agent, station
from tests.lab.safe_bench import asked, energised, kept, made_safe, output, typed

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]


async def _killed(lab: Room, folder: Path) -> str:
    """An agent that has switched the supply on is killed; return its config."""
    config = station(folder, lab.five())
    async with agent(folder, config) as running:
        await energised(running)
        running.process.kill()
        await running.ended()
    return config


async def _started(running: Agent) -> None:
    await running.until(lambda _: bool(running.events("agent.started")))


async def test_what_is_found_on_is_said_and_takes_off_and_stop_alone_until_somebody_has_looked(
    lab: Room, folder: Path
) -> None:
    config = await _killed(lab, folder)
    async with agent(folder, config) as running:
        await _started(running)
        assert "ended without order" in running.events("start.dirty")[0]["text"]
        doubts = {it["device"]: it["text"] for it in running.events("start.doubt")}
        assert doubts.keys() == {"psu1", "oven1"}
        assert "psu1 is blocked" in doubts["psu1"]
        assert "output on" in doubts["psu1"]
        assert "labkeeper settle psu1" in doubts["psu1"]
        assert {it["device"] for it in running.events("start.safe")} == {"printer1", "stage1"}
        refused = await asked(running, "set", "psu1.voltage", "3")
        assert (refused.code, "output on" in refused.text) == (2, True), refused.text
        assert (await asked(running, "set", "psu1.output", "on")).code == 2
        assert (await asked(running, "read", "psu1.output", "--fresh")).text.count(" on ") == 1
        said = await asked(running, "settle", "psu1", "--reason", "시험 중이라 켜 둔다")
        assert (said.code, said.text) == (0, "psu1: 1 settled\n")
        assert (await asked(running, "set", "psu1.voltage", "3")).code == 0
    shown = await typed("ledger", "show", "--state", str(folder / "state"))
    assert "시험 중이라 켜 둔다" in shown.text


async def test_off_is_never_refused_and_what_reads_off_is_free_again(
    lab: Room, folder: Path
) -> None:
    config = await _killed(lab, folder)
    async with agent(folder, config) as running:
        await _started(running)
        assert (await asked(running, "set", "psu1.output", "off")).code == 0
        assert (await asked(running, "set", "psu1.voltage", "3")).code == 0
        stopped = await asked(running, "stop", "oven1")
        assert stopped.code == 0, stopped.text
        assert (await asked(running, "set", "oven1.setpoint", "40")).code == 0


async def test_a_restart_in_order_does_not_take_the_place_of_a_look(
    lab: Room, folder: Path
) -> None:
    config = await _killed(lab, folder)
    async with agent(folder, config) as running:
        await _started(running)
        running.signal(signal.SIGTERM)
        assert await running.ended() == 0
    async with agent(folder, config) as running:
        await _started(running)
        assert not running.events("start.dirty")
        refused = await asked(running, "set", "psu1.voltage", "3")
        assert (refused.code, "output on" in refused.text) == (2, True), refused.text


async def test_what_make_safe_did_is_on_record_and_nothing_is_switched_on_again(
    lab: Room, folder: Path
) -> None:
    config = await _killed(lab, folder)
    assert (await made_safe(folder)).code == 0
    async with agent(folder, config) as running:
        await _started(running)
        made = {it["device"]: it["text"] for it in running.events("safe.made")}
        assert "psu1 was made safe at " in made["psu1"]
        assert not running.events("start.doubt")
        assert "psu1" in {it["device"] for it in running.events("start.safe")}
        assert (await asked(running, "set", "psu1.voltage", "3")).code == 0
        assert kept(folder)["psu1"]["seen"] == "off"
    assert not (folder / "state" / "made-safe.json").exists()
    shown = await typed("ledger", "show", "--state", str(folder / "state"), "--device", "psu1")
    assert shown.text.count("by `labkeeper make-safe`: output off") == 1, shown.text
    assert not await output(lab)


async def test_a_device_that_cannot_be_read_is_blocked_until_it_reads_off(
    lab: Room, folder: Path
) -> None:
    config = await _killed(lab, folder)
    await lab.control.ask("psu1", do="stop")
    async with agent(folder, config) as running:
        await _started(running)
        doubts = {it["device"]: it["text"] for it in running.events("start.doubt")}
        assert "can't be read" in doubts["psu1"]
        assert kept(folder)["psu1"]["seen"] == "on", "it was, and nobody has seen it off"
        await lab.control.ask("psu1", do="start")
        await running.until_ready("psu1")
        refused = await asked(running, "set", "psu1.voltage", "3")
        assert (refused.code, "output on" in refused.text) == (2, True), refused.text


async def test_when_the_file_is_damaged_every_device_that_can_do_harm_has_to_be_looked_at(
    lab: Room, folder: Path
) -> None:
    config = await _killed(lab, folder)
    (folder / "state" / "safe-state.json").write_text("{}")
    async with agent(folder, config) as running:
        await _started(running)
        assert "nobody knows" in running.events("start.dirty")[0]["text"]
        assert {it["device"] for it in running.events("start.doubt")} == {"psu1", "oven1"}
        assert {it["device"] for it in running.events("start.safe")} == {"printer1", "stage1"}


async def test_a_first_start_and_one_after_an_end_in_order_ask_nothing(
    lab: Room, folder: Path
) -> None:
    config = station(folder, lab.five())
    for _ in range(2):
        async with agent(folder, config) as running:
            await _started(running)
            assert "start." not in running.log
            running.signal(signal.SIGTERM)
            assert await running.ended() == 0

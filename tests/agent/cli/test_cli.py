"""Every command that asks once, against an agent that is served on a real Unix socket."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.fleet.states import DeviceState
from tests.agent.cli_bench import Command, Ended, ask, web
from tests.agent.web_bench import Web

__all__ = ["ask", "web"]  # fixtures
pytestmark = pytest.mark.lab


async def test_the_devices_are_listed_with_title_state_and_driver(ask: Command) -> None:
    ended = await ask("devices")
    assert ended.code == 0
    assert [line.split()[:4] for line in ended.out.splitlines()] == [
        ["device", "title", "state", "since"],
        ["oven1", "Bench", "supply", "ready"],
        ["psu1", "Bench", "supply", "ready"],
    ]
    assert "toy.supply" in ended.out


async def test_the_titles_come_in_the_language_of_the_person(
    ask: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert "벤치 전원" in (await ask("devices")).out


async def test_json_may_be_asked_for_before_or_after_the_command(ask: Command) -> None:
    before, after = await ask("--json", "devices"), await ask("devices", "--json")
    for ended in (before, after):
        assert [device["device"] for device in ended.json()] == ["oven1", "psu1"]


async def test_the_socket_may_be_named_before_or_after_and_beats_the_environment(
    ask: Command, web: Web, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LABKEEPER_SOCKET", str(tmp_path / "nobody.sock"))
    assert (await ask("devices")).code == 4
    assert (await ask("--socket", str(web.path), "devices")).code == 0
    assert (await ask("devices", "--socket", str(web.path))).code == 0


async def test_a_value_is_read_with_unit_quality_and_age(ask: Command) -> None:
    ended = await ask("read", "psu1.temperature")
    assert ended.code == 0
    heading, row = ended.out.splitlines()
    assert heading.split() == ["reading", "value", "quality", "age"]
    assert row.split()[:4] == ["psu1.temperature", "25", "°C", "good"]


async def test_whole_devices_and_single_values_are_read_together_as_json(ask: Command) -> None:
    ended = await ask("read", "psu1", "oven1.mode", "--json")
    assert ended.json()["oven1.mode"]["value"] == "cv"
    assert ended.json()["psu1.output"]["value"] is False


async def test_a_fresh_value_is_asked_of_the_device(ask: Command, web: Web) -> None:
    web.bench.simulators["psu1"].values["temp"] = 31.5
    ended = await ask("read", "psu1.temperature", "--fresh", "--json")
    assert ended.json()["psu1.temperature"]["value"] == 31.5


async def test_a_stale_value_is_called_so_and_the_command_ends_with_3(
    ask: Command, web: Web
) -> None:
    web.bench.simulators["psu1"].unplugged = True
    await web.bench.until_state("psu1", DeviceState.OFFLINE)
    ended = await ask("read", "psu1.temperature", "oven1.temperature")
    assert ended.code == 3
    stale, good = ended.out.splitlines()[1:]
    assert "stale" in stale
    assert "unplugged" in stale
    assert "good" in good
    assert "offline" in (await ask("devices")).out


async def test_a_fresh_value_that_can_not_be_had_is_bad_and_the_others_are_shown(
    ask: Command, web: Web
) -> None:
    web.bench.simulators["psu1"].unplugged = True
    await web.bench.until_state("psu1", DeviceState.OFFLINE)
    ended = await ask("read", "psu1.temperature", "oven1.temperature", "--fresh", "--json")
    assert ended.code == 3
    assert ended.json()["psu1.temperature"]["value"] is None
    assert ended.json()["psu1.temperature"]["quality"] == "bad"
    assert ended.json()["oven1.temperature"]["quality"] == "good"


async def test_a_setting_is_changed_and_what_the_device_reads_back_is_told(
    ask: Command, web: Web
) -> None:
    assert await ask("set", "psu1.voltage", "5V") == Ended(0, "psu1.voltage: 5 V\n", "")
    assert web.bench.simulators["psu1"].values["volt"] == 5.0
    assert (await ask("set", "psu1.output", "on")).out == "psu1.output: on\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set", "psu1.voltage", "99"], "99 V is above 16 V, the limit set by the model"),
        (["set", "psu1.voltage", "-5"], "-5 V is below 0 V"),
        (["set", "psu1.voltage", "5mV"], "write the number alone, in V"),
        (["set", "psu1.voltag", "5"], "did you mean voltage? Settings: voltage"),
        (["set", "psu1.temperature", "5"], "is a reading, which can't be set"),
        (["set", "psu2.voltage", "5"], "there is no device 'psu2'; did you mean psu1?"),
        (["set", "voltage", "5"], "'voltage' is not DEVICE.SETTING, such as psu1.voltage"),
        (["set", "psu1.voltage"], "VALUE; see `labkeeper set --help`"),
        (["set", "psu1.current_limit", "5"], "needs the role engineer"),
        (["read", "psu1.temperatures"], "did you mean temperature?"),
        (["read", "psu/1"], "there is no device 'psu/1'"),
        (["do", "psu1.rampe", "to=1"], "did you mean ramp? Commands: ramp, count, calibrate"),
        (["do", "psu1.ramp"], "psu1.ramp needs to"),
        (["do", "psu1.ramp", "to=99"], "99 V is above 16 V"),
        (["do", "psu1.count", "file=../secret"], "not a plain file name"),
        (["stop", "psu2"], "did you mean psu1?"),
        (["reconnect", "psu2"], "did you mean psu1?"),
        (["watch", "psu2"], "did you mean psu1?"),
        (["nonsense"], "there is no command 'nonsense'"),
        (["devices", "--jsn"], "unrecognized arguments: --jsn"),
        (["watch", "--seconds", "-1"], "not a number of seconds above 0"),
    ],
)
async def test_what_is_refused_is_a_sentence_and_ends_with_2(
    ask: Command, web: Web, words: list[str], said: str
) -> None:
    ended = await ask(*words)
    assert ended.code == 2
    assert said in ended.err
    assert ended.err.startswith("labkeeper: ")
    assert "Traceback" not in ended.err
    assert not [line for line in web.bench.simulators["psu1"].asked if " " in line]


async def test_a_refusal_is_a_json_document_for_programs(ask: Command) -> None:
    ended = await ask("set", "psu1.voltage", "99", "--json")
    error = ended.json()["error"]
    assert (ended.code, error["exit_code"], error["kind"]) == (2, 2, "Refused")
    assert "above 16 V" in error["message"]


async def test_a_command_runs_to_its_end_and_tells_what_it_gave(ask: Command) -> None:
    await ask("set", "psu1.output", "on")
    assert await ask("do", "psu1.ramp", "to=8", "seconds=0") == Ended(0, "psu1.ramp: 8\n", "")
    ended = await ask("do", "psu1.count", "file=part.gcode", "--json")
    assert ended.json() == {"status": "done", "message": "", "value": 2}


async def test_a_device_that_is_gone_is_trouble_and_ends_with_3(ask: Command, web: Web) -> None:
    web.bench.simulators["psu1"].unplugged = True
    await web.bench.until_state("psu1", DeviceState.OFFLINE)
    ended = await ask("set", "psu1.voltage", "5", "--json")
    assert ended.code == 3
    assert ended.json()["error"]["kind"] == "DeviceTrouble"
    assert "nothing was sent" in ended.err


async def test_an_unknown_outcome_is_called_unknown_and_ends_with_3(ask: Command, web: Web) -> None:
    simulator = web.bench.simulators["psu1"]
    await ask("read", "psu1")  # whatever is imported first must not take the time of what follows
    simulator.silent = True
    ended = await ask("set", "psu1.voltage", "5", "--json")
    assert ended.code == 3
    assert ended.json()["error"]["kind"] == "OutcomeUnknown"
    assert "look at the device before going on" in ended.err


async def test_stop_tells_of_each_device_what_was_confirmed(ask: Command, web: Web) -> None:
    both = "oven1: stopped and safe\npsu1: stopped and safe\n"
    assert await ask("stop") == Ended(0, both, "")
    assert await ask("stop", "psu1") == Ended(0, "psu1: stopped and safe\n", "")
    web.bench.simulators["oven1"].unplugged = True
    await web.bench.until_state("oven1", DeviceState.OFFLINE)
    ended = await ask("stop")
    unsafe, safe = ended.out.splitlines()
    assert ended.code == 3
    assert unsafe.startswith("oven1: NOT CONFIRMED SAFE, go and look: oven1 is offline")
    assert safe == "psu1: stopped and safe"
    alone = await ask("stop", "oven1", "--json")
    assert alone.code == 3
    assert alone.json()["devices"]["oven1"]["status"] == "failed"


async def test_reconnect_ends_the_wait(ask: Command, web: Web) -> None:
    simulator = web.bench.simulators["psu1"]
    simulator.identity = "Other,T9,S9,1.0"
    simulator.unplugged = True
    await web.bench.until_state("psu1", DeviceState.OFFLINE)
    simulator.unplugged = False
    await web.bench.until_state("psu1", DeviceState.WRONG_DEVICE)
    simulator.identity = "Toy,T1,S1,1.0"
    assert (await ask("reconnect", "psu1")).code == 0
    await web.bench.until_state("psu1", DeviceState.READY)

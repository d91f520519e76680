"""The one door: what it refuses, in which words, and that nothing is sent then."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.fleet.samples import Status
from agent.roles import Actor
from drivers import Limits, Role, Span
from tests.agent.bench import PLAN, station_in_memory

TECHNICIAN = Actor(name="kim", origin="cli", role=Role.TECHNICIAN)
ENGINEER = Actor(name="lee", origin="cli", role=Role.ENGINEER)
OBSERVER = Actor(name="visitor", origin="api", role=Role.OBSERVER)


async def test_an_allowed_setting_reaches_the_device_and_is_told_as_an_event() -> None:
    async with station_in_memory() as bench:
        outcome = await bench.station.gate.set(TECHNICIAN, "psu1", "voltage", 5)
        assert (outcome.status, outcome.value) == (Status.DONE, 5.0)
        event = bench.events.kept[-1]
        assert event.kind == "set.done"
        assert event.data["actor"] == "kim"
        assert "psu1.voltage" in event.text


@pytest.mark.parametrize(
    ("device", "name", "value", "words"),
    [
        ("psu9", "voltage", 1.0, ["psu9", "devices: psu1"]),
        ("psu1", "voltag", 1.0, ["voltag", "settings: voltage"]),
        ("psu1", "temperature", 1.0, ["temperature", "can't be set"]),
        ("psu1", "voltage", "5", ["'5'", "a number in V"]),
        ("psu1", "voltage", True, ["True", "a number in V"]),
        ("psu1", "voltage", float("nan"), ["nan", "a number in V"]),
        ("psu1", "voltage", 16.5, ["16.5 V", "above 16 V", "the model"]),
        ("psu1", "output", 1, ["1", "true or false"]),
    ],
)
async def test_a_wrong_setting_is_refused_in_words_and_nothing_is_sent(
    device: str, name: str, value: object, words: list[str]
) -> None:
    async with station_in_memory() as bench:
        outcome = await bench.station.gate.set(ENGINEER, device, name, value)
        assert outcome.status is Status.REFUSED
        for word in words:
            assert word in outcome.message
        assert not [line for line in bench.simulators["psu1"].asked if " " in line]


async def test_a_limit_of_the_config_is_refused_with_the_line_that_set_it() -> None:
    limits = Limits({"voltage": Span(high=5.5, high_source="station.yaml:12")})
    async with station_in_memory(replace(PLAN, limits=limits)) as bench:
        outcome = await bench.station.gate.set(ENGINEER, "psu1", "voltage", 6)
        assert outcome.status is Status.REFUSED
        assert "above 5.5 V, the limit set by station.yaml:12" in outcome.message
        ramped = await bench.station.gate.do(ENGINEER, "psu1", "ramp", {"to": 6})
        assert ramped.status is Status.REFUSED
        assert "station.yaml:12" in ramped.message
        assert bench.simulators["psu1"].values["volt"] == 0.0


async def test_a_role_below_the_needed_one_is_refused_with_both_named() -> None:
    async with station_in_memory() as bench:
        gate = bench.station.gate
        for outcome in (
            await gate.set(TECHNICIAN, "psu1", "current_limit", 2),
            await gate.do(TECHNICIAN, "psu1", "calibrate", {}),
        ):
            assert outcome.status is Status.REFUSED
            assert "engineer" in outcome.message
            assert "technician" in outcome.message
        assert (await gate.set(OBSERVER, "psu1", "voltage", 1)).status is Status.REFUSED
        assert (await gate.set(ENGINEER, "psu1", "current_limit", 2)).status is Status.DONE


@pytest.mark.parametrize(
    ("command", "arguments", "words"),
    [
        ("fly", {}, ["fly", "commands: ramp"]),
        ("ramp", {}, ["ramp.to is missing"]),
        ("ramp", {"to": 1, "at": 2}, ["no argument at", "to, seconds"]),
        ("ramp", {"to": 99}, ["ramp.to", "above 16 V"]),
        ("count", {"file": "../secret"}, ["not a plain file name"]),
        ("count", {"file": "missing.gcode"}, ["no file"]),
        ("count", {"file": 5}, ["a file"]),
    ],
)
async def test_a_wrong_command_is_refused_in_words(
    command: str, arguments: dict[str, object], words: list[str], tmp_path: Path
) -> None:
    async with station_in_memory(folder=tmp_path) as bench:
        outcome = await bench.station.gate.do(ENGINEER, "psu1", command, arguments)
        assert outcome.status is Status.REFUSED
        for word in words:
            assert word in outcome.message


async def test_a_command_is_given_a_file_by_name_and_reads_it_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "시편.gcode").write_text("G28\nG1 X1\n\nM104 S0")
    async with station_in_memory(folder=tmp_path) as bench:
        outcome = await bench.station.gate.do(TECHNICIAN, "psu1", "count", {"file": "시편.gcode"})
        assert (outcome.status, outcome.value) == (Status.DONE, 4)


async def test_stop_needs_no_role() -> None:
    async with station_in_memory() as bench:
        bench.simulators["psu1"].values["outp"] = 1.0
        outcome = await bench.station.gate.stop(OBSERVER, "psu1")
        assert outcome.status is Status.DONE
        assert bench.simulators["psu1"].values["outp"] == 0.0
        assert (await bench.station.gate.stop(OBSERVER, "psu9")).status is Status.REFUSED


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", "a\nb", "\0", "/etc/passwd", "link", "folder"]
)
async def test_a_file_name_never_leads_out_of_the_store(name: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").mkdir()
    async with station_in_memory(folder=tmp_path) as bench:
        outcome = await bench.station.gate.do(ENGINEER, "psu1", "count", {"file": name})
        assert outcome.status is Status.REFUSED

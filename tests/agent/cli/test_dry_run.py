"""The parts of a dry run: what stands in for what, and why no link can lead to a device."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any

import pytest

from agent.cli.dry.answers import answer_to, made_up
from agent.cli.dry.clock import FastClock
from agent.cli.dry.report import Report
from agent.cli.dry.station import RehearsalAgent, Rehearsed, on_twins, rehearsable
from agent.cli.dry.twins import TWINS, rooms_of, twins_of
from agent.clock import SystemClock
from agent.errors import Refused
from agent.fleet.plan import Plan, plan_for
from agent.settings import load
from agent.systemd import Notifier
from drivers import Address
from drivers.catalogue import DRIVERS
from tests.agent.recipe_bench import demo_station

FORM: dict[str, Any] = {
    "type": "number", "unit": "V", "low": 2.0, "high": 5.0, "choices": [], "pattern": None,
    "default": None,
}  # fmt: skip


class Ticking:
    """A clock that nothing but sleep moves."""

    def __init__(self) -> None:
        self.passed = 0.0

    def utc(self) -> float:
        return 1_800_000_000.0 + self.passed

    def monotonic(self) -> float:
        return 50.0 + self.passed

    async def sleep(self, seconds: float) -> None:
        self.passed += seconds


def rehearsed(folder: Path, **addresses: str) -> Rehearsed:
    return Rehearsed(
        config="station.yaml", folder=str(folder), speed=20, addresses=addresses, keys={}
    )


def test_every_twin_stands_in_for_a_driver_of_the_catalogue() -> None:
    assert TWINS.keys() <= DRIVERS.keys()


def test_a_second_device_of_a_kind_has_a_second_room() -> None:
    twins = twins_of({"a": "siglent.spd1000x", "b": "siglent.spd1000x", "c": "autonics.tk4"})
    assert rooms_of(twins) == [["psu1", "oven1"], ["psu1"]]
    assert twins[1].at({"tcp": ["127.0.0.1", 5]}) == "tcp://127.0.0.1:5"


def test_nothing_of_the_station_that_reaches_outside_is_left(tmp_path: Path) -> None:
    station = demo_station(tmp_path)
    made = on_twins(station, rehearsed(tmp_path / "dry", psu1="tcp://127.0.0.1:9"))
    assert list(made.devices) == ["psu1"]
    assert made.devices["psu1"].address == Address.parse("tcp://127.0.0.1:9")
    assert made.devices["psu1"].simulated
    assert (made.mqtt, made.metrics) == (None, None)
    for path in (made.state, made.files, made.runs, made.api.socket, made.api.token_file):
        assert path.is_relative_to(tmp_path / "dry")
    assert rehearsable(station, {}) == {}


WATCHED_AND_AT_NIGHT = """
alarms:
  low: {reading: psu1.voltage, low: 1}
  hot: {reading: oven1.temperature, high: 90}
schedules:
  nightly: {recipe: psu_check, cron: "* * * * *", zone: Asia/Seoul}
"""


def test_a_rehearsal_begins_no_job_of_a_schedule_and_watches_its_twins_alone(
    tmp_path: Path,
) -> None:
    file = demo_station(tmp_path).file
    own, _, _ = file.read_text("utf-8").partition("alarms:")
    file.write_text(own + WATCHED_AND_AT_NIGHT, "utf-8")
    station = load(file)
    assert list(station.schedules) == ["nightly"]
    made = on_twins(station, rehearsed(tmp_path / "dry", psu1="tcp://127.0.0.1:9"))
    assert made.schedules == {}
    assert list(made.alarms) == ["low"]


def test_a_link_to_anything_but_a_twin_is_refused_even_if_the_config_names_it(
    tmp_path: Path,
) -> None:
    station = demo_station(tmp_path)
    ports: Any = None  # nothing is bound: the agent is never run
    agent = RehearsalAgent(
        *(tmp_path / "none", station, ports, "t" * 32),
        clock=SystemClock(), rng=Random(0), notifier=Notifier({}),
    )  # fmt: skip
    agent.allow({"psu1": "tcp://127.0.0.1:9"})
    plan = plan_for(station.devices["psu1"], station.reconnect)
    with pytest.raises(Refused, match="psu1: a dry run opens links to its simulators"):
        asyncio.run(opened(agent, plan))


async def opened(agent: RehearsalAgent, plan: Plan) -> None:
    async with agent._open_driver(plan):
        raise AssertionError("a link was opened")


async def test_its_clock_goes_as_fast_as_the_simulators() -> None:
    base = Ticking()
    clock = FastClock(base, 20)
    before, utc = clock.monotonic(), clock.utc()
    await clock.sleep(10)
    assert clock.monotonic() - before == pytest.approx(10)
    assert clock.utc() - utc == pytest.approx(10)
    assert base.passed == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("more", "value"),
    [
        ({}, 2.0),
        ({"low": None}, 0.0),
        ({"low": None, "high": -3.0}, -3.0),
        ({"type": "integer"}, 2),
        ({"default": 4.5}, 4.5),
        ({"type": "choice", "choices": ["slow", "fast"]}, "slow"),
        ({"type": "boolean"}, True),
        ({"type": "lot"}, "DRY-RUN"),
    ],
)
def test_a_value_is_made_up_that_fits(more: dict[str, Any], value: object) -> None:
    assert made_up("x", FORM | more) == value
    assert answer_to({"value": FORM | more, "texts": {"en": "x"}}) == value


@pytest.mark.parametrize("more", [{"type": "file"}, {"type": "text", "pattern": "[A-Z]{3}"}])
def test_what_only_a_person_can_know_is_asked_for(more: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="x is missing: a dry run makes up no"):
        made_up("x", FORM | more)


def test_a_report_tells_each_thing_once_in_the_order_of_time() -> None:
    job = MappingProxyType(
        {
            "began": "2026-01-01T00:00:00.000Z",
            "measures": [
                {"time": "2026-01-01T00:01:05.000Z", "name": "a", "value": 1.0, "unit": "V",
                 "verdict": "pass", "reason": ""}
            ],
            "log": [],
            "answers": [],
        }
    )  # fmt: skip
    event = {
        "time": "2026-01-01T00:00:01.000Z",
        "kind": "set.done",
        "text": "kim (job) set psu1.voltage 5: done",
        "data": {"origin": "job"},
    }
    other = {**event, "kind": "device.ready", "text": "psu1 is ready", "data": {}}
    report = Report("en")
    assert list(report.of(job, [event, other])) == [
        "      + 1.0 s  set psu1.voltage 5: done",
        " + 1 min 05 s  a: 1 V, pass",
    ]
    assert list(report.of(job, [event, other])) == []

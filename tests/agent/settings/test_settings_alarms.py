"""What a config says of alarms, and what is wrong with them, each with its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from agent.settings import Condition, Todo
from tests.agent.alarms_bench import CONFIG, settings_of
from tests.agent.settings_bench import complaints, use_toys

DEVICES = CONFIG[: CONFIG.index("alarms:")]


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    use_toys(monkeypatch)


def test_an_alarm_is_read_as_it_is_written(tmp_path: Path) -> None:
    found = settings_of(tmp_path).alarms["hot"]
    assert found.condition == Condition(
        device="oven1", reading="temperature", unit="Cel", below=60.0, hysteresis=5.0
    )
    assert (found.priority, found.delay, found.group) == ("high", 0.0, "oven1")
    assert found.todo == Todo(en="Open the door")
    assert found.title.ko == "오븐 과열"


@pytest.mark.parametrize(
    ("alarm", "said"),
    [
        ("{high: 1}", "reading: is missing: add it"),
        ("{reading: oven9.temperature, high: 1}", "no device is called oven9; did you mean oven1?"),
        ("{reading: oven1.humidity, high: 1}", "oven1 has no such reading; allowed: temperature"),
        ("{reading: oven1.temperature}", "watches for nothing: give high, low or equals"),
        ("{reading: oven1.temperature, equals: true}", "use high and low"),
        ("{reading: psu1.output, high: 1}", "use equals"),
        ("{reading: psu1.output, equals: bright}", "'bright' is not allowed"),
        ("{reading: psu1.output, equals: true, hysteresis: 1}", "belongs to high and low"),
        ("{reading: oven1.temperature, high: 1, equals: true}", "keep one of them"),
        ("{reading: oven1.temperature, high: 5, low: 1, hysteresis: 2}", "it would never end"),
        (
            "{reading: oven1.temperature, high: 5, priority: urgent}",
            "allowed: 'low', 'medium', 'high' or 'critical'",
        ),
        ("{reading: oven1.temperature, high: 5, delay: -1}", "must be 0 or more"),
    ],
)
def test_what_is_wrong_with_an_alarm_is_said_with_its_place(
    tmp_path: Path, alarm: str, said: str
) -> None:
    found = complaints(tmp_path, f"{DEVICES}alarms:\n  x: {alarm}\n")
    assert len(found) == 1
    assert said in found[0]
    assert found[0].startswith("station.yaml:6:")


def test_a_reading_that_is_only_read_when_asked_can_not_be_watched(tmp_path: Path) -> None:
    unpolled = DEVICES.replace("temperature: 2", "temperature: 0")
    alarm = "{reading: oven1.temperature, high: 5}"
    (found,) = complaints(tmp_path, f"{unpolled}alarms:\n  x: {alarm}\n")
    assert "it is read only when asked, and an alarm must follow it" in found


def test_a_change_of_the_offline_alarm_alone_replaces_no_device(tmp_path: Path) -> None:
    from agent.settings import changed

    before = settings_of(tmp_path)
    after = settings_of(tmp_path, CONFIG.replace("offline_alarm: null", "offline_alarm: 5"))
    assert changed(before, after).changed == ()


def test_the_end_of_a_calibration_is_a_day_and_replaces_no_device(tmp_path: Path) -> None:
    from agent.settings import changed

    before = settings_of(tmp_path)
    until = "offline_alarm: null, calibrated_until: {}"
    after = settings_of(tmp_path, CONFIG.replace("offline_alarm: null", until.format("2027-03-31")))
    assert after.devices["psu1"].calibrated_until == date(2027, 3, 31)
    assert changed(before, after).changed == ()
    wrong = CONFIG.replace("offline_alarm: null", until.format("31.3.2027"))
    (found,) = complaints(tmp_path, wrong)
    assert "calibrated_until: '31.3.2027' is not a day: write it as 2027-03-31" in found

"""What a config says of interlocks, and what is wrong with them, each with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cli import main
from agent.settings import Condition
from tests.agent.settings_bench import complaints, loaded, use_toys

DEVICES = """\
name: bench-3
devices:
  psu1: {driver: toy.supply, address: "tcp://192.0.2.1:1"}
  oven1: {driver: toy.oven, address: "modbus+tcp://192.0.2.2", poll: {temperature: 2}}
  spare: {driver: toy.supply, address: "tcp://192.0.2.3:1", enabled: false}
interlocks:
"""
RIGHT = """\
  cool:
    title: {en: Oven is cool, ko: 오븐이 식었음}
    requires:
      oven1.temperature: {below: 60, hysteresis: 5}
      psu1.output: {equals: false}
    guards: [psu1.ramp, psu1.voltage]
    trip: [psu1, oven1]
    delay: 0.5
    max_age: 30
"""


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    use_toys(monkeypatch)


def wrong(folder: Path, *lines: str) -> list[str]:
    """What is said of an interlock called x with these lines."""
    text = DEVICES + "".join(f"{it}\n" for it in ("  x:", *lines))
    return complaints(folder, text)


def test_an_interlock_is_read_as_it_is_written(tmp_path: Path) -> None:
    (found,) = loaded(tmp_path, DEVICES + RIGHT).interlocks.values()
    assert found.name == "cool"
    assert found.title.ko == "오븐이 식었음"
    assert found.requires == (
        Condition(device="oven1", reading="temperature", unit="Cel", below=60.0, hysteresis=5.0),
        Condition(device="psu1", reading="output", equals=False),
    )
    assert found.guards == {"psu1.ramp", "psu1.voltage"}
    assert (found.trip, found.delay, found.max_age) == (("psu1", "oven1"), 0.5, 30.0)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("oven9.temperature: {below: 1}", "no device is called oven9; did you mean oven1?"),
        ("oven1.humidity: {below: 1}", "oven1 has no such reading; allowed: temperature"),
        ("spare.output: {equals: true}", "spare is not enabled: nobody reads it"),
        ("temperature: {below: 1}", "allowed: a device and one of its readings"),
        ("oven1.temperature: {}", "requires nothing of it: give above, below or equals"),
        ("oven1.temperature: {equals: true}", "a number in °C: use above and below"),
        ("psu1.output: {above: 1}", "output is true or false: use equals"),
        ("psu1.output: {equals: run}", "'run' is not allowed: output is true or false"),
        ("oven1.temperature: {above: 1, equals: true}", "above is given as well"),
        ("oven1.temperature: {above: 9, below: 3}", "nothing is above 9 and below 3"),
        (
            "oven1.temperature: {above: 1, below: 9, hysteresis: 4}",
            "nothing is above 1 and below 9 by a hysteresis of 4",
        ),
        ("psu1.output: {equals: true, hysteresis: 1}", "belongs to above and below"),
        ("oven1.temperature: {under: 1}", "there is no such key here"),
        ("oven1.temperature: {below: warm}", "'warm' is not a number"),
    ],
)
def test_a_wrong_condition_is_told_of_with_its_line(
    tmp_path: Path, condition: str, said: str
) -> None:
    found = wrong(tmp_path, "    requires:", f"      {condition}", "    trip: [psu1]")
    assert len(found) == 1
    assert found[0].startswith("station.yaml:9:")
    assert said in found[0]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "does nothing: give guards, trip or both"),
        (["    guards: [psu1.rampe]"], "psu1.rampe: psu1 has no such setting or command"),
        (["    guards: [psu1.measured_voltage]"], "psu1 has no such setting or command"),
        (["    guards: [psu2.ramp]"], "psu2.ramp: no device is called psu2"),
        (["    trip: [psu2]"], "no device is called psu2; did you mean psu1?"),
        (["    trip: [spare]"], "spare is not enabled"),
        (
            ["    trip: [psu1]", "    max_age: 2"],
            "it is read every 2 s, and its value is believed for 2 s",
        ),
        (["    trip: [psu1]", "    delay: -1"], "must be 0 or more"),
    ],
)
def test_what_an_interlock_is_for_is_checked_too(
    tmp_path: Path, lines: list[str], said: str
) -> None:
    found = wrong(tmp_path, "    requires:", "      oven1.temperature: {below: 60}", *lines)
    assert len(found) == 1
    assert said in found[0]


def test_a_reading_that_is_read_only_when_asked_can_not_be_required(tmp_path: Path) -> None:
    text = (DEVICES + RIGHT).replace("poll: {temperature: 2}", "poll: {temperature: 0}")
    (found,) = complaints(tmp_path, text)
    assert "it is read only when asked: poll it, at least every 30 s" in found


def test_an_interlock_without_conditions_is_refused(tmp_path: Path) -> None:
    (found,) = wrong(tmp_path, "    requires: {}", "    trip: [psu1]")
    assert "has 0 entries; at least 1 are needed" in found


@pytest.mark.parametrize("simulated", [False, True])
def test_simulated_values_count_only_where_all_that_is_protected_is_simulated(
    tmp_path: Path, *, simulated: bool
) -> None:
    marked = 'tcp://192.0.2.1:1", simulated: true}'
    devices = DEVICES.replace('tcp://192.0.2.1:1"}', marked)
    lines = "  x: {requires: {oven1.temperature: {below: 60}}, guards: [psu1.ramp]}\n"
    (found,) = loaded(tmp_path, (devices if simulated else DEVICES) + lines).interlocks.values()
    assert found.simulated is simulated


FEIGNED = """\
name: bench-3
devices:
  psu1: {{driver: toy.supply, address: "tcp://192.0.2.1:1", simulated: {real}}}
  psu2: {{driver: toy.supply, address: "tcp://192.0.2.3:1", simulated: true}}
  oven1:
    driver: toy.oven
    address: "modbus+tcp://192.0.2.2"
    poll: {{temperature: 2}}
    simulated: {simulated}
interlocks:
  cool:
    requires:
      oven1.temperature: {{below: 60}}
    guards: [psu1.voltage, psu2.voltage]
"""


def test_a_real_device_whose_interlock_looks_at_a_simulated_one_is_a_warning(
    tmp_path: Path,
) -> None:
    found = loaded(tmp_path, FEIGNED.format(real="false", simulated="true"))
    (warning,) = found.warnings
    assert warning.key == "interlocks.cool.requires.oven1.temperature"
    assert warning.line == 13
    assert "never holds: oven1 is simulated, and says nothing of psu1;" in warning.text


@pytest.mark.parametrize(("real", "simulated"), [("true", "true"), ("false", "false")])
def test_where_all_is_simulated_or_what_is_read_is_real_there_is_nothing_to_warn_of(
    tmp_path: Path, real: str, simulated: str
) -> None:
    assert not loaded(tmp_path, FEIGNED.format(real=real, simulated=simulated)).warnings


def test_check_shows_the_warning_and_the_config_is_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "station.yaml"
    file.write_text(FEIGNED.format(real="false", simulated="true"), encoding="utf-8")
    assert main(["check", "--config", str(file)]) == 0
    shown = capsys.readouterr()
    assert "this interlock never holds: oven1 is simulated" in shown.out + shown.err

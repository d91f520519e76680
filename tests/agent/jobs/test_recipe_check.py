"""A recipe held against a station: what would go wrong is said before anything moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.jobs.checks.check import check
from agent.jobs.recipes.library import read_library
from agent.settings import load
from drivers import Role
from tests.agent.recipe_bench import (
    HOT,
    LEVEL,
    checked,
    demo_station,
    loaded,
    recipe_text,
    said,
    three_recipes,
    write,
)


def test_a_recipe_that_is_right_has_no_problems_and_tells_devices_and_role(tmp_path: Path) -> None:
    found = checked(tmp_path, "- set: {supply.voltage: =level}\n- do: stage.home", parameters=LEVEL)
    assert found.problems == ()
    assert found.devices == {"supply": "psu1", "stage": "stage1"}
    assert found.role is Role.TECHNICIAN
    found.must_be_right()


def test_the_role_is_that_of_the_step_that_needs_most(tmp_path: Path) -> None:
    found = checked(tmp_path, "- set: {supply.voltage: 1}\n- set: {supply.current_limit: 1}")
    assert found.role is Role.ENGINEER
    assert found.demanding == f"set supply.current_limit ({tmp_path}/trial.yaml:7)"
    assert checked(tmp_path, "- record: [supply.voltage]").role is Role.OBSERVER


def test_a_limit_of_the_config_is_named_with_its_line(tmp_path: Path) -> None:
    demo_station(tmp_path)
    file = tmp_path / "station.yaml"
    narrowed = file.read_text("utf-8").replace(
        "    on_shutdown: make_safe",
        "    on_shutdown: make_safe\n    limits: {voltage: {high: 5}}",
        1,
    )
    file.write_text(narrowed, "utf-8")
    [line] = said(checked(tmp_path, "- set: {supply.voltage: 6}", station=load(file)))
    assert "6 V is above 5 V, the limit set by" in line
    assert "station.yaml:" in line


def test_everything_is_said_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    found = checked(
        tmp_path,
        """
        - set: {supply.voltage: 99, supply.output: 1}
        - wait: =x
        - if: y > 1
          then: [do: stage.hom]
        """,
        parameters=HOT,
        tail="finally: [set: {supply.voltage: -1}]",
    )
    assert [problem.key for problem in found.problems] == [
        "parameters.hot",
        "steps.0.set.supply.voltage",
        "steps.0.set.supply.output",
        "steps.1.wait",
        "steps.2.if",
        "steps.2.then.0.do",
        "finally.0.set.supply.voltage",
    ]
    with pytest.raises(ConfigError) as caught:
        found.must_be_right()
    assert caught.value.problems == found.problems


@pytest.mark.parametrize(
    ("tail", "complaint"),
    [
        ("finally: [set: {supply.voltage: =v}]",
         "v may have no value here: finally runs as well when its step was never reached"),
        ("on_stop: [confirm: well?]",
         "on_stop.0.confirm: confirm has no place in on_stop: a stop waits for nothing and begins nothing"),
        ("on_stop: [wait: {until: oven.temperature < 50, within: 1 h}]", "on_stop.0.wait: wait has no place"),
        ("on_stop: [{print: a.gcode, on: printer}]", "on_stop.0.print: print has no place in on_stop"),
    ],
)  # fmt: skip
def test_what_runs_at_the_end_depends_on_nothing_that_may_be_missing(
    tail: str, complaint: str, tmp_path: Path
) -> None:
    found = said(checked(tmp_path, "- measure: {v: {value: supply.voltage}}", tail=tail))
    assert [line for line in found if complaint in line], found


def test_a_message_may_speak_of_what_may_be_missing(tmp_path: Path) -> None:
    steps = "- measure: {v: {value: supply.voltage}}"
    assert said(checked(tmp_path, steps, tail="finally: [log: 'it was {v} V']")) == []


def test_what_both_sides_of_an_if_give_is_there_afterwards(tmp_path: Path) -> None:
    steps = """
    - if: hot > 50
      then: [measure: {v: {value: supply.voltage}}]
      else: [measure: {v: {value: supply.measured_voltage}}]
    - repeat: {times: 2}
      steps: [measure: {w: {value: supply.voltage}}]
    - set: {supply.voltage: =v - w + w}
    """
    assert said(checked(tmp_path, steps, parameters=HOT)) == []


def test_a_side_that_ends_the_job_need_not_give_it(tmp_path: Path) -> None:
    steps = """
    - if: hot > 50
      then: [measure: {v: {value: supply.voltage}}]
      else: [fail: too cold]
    - set: {supply.voltage: =v}
    """
    assert said(checked(tmp_path, steps, parameters=HOT)) == []


@pytest.mark.parametrize(
    ("role", "complaint"),
    [
        ("{device: psu1}", "devices.it: give driver, or needs: one of the two says which"),
        ("{driver: siglent.spd1000x, device: psu9}",
         "devices.it.device: {station} has no device 'psu9'; did you mean psu1?"),
        ("{driver: siglent.spd1305x, device: psu1}", "devices.it.device: psu1 has the driver siglent.spd1000x ("),
        ("{driver: siglent.spd1000y, device: psu1}",
         "devices.it.driver: no driver is called 'siglent.spd1000y'; did you mean siglent.spd1000x?"),
        ("{driver: [siglent.spd1000x, siglent.spd13], device: psu1}",
         "devices.it.driver: no driver is called 'siglent.spd13'; did you mean siglent.spd1305x?"),
        ("{needs: [voltage V, wattage W], device: psu1}", "devices.it.needs: psu1 has no wattage"),
        ("{needs: [voltage A], device: psu1}", "devices.it.needs: psu1 has voltage in V, not in A"),
    ],
)  # fmt: skip
def test_a_device_that_can_not_play_its_role_is_refused(
    role: str, complaint: str, tmp_path: Path
) -> None:
    text = f'name: trial\nversion: "1"\ndevices: {{it: {role}}}\nsteps: [set: {{it.voltage: 1}}]\n'
    write(tmp_path, text)
    entry = read_library(tmp_path).find("trial")
    found = said(check(entry, demo_station(tmp_path)))
    assert found
    wanted = complaint.replace("{station}", f"{tmp_path}/station.yaml")
    assert [line for line in found if wanted in line], found


def test_a_role_can_be_played_by_another_device_that_was_chosen(tmp_path: Path) -> None:
    entry = loaded(tmp_path, "- set: {supply.voltage: 1}")
    station = demo_station(tmp_path)
    assert (
        "oven1 has the driver autonics.tk4"
        in said(check(entry, station, devices={"supply": "oven1"}))[0]
    )
    assert "there is no role 'suplx'" in said(check(entry, station, devices={"suplx": "psu1"}))[0]


def test_without_a_station_only_what_is_true_anywhere_is_checked(tmp_path: Path) -> None:
    entry = loaded(tmp_path, "- set: {supply.voltage: 99}\n- set: {oven.setpiont: 5}")
    first, second = said(check(entry, None))
    assert "99 V is above 16 V, the limit set by the model" in first
    assert "'setpiont' is not among what it `needs`: add it there; did you mean setpoint?" in second


def test_arguments_are_checked_where_they_are_used(tmp_path: Path) -> None:
    entry = loaded(tmp_path, "- set: {supply.voltage: =level * 4}", parameters=LEVEL)
    station = demo_station(tmp_path)
    assert said(check(entry, station)) == []
    [line] = said(check(entry, station, arguments={"level": 5.0}))
    assert "level * 4 may be 20: supply.voltage: 20 V is above 16 V" in line


def test_a_file_to_print_must_be_in_the_store_where_that_is_known(tmp_path: Path) -> None:
    entry = loaded(tmp_path, "- print: part.gcode\n  on: printer")
    station = demo_station(tmp_path)
    assert said(check(entry, station)) == []
    assert said(check(entry, station, stored=frozenset({"part.gcode"}))) == []
    [line] = said(check(entry, station, stored=frozenset({"past.gcode"})))
    assert "there is no file 'part.gcode' in the store; did you mean past.gcode?" in line


def test_a_recipe_that_is_called_gets_our_devices_and_is_checked_with_them(tmp_path: Path) -> None:
    three_recipes(tmp_path)
    steps = (
        "- call: inner\n  with: {level: 5}\n  devices: {supply: oven}\n- set: {oven.running: true}"
    )
    found = said(checked(tmp_path, steps))
    assert [
        line for line in found if "devices.supply.device: oven1 has the driver autonics.tk4" in line
    ], found


def test_two_roles_of_one_device_are_one_device_for_branches(tmp_path: Path) -> None:
    text = (
        'name: trial\nversion: "1"\ndevices:\n'
        "  a: {driver: siglent.spd1000x, device: psu1}\n  b: {driver: siglent.spd1000x, device: psu1}\n"
        "steps:\n- parallel: {x: [set: {a.voltage: 1}], y: [set: {b.voltage: 1}]}\n"
    )
    write(tmp_path, text)
    [line] = said(check(read_library(tmp_path).find("trial"), demo_station(tmp_path)))
    assert "psu1 is told what to do in x as well" in line


def test_a_branch_that_calls_a_recipe_moves_what_that_recipe_moves(tmp_path: Path) -> None:
    three_recipes(tmp_path)
    both = (
        "- parallel:\n    a: [{call: inner, with: {level: 1}}]\n    b: [set: {supply.output: true}]"
    )
    assert "psu1 is told what to do in a as well" in "".join(said(checked(tmp_path, both)))
    apart = (
        "- parallel:\n    a: [{call: inner, with: {level: 1}}]\n    b: [set: {oven.running: true}]\n"
        "- record: [supply.voltage]"
    )
    assert said(checked(tmp_path, apart)) == []


def test_every_driver_of_a_role_must_offer_what_steps_use(tmp_path: Path) -> None:
    text = (
        'name: trial\nversion: "1"\ndevices:\n'
        "  it: {driver: [siglent.spd1000x, autonics.tk4], device: psu1}\nsteps: [set: {it.voltage: 1}]\n"
    )
    write(tmp_path, text)
    [line] = said(check(read_library(tmp_path).find("trial"), demo_station(tmp_path)))
    assert "devices.it.driver.1: autonics.tk4 has no voltage, which steps use" in line


def test_a_recipe_that_is_called_is_checked_with_the_values_that_it_gets(tmp_path: Path) -> None:
    three_recipes(tmp_path)
    wide = recipe_text(
        "- set: {supply.voltage: =level}",
        parameters="level: {type: number, unit: V, low: 0, high: 99}",
        name="wide",
    )
    write(tmp_path / "recipes", wide, "wide")
    steps = "- call: wide\n  with: {level: 5}\n- record: [supply.voltage]"
    assert said(checked(tmp_path, steps)) == []
    [line] = said(checked(tmp_path, steps.replace("5", "50")))
    assert "level may be 50: supply.voltage: 50 V is above 16 V" in line


def test_what_a_called_recipe_needs_is_reserved_as_well(tmp_path: Path) -> None:
    three_recipes(tmp_path)
    found = checked(tmp_path, "- call: inner\n  with: {level: 5}\n- do: stage.home")
    assert found.problems == ()
    assert found.devices == {"stage": "stage1"}
    assert found.reserved == {"stage1", "psu1"}

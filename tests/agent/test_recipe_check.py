"""A recipe held against a station: what would go wrong is said before anything moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.jobs.check import check
from agent.jobs.library import read_library
from agent.settings import load
from drivers import Role
from tests.agent.recipe_bench import checked, demo_station, loaded, recipe_text, said, write

HOT = "hot: {type: number, unit: Cel, low: 20, high: 90, default: 60}"
LEVEL = "level: {type: number, unit: V, low: 0, high: 5, default: 1}"


@pytest.mark.parametrize(
    ("steps", "parameters", "complaint"),
    [
        ("- set: {supply.voltag: 5}", "",
         "steps.0.set.supply.voltag: psu1 has no setting 'voltag'; did you mean voltage? Allowed: output, voltage"),
        ("- set: {supply.measured_voltage: 5}", "",
         "steps.0.set.supply.measured_voltage: measured_voltage of psu1 is a reading, which can't be set"),
        ("- set: {suplx.voltage: 5}\n- set: {supply.voltage: 5}", "",
         "steps.0.set.suplx.voltage: there is no role 'suplx' in `devices`; did you mean supply?"),
        ("- set: {supply.voltage: 17}", "",
         "steps.0.set.supply.voltage: supply.voltage: 17 V is above 16 V, the limit set by the model"),
        ("- set: {supply.voltage: high}", "",
         "steps.0.set.supply.voltage: supply.voltage: 'high' is not a number in V"),
        ("- set: {supply.output: 1}", "", "supply.output: 1 is not true or false"),
        ("- set: {meter.function: voltage}", "",
         "meter.function: 'voltage' is not one of voltage_dc, current_dc, resistance, resistance_4_wire"),
        ("- set: {supply.voltage: =supply.output}", "",
         "steps.0.set.supply.voltage: gives true or false; it must give a number in V"),
        ("- set: {supply.voltage: =hot}", HOT,
         "steps.0.set.supply.voltage: is in °C, and V is wanted: nothing is converted"),
        ("- set: {supply.voltage: =level}", "level: {type: number, unit: V, low: 0, high: 20}",
         "steps.0.set.supply.voltage: level may be 20: supply.voltage: 20 V is above 16 V"),
        ("- set: {supply.voltage: =level * 10}", LEVEL.replace("default: 1", "default: 2"),
         "level * 10 may be 20: supply.voltage: 20 V is above 16 V"),
        ("- set: {supply.voltage: =1 / 0}", "", "1 / 0 divides by zero"),
        ("- set: {supply.voltage: =1 / (2 - 2)}", "", "1 / (2 - 2): divides by zero"),
        ("- repeat: {over: [5, 20], as: v}\n  steps: [set: {supply.voltage: =v}]", "",
         "steps.0.steps.0.set.supply.voltage: v may be 20: supply.voltage: 20 V is above 16 V"),
        ("- repeat: {times: 9, as: i}\n  steps: [set: {supply.voltage: =i * 2}]", "",
         "i * 2 may be 18: supply.voltage: 18 V is above 16 V"),
        ("- do: supply.rampe", "", "steps.0.do: psu1 has no command 'rampe'; did you mean ramp?"),
        ("- do: supply.ramp\n  with: {to: 5}", "",
         "steps.0.with: ramp.rate is missing: a number in V/s"),
        ("- do: supply.ramp\n  with: {to: 5, rate: 1, rte: 1}", "",
         "steps.0.with.rte: supply.ramp takes no 'rte'; did you mean rate? Allowed: to, rate"),
        ("- do: supply.ramp\n  with: {to: 50, rate: 1}", "", "steps.0.with: ramp.to: 50 V is above 16 V"),
        ("- do: supply.ramp\n  with: {to: =level, rate: =level}", LEVEL,
         "steps.0.with.rate: is in V, and V/s is wanted"),
        ("- do: stage.home\n  as: result", "", "steps.0.as: stage.home gives nothing back: delete it"),
        ("- ramp: supply.output\n  to: 5\n  rate: 1", "",
         "steps.0.ramp: supply.output is true or false: only a number can be ramped"),
        ("- ramp: supply.voltage\n  to: 20\n  rate: 1", "", "steps.0.to: supply.voltage: 20 V is above 16 V"),
        ("- ramp: supply.voltage\n  to: 5\n  rate: 1 A/s", "", "steps.0.rate: is in A/s; write it in V/s"),
        ("- ramp: supply.voltage\n  to: 5\n  rate: =level", LEVEL,
         "steps.0.rate: level may be 0: a rate must be above 0"),
        ("- ramp: supply.voltage\n  to: 5\n  rate: 1\n  every: 10 ms", "",
         "steps.0.every: 0.01 s is too fast; allowed: 0.05 s or more"),
        ("- measure: {v: {value: supply.volts}}", "",
         "steps.0.measure.v.value: supply has no reading 'supply.volts'; did you mean supply.voltage?"),
        ("- measure: {v: {value: supply.voltage, low: 3, high: 2}}", "",
         "steps.0.measure.v.low: 3 is above high, 2: nothing would pass"),
        ("- measure: {v: {value: supply.output, high: 2}}", "",
         "steps.0.measure.v.high: supply.output is true or false: use equals instead"),
        ("- measure: {v: {value: supply.voltage, high: 2, equals: 1}}", "",
         "steps.0.measure.v.equals: give low and high, or equals: not both"),
        ("- measure: {v: {value: supply.regulation, equals: off}}", "",
         "steps.0.measure.v.equals: 'off' never comes; allowed: constant_voltage, constant_current"),
        ("- measure: {v: {value: supply.voltage, unit: A}}", "", "steps.0.measure.v.unit: supply.voltage is in V"),
        ("- measure: {v: {value: supply.voltage, high: =hot}}", HOT,
         "steps.0.measure.v.high: is in °C, and V is wanted"),
        ("- measure: {hot: {value: supply.voltage, high: =hot * 1}}", HOT,
         "steps.0: hot is the name of a parameter: choose another for the result"),
        ("- record: [supply.volts]", "", "steps.0.record.0: supply has no reading 'volts'; did you mean voltage?"),
        ("- record: [supply.voltage, supply.voltage]", "",
         "steps.0.record.1: supply.voltage is in the list already: delete one of them"),
        ("- record: [supply.voltage]\n  every: 1 ms", "", "steps.0.every: 0.001 s is too fast"),
        ("- print: part.gcode\n  on: supply\n- set: {supply.voltage: 1}", "",
         "steps.0.on: supply does not print: psu1 has no command 'print'"),
        ("- print: =hot\n  on: printer", HOT, "steps.0.print: is a number in °C; it must be the name of a file"),
        ("- wait: =hot", HOT, "steps.0.wait: hot is in °C, which is no time"),
        ("- wait: =soak", "soak: {type: number, unit: min, default: 1}",
         "steps.0.wait: soak is in min: write =soak min"),
        ("- wait: {until: hot > 5, within: 1 min}", HOT,
         "steps.0.wait.until: hot > 5 has no reading in it: it never changes while it is waited for"),
        ("- wait: {until: oven.temperature, within: 1 min}", "",
         "steps.0.wait.until: oven.temperature is a number in °C; it must give true or false"),
        ("- wait: {until: oven.temperature > 5, within: 1 s, steady: 2 s}", "",
         "steps.0.wait.steady: 2 s is longer than within, 1 s: it can never be reached"),
        ("- if: 1 > 2\n  then: [wait: 1]", "",
         "steps.0.if: 1 > 2 never holds: what is under `then` is never reached"),
        ("- if: 1 < 2\n  then: [wait: 1]\n  else: [wait: 1]", "",
         "steps.0.if: 1 < 2 always holds: what is under `else` is never reached"),
        ("- fail: over\n- wait: 1", "", "steps.1: is never reached: the fail before it ("),
        ("- if: hot > 1\n  then: [fail: a]\n  else: [fail: b]\n- wait: 1", HOT,
         "steps.1: is never reached: the if before it ("),
        ("- repeat: {times: 2, over: [1]}\n  steps: [wait: 1]", "",
         "steps.0.repeat: give one of times, while and over"),
        ("- repeat: {as: i}\n  steps: [wait: 1]", "", "steps.0.repeat: give one of times, while and over"),
        ("- repeat: {times: 0}\n  steps: [wait: 1]", "", "steps.0.repeat.times: 0 times: its steps are never reached"),
        ("- repeat: {times: -1}\n  steps: [wait: 1]", "", "steps.0.repeat.times: -1 is not a number of times"),
        ("- repeat: {while: oven.temperature > 5}\n  steps: [wait: 1]", "",
         "steps.0.repeat: while needs `most`: how many times at most"),
        ("- repeat: {times: 2, most: 3}\n  steps: [wait: 1]", "",
         "steps.0.repeat.most: is for `while` alone: delete it"),
        ("- repeat: {over: [1, on]}\n  steps: [wait: 1]", "",
         "steps.0.repeat.over: has values of several kinds: give one kind"),
        ("- repeat: {times: 2, as: hot}\n  steps: [wait: =hot]", HOT,
         "steps.0: hot is the name of a parameter: choose another for the result"),
        ("- repeat: {times: 2, as: i}\n  steps: [wait: =i]\n- wait: =i", "",
         "steps.1.wait: i may have no value here: it is the variable of the `repeat` at "),
        ("- if: hot > 50\n  then: [measure: {v: {value: supply.voltage}}]\n- set: {supply.voltage: =v}", HOT,
         "steps.1.set.supply.voltage: v may have no value here: it is given only on one side of the `if` at "),
        ("- repeat: {while: oven.temperature > 5, most: 3}\n  steps: [measure: {v: {value: supply.voltage}}]\n"
         "- set: {supply.voltage: =v}", "",
         "v may have no value here: the `repeat` at "),
        ("- parallel:\n    a: [set: {supply.voltage: 1}]\n    b: [set: {supply.output: true}]", "",
         "steps.0.parallel.b: psu1 is told what to do in a as well: one branch only"),
        ("- parallel:\n    a: [measure: {v: {value: supply.voltage}}]\n"
         "    b: [measure: {v: {value: supply.voltage}}]", "",
         "steps.0.parallel.b: v is given in a as well: choose another name"),
        ("- input: x\n  as: n\n  value: {type: number, unit: V, low: 5, high: 1}\n- set: {supply.voltage: =n}", "",
         "steps.0.value.low: 5 is above high, 1"),
        ("- input: x\n  as: n\n  value: {type: number, unit: A}\n- set: {supply.voltage: =n}", "",
         "steps.1.set.supply.voltage: is in A, and V is wanted"),
        ("- measure: {v: {value: supply.voltage}}\n- measure: {v: {value: supply.measured_current}}", "",
         "steps.1: v is a number in V already: give a number in A another name"),
        ("- log: 'at {supply.volts} V'", "", "steps.0.log.ko: supply has no reading 'supply.volts'"),
        ("- wait: 1", HOT, "parameters.hot: no step uses it: delete it, or use it"),
        ("- set: {oven.setpoint: 50}\n- wait: {until: oven.heating_output > 5, within: 1 min}", "",
         "devices.oven.needs: steps use heating_output of it as well: add it"),
        ("- do: supply.ramp\n  with: {to: =level, rate: 1}", "level: {type: number, unit: V, low: 0, high: 20}",
         "steps.0.with: ramp.to: 20 V is above 16 V"),
        ("- measure: {v: {value: supply.voltage}}\n- repeat: {times: 2, as: v}\n  steps: [wait: 1]", "",
         "steps.1.repeat.as: v is the name of something else already"),
        ("- record: [supply.voltage]\n- record: [supply.output]", "",
         "steps.1.record: readings is the table of the record at "),
        ("- repeat: {times: 2}\n  steps: [record: [supply.voltage]]", "",
         "steps.0.steps.0.record: goes on to the end, and would begin anew in each turn: give it steps"),
        ("- measure: {v: {value: 5 + 5}}", "",
         "steps.0.measure.v.value: 5 + 5 is always the same: nothing is measured"),
        ("- measure: {v: {value: supply.voltage, unit: Volt}}", "",
         "steps.0.measure.v.unit: 'Volt' is not a unit of this lab; allowed: "),
        ("- measure: {v: {value: supply.voltage, low: 9, high: =level}}", LEVEL,
         "steps.0.measure.v.low: 9 is above high, 5: nothing would pass"),
        ("- wait: =soak min", "soak: {type: number, unit: min, low: -5, default: 1}",
         "steps.0.wait: soak may be -5 min: no time of 0 s to 30 d"),
        ("- call: nothing", "", "steps.0.call: no recipe is called 'nothing'; allowed: again, inner"),
        ("- call: inner", "", "steps.0.call: inner needs level: give it under `with`"),
        ("- call: inner\n  with: {level: 20}", "", "steps.0.with.level: level: 20 V is above 10 V"),
        ("- call: inner\n  with: {level: =hot}", HOT, "steps.0.with.level: is in °C, and V is wanted"),
        ("- call: inner\n  with: {level: 1, levex: 1}", "",
         "steps.0.with.levex: inner has no parameter 'levex'; did you mean level?"),
        ("- call: inner\n  with: {level: 1}\n  devices: {suplx: psu}", "",
         "steps.0.devices.suplx: inner has no role 'suplx'; did you mean supply?"),
        ("- call: again", "", "steps.0.call: calls itself: trial calls again calls trial"),
        ("- call: broken", "", "steps.0.call: broken is wrong itself: "),
    ],
)  # fmt: skip
def test_what_would_go_wrong_is_said_with_its_place(
    steps: str, parameters: str, complaint: str, tmp_path: Path
) -> None:
    library(tmp_path)
    found = said(checked(tmp_path, steps, parameters=parameters))
    assert [line for line in found if complaint in line], found


def library(folder: Path) -> None:
    """Three recipes that others may call."""
    (folder / "recipes").mkdir()
    level = "level: {type: number, unit: V, low: 0, high: 10}"
    inner = recipe_text("- set: {supply.voltage: =level}", parameters=level, name="inner")
    write(folder / "recipes", inner, "inner")
    write(folder / "recipes", recipe_text("- call: trial", name="again"), "again")
    write(folder / "recipes", recipe_text("- wayt: 1", name="broken"), "broken")


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
    library(tmp_path)
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
    library(tmp_path)
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
    library(tmp_path)
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
    library(tmp_path)
    found = checked(tmp_path, "- call: inner\n  with: {level: 5}\n- do: stage.home")
    assert found.problems == ()
    assert found.devices == {"stage": "stage1"}
    assert found.reserved == {"stage1", "psu1"}

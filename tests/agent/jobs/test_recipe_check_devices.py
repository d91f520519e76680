"""Steps that ask something of devices: what would go wrong is said before anything moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.recipe_bench import HOT, LEVEL, checked, said, three_recipes


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
        ("- do: printer.print\n  with: {file: part.gcode}", "",
         "steps.0.do: a print is a step of its own, which asks for the plate: `print: FILE`, `on: printer`"),
        ("- print: =hot\n  on: printer", HOT, "steps.0.print: is a number in °C; it must be the name of a file"),
        ("- measure: {v: {value: supply.voltage}}\n- measure: {v: {value: supply.measured_current}}", "",
         "steps.1: v is a number in V already: give a number in A another name"),
        ("- set: {oven.setpoint: 50}\n- wait: {until: oven.heating_output > 5, within: 1 min}", "",
         "devices.oven.needs: steps use heating_output of it as well: add it"),
        ("- do: supply.ramp\n  with: {to: =level, rate: 1}", "level: {type: number, unit: V, low: 0, high: 20}",
         "steps.0.with: ramp.to: 20 V is above 16 V"),
        ("- record: [supply.voltage]\n- record: [supply.output]", "",
         "steps.1.record: readings is the table of the record at "),
        ("- measure: {v: {value: 5 + 5}}", "",
         "steps.0.measure.v.value: 5 + 5 is always the same: nothing is measured"),
        ("- measure: {v: {value: supply.voltage, unit: Volt}}", "",
         "steps.0.measure.v.unit: 'Volt' is not a unit of this lab; allowed: "),
        ("- measure: {v: {value: supply.voltage, low: 9, high: =level}}", LEVEL,
         "steps.0.measure.v.low: 9 is above high, 5: nothing would pass"),
    ],
)  # fmt: skip
def test_what_a_device_would_not_do_is_said_with_its_place(
    steps: str, parameters: str, complaint: str, tmp_path: Path
) -> None:
    three_recipes(tmp_path)
    found = said(checked(tmp_path, steps, parameters=parameters))
    assert [line for line in found if complaint in line], found

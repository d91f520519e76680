"""Steps that say when, how often and what next: what would go wrong is said before anything moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.recipe_bench import HOT, checked, said, three_recipes


@pytest.mark.parametrize(
    ("steps", "parameters", "complaint"),
    [
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
        ("- log: 'at {supply.volts} V'", "", "steps.0.log.ko: supply has no reading 'supply.volts'"),
        ("- wait: 1", HOT, "parameters.hot: no step uses it: delete it, or use it"),
        ("- measure: {v: {value: supply.voltage}}\n- repeat: {times: 2, as: v}\n  steps: [wait: 1]", "",
         "steps.1.repeat.as: v is the name of something else already"),
        ("- repeat: {times: 2}\n  steps: [record: [supply.voltage]]", "",
         "steps.0.steps.0.record: goes on to the end, and would begin anew in each turn: give it steps"),
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
def test_what_would_go_wrong_on_the_way_is_said_with_its_place(
    steps: str, parameters: str, complaint: str, tmp_path: Path
) -> None:
    three_recipes(tmp_path)
    found = said(checked(tmp_path, steps, parameters=parameters))
    assert [line for line in found if complaint in line], found

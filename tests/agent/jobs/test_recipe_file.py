"""A wrong recipe: every problem at once, each with its file, line, column, key and a sentence that helps."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import ConfigError, Problem
from agent.jobs.language.expressions import Expression
from agent.jobs.language.values import Target
from agent.jobs.recipes.device_steps import RecordStep, SetStep
from agent.jobs.recipes.flow_steps import IfStep, UntilStep, WaitStep
from agent.jobs.recipes.recipe import STEP_KINDS
from agent.jobs.recipes.recipe_file import load_recipe
from tests.agent.recipe_bench import RECIPES, loaded, recipe_text, refused, write

VERBS = "set, do, wait, ramp, measure, record, confirm, input, repeat, if, parallel, call, print, log, fail"
HEAD = 'name: trial\nversion: "1"\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "1:1: the file is empty"),
        ("- a", "1:1: ['a'] is not a section: write keys under it, as `key: value`"),
        (HEAD, "1:1: steps: is missing: add it. What is done, in this order."),
        ("name: other\nversion: '1'\nsteps: [wait: 1]",
         "1:7: name: 'other' is not the file's name: write trial, or rename the file"),
        ("name: trial\nversion: 1.0\nsteps: [wait: 1]", "2:10: version: 1.0 is not text: put it in quotes"),
        (f"{HEAD}titlx: x\nsteps: [wait: 1]",
         "3:1: titlx: there is no such key here; did you mean title? Allowed: name, version, title, about, "
         "parameters, devices, steps, finally, on_stop"),
        (f"{HEAD}steps: 5", "3:8: steps: 5 is not a list: write [one, two]"),
        (f"{HEAD}steps: []", "3:8: steps: has 0 entries; at least 1 are needed"),
        (f"{HEAD}steps: [wait]", "3:9: steps.0: 'wait' is not a step: write one such as `wait: 90 s`"),
        (f"{HEAD}steps: [{{}}]", f"3:9: steps.0: is empty; allowed: {VERBS}"),
        (f"{HEAD}steps: [wayt: 5 s]",
         f"3:9: steps.0: no step is called 'wayt'; did you mean wait? Allowed: {VERBS}"),
        (f"{HEAD}steps:\n- wait: 5 s\n  log: hello",
         "5:3: steps.0.log: is a step of its own: wait stands here already; begin it with a -"),
        (f"{HEAD}steps: [{{wait: 5 s, unti: x}}]",
         "3:21: steps.0.unti: there is no such key here; allowed: title, wait"),
        (f"{HEAD}steps: [wait: 5 parsecs]",
         "3:15: steps.0.wait: '5 parsecs' is not a number and a unit, such as 90 s; units: ms, s, min, h, d"),
        (f"{HEAD}steps: [wait: -5 s]", "3:15: steps.0.wait: -5 s: -5 s is not a time of 0 s to 2.592e+06 s"),
        (f"{HEAD}steps: [wait: true]",
         "3:15: steps.0.wait: True is not a time: write a number and a unit, such as 90 s"),
        (f"{HEAD}steps: [wait: '=soak fortnights']",
         "3:15: steps.0.wait: 'soak fortnights' can't be understood"),
        (f"{HEAD}steps: [wait: {{until: good}}]",
         "3:9: steps.0.wait.within: is missing: add it. How long at most."),
        (f"{HEAD}steps: [wait: {{until: '=good', within: 1}}]",
         "3:23: steps.0.wait.until: '=good': an expression stands here in any case: write it without ="),
        (f"{HEAD}steps: [wait: {{until: [1], within: 1}}]",
         "3:23: steps.0.wait.until: [1] is not an expression: write one such as oven.temperature > 80"),
        (f"{HEAD}steps: [wait: {{until: a.b > 1, within: 1, otherwise: shrug}}]",
         "3:54: steps.0.wait.otherwise: 'shrug' is not allowed; allowed: 'fail' or 'go_on'"),
        (f"{HEAD}steps: [set: {{}}]", "3:14: steps.0.set: has 0 entries; at least 1 are needed"),
        (f"{HEAD}steps: [set: {{voltage: 5}}]",
         "3:15: steps.0.set.voltage: 'voltage' is not a role and a name with a dot, such as oven.setpoint"),
        (f"{HEAD}steps: [set: {{psu.voltage: =5 V}}]",
         "3:28: steps.0.set.psu.voltage: '5 V' can't be understood"),
        (f"{HEAD}steps: [set: {{psu.voltage: [5]}}]",
         "3:28: steps.0.set.psu.voltage: [5] is not a value: write a number, a text, true, false or =expression"),
        (f"{HEAD}steps: [ramp: psu.voltage]", "3:9: steps.0.to: is missing: add it. Where it ends: a number"),
        (f"{HEAD}steps: [{{ramp: psu.voltage, to: 5, rate: 0}}]",
         "3:42: steps.0.rate: 0 per s: a rate must be above 0"),
        (f"{HEAD}steps: [{{ramp: psu.voltage, to: 5, rate: 5 V}}]",
         "3:42: steps.0.rate: '5 V' is not a rate such as 0.5 V/s or 2 Cel/min"),
        (f"{HEAD}steps: [measure: {{leak: 5}}]",
         "3:25: steps.0.measure.leak: 5 is not a section: write keys under it, as `key: value`"),
        (f"{HEAD}steps: [measure: {{leak: {{value: a, hi: 5}}}}]",
         "3:36: steps.0.measure.leak.hi: there is no such key here; did you mean high? Allowed: value, unit, "
         "low, high, equals, title"),
        (f"{HEAD}steps: [measure: {{max: {{value: a}}}}]",
         "3:19: steps.0.measure.max: max has a meaning of its own in expressions: choose another name"),
        (f"{HEAD}steps: [{{do: a.b, as: if}}]",
         "3:23: steps.0.as: if has a meaning of its own in expressions: choose another name"),
        (f"{HEAD}steps: [{{do: a.b, as: Bad}}]",
         "3:23: steps.0.as: 'Bad' is not allowed; allowed: 1 to 40 of the letters a to z, digits and _"),
        (f"{HEAD}steps: [record: []]", "3:17: steps.0.record: has 0 entries; at least 1 are needed"),
        (f"{HEAD}steps: [log: '']", "3:14: steps.0.log: a message has 1 to 500 characters, not 0"),
        (f"{HEAD}steps: [log: 5]", "3:14: steps.0.log: 5 is not text: put it in quotes"),
        (f"{HEAD}steps: [log: {{en: hello}}]",
         "3:9: steps.0.log.ko: is missing: add it. In Korean, with values in {braces}."),
        (f"{HEAD}steps: [log: 'a {{b']", "has a single brace: write {{ or }} for one"),
        (f"{HEAD}steps: [log: '{{b:>99}}']", "{b…}: after the : stands .1f or .3g, and no more"),
        (f"{HEAD}steps: [log: '{{b +}}']", "{b +}: 'b +' can't be understood"),
        (f"{HEAD}steps: [input: x]", "3:9: steps.0.as: is missing: add it. What it is called from here on."),
        (f"{HEAD}steps: [{{repeat: {{times: 2}}, steps: [{{wait: x}}]}}]",
         "3:45: steps.0.steps.0.wait: 'x' is not a number and a unit"),
        (f"{HEAD}steps: [{{if: a, then: [wait: 1], else: [wait: y]}}]",
         "3:47: steps.0.else.0.wait: 'y' is not a number and a unit"),
        (f"{HEAD}steps: [{{if: a}}]", "3:9: steps.0.then: is missing: add it. What runs if it holds."),
        (f"{HEAD}steps: [parallel: {{a: [wait: 1]}}]",
         "3:19: steps.0.parallel: has 1 entries; at least 2 are needed"),
        (f"{HEAD}steps: [parallel: {{a: [wait: 1], b: [wait: z]}}]",
         "3:44: steps.0.parallel.b.0.wait: 'z' is not a number and a unit"),
        (f"{HEAD}parameters: {{n: {{type: numbx}}}}\nsteps: [wait: 1]",
         "3:24: parameters.n.type: 'numbx' is not allowed; allowed: 'number', 'integer', 'choice'"),
        (f"{HEAD}parameters: {{n: {{type: number, unit: C}}}}\nsteps: [wait: 1]",
         "3:38: parameters.n.unit: 'C' is not a unit of this lab; allowed: 1, %, V, mV"),
        (f"{HEAD}parameters: {{n: {{type: text, unit: V}}}}\nsteps: [wait: 1]",
         "3:36: parameters.n.unit: is not for type text: delete it"),
        (f"{HEAD}parameters: {{n: {{type: choice}}}}\nsteps: [wait: 1]",
         "3:24: parameters.n.type: a choice needs choices: list them"),
        (f"{HEAD}parameters: {{n: {{type: number, low: 2, high: 1}}}}\nsteps: [wait: 1]",
         "3:37: parameters.n.low: 2 is above high, 1"),
        (f"{HEAD}parameters: {{n: {{type: number, high: 1, default: 2}}}}\nsteps: [wait: 1]",
         "3:50: parameters.n.default: 2 is above 1"),
        (f"{HEAD}parameters: {{n: {{type: text, pattern: '['}}}}\nsteps: [wait: 1]",
         "3:39: parameters.n.pattern: '[' is not a regular expression"),
        (f"{HEAD}devices: {{a: {{needs: [temperature C]}}}}\nsteps: [wait: 1]",
         "3:23: devices.a.needs.0: 'C' is not a unit of this lab"),
        (f"{HEAD}devices: {{a: {{neex: [x]}}}}\nsteps: [wait: 1]",
         "3:15: devices.a.neex: there is no such key here; did you mean needs? Allowed: driver, needs, "
         "device, title"),
    ],
)  # fmt: skip
def test_a_wrong_recipe_is_told_where_and_what_is_allowed(
    text: str, complaint: str, tmp_path: Path
) -> None:
    found = refused(write(tmp_path, text))
    assert [line for line in found if complaint in line], found
    assert all(line.startswith("trial.yaml:") for line in found)


def test_everything_is_said_at_once_wherever_it_stands(tmp_path: Path) -> None:
    text = recipe_text(
        """
        - set: {supply.voltage: =1 +}
        - repeat: {times: 2}
          steps:
            - wayt: 5
            - if: a
              then: [{log: '{'}]
        """,
        parameters="n: {type: number, low: 2, high: 1}",
        tail="finally: [wait: x]\non_stop: 5\nmore: 1",
    )
    places = [line.split(": ")[1] for line in refused(write(tmp_path, text))]
    assert places == [
        "parameters.n.low",
        "steps.0.set.supply.voltage",
        "steps.1.steps.0",
        "steps.1.steps.1.then.0.log",
        "finally.0.wait",
        "on_stop",
        "more",
    ]


def test_a_list_whose_steps_are_all_wrong_is_not_called_empty_as_well(tmp_path: Path) -> None:
    found = refused(write(tmp_path, f"{HEAD}steps: [wayt: 1]"))
    assert len(found) == 1


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.yaml") == [
        "none.yaml: can't be read: no such file or directory"
    ]


def test_every_step_knows_its_file_line_and_key(tmp_path: Path) -> None:
    recipe = loaded(
        tmp_path,
        """
        - wait: 1
        - if: 1 > 0
          then:
            - wait: 2
          else:
            - wait: 3
        """,
        tail="finally: [wait: 4]",
    ).recipe
    places = [(step.place.line, step.place.key) for step in recipe.every_step()]
    assert places == [(4, "steps.0"), (5, "steps.1"), (7, "steps.1.then.0"),
                      (9, "steps.1.else.0"), (10, "finally.0")]  # fmt: skip
    assert str(recipe.steps[0].place) == f"{tmp_path}/trial.yaml:4"


def test_a_recipe_is_plain_frozen_data_with_every_value_understood(tmp_path: Path) -> None:
    file = loaded(
        tmp_path,
        """
        - set: {oven.setpoint: =hot - 1, oven.running: true}
        - wait: =soak min
        - wait: {until: oven.temperature > hot, within: 1 h}
        - record: [oven.temperature]
          every: 500 ms
          steps: [{wait: 5}]
        """,
        parameters="hot: {type: number}\nsoak: {type: number, unit: min}",
    )
    set_, wait, until, record = file.recipe.steps
    assert isinstance(set_, SetStep)
    assert set_.set == {
        Target("oven", "setpoint"): Expression.parse("hot - 1"),
        Target("oven", "running"): True,
    }
    assert isinstance(wait, WaitStep)
    assert wait.wait.seconds({"soak": 2}) == 120.0
    assert isinstance(until, UntilStep)
    assert until.wait.within.constant == 3600.0
    assert isinstance(record, RecordStep)
    assert record.every.constant == 0.5
    assert record.as_ == "readings"
    with pytest.raises(ValueError, match="frozen"):
        wait.title = file.recipe.title  # type: ignore[misc]
    assert file.sha256 == hashlib.sha256((tmp_path / "trial.yaml").read_bytes()).hexdigest()


def test_what_stands_inside_a_step_can_be_walked(tmp_path: Path) -> None:
    [step] = loaded(
        tmp_path, "- {if: 1 > 0, then: [wait: 1], else: [{wait: 2}, {wait: 3}]}"
    ).recipe.steps
    assert isinstance(step, IfStep)
    assert [(key, len(steps)) for key, steps in step.nested()] == [("then", 1), ("else", 2)]


def test_every_kind_of_step_says_what_it_is_for_and_so_does_each_of_its_keys() -> None:
    for kind in STEP_KINDS:
        assert (kind.__doc__ or "").rstrip().endswith(".")
        assert all(field.description for field in kind.model_fields.values()), kind


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_a_recipe_that_is_cut_or_changed_anywhere_is_read_or_refused_with_sentences(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    raw = bytearray((RECIPES / "thermal_cycle.yaml").read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + data.draw(st.integers(0, 12))] = data.draw(st.binary(max_size=6))
    file = tmp_path_factory.getbasetemp() / "thermal_cycle.yaml"
    file.write_bytes(raw)
    problems: tuple[Problem, ...] | None = None
    try:
        load_recipe(file)
    except ConfigError as error:
        problems = error.problems
    assert problems is None or [problem for problem in problems if problem.text]

"""Durations, rates, messages, parameters and the outline: the small parts of a recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import Refused
from agent.jobs.language.expressions import Expression, ExpressionError, Value
from agent.jobs.language.messages import Wording
from agent.jobs.language.quantities import Duration, Rate
from agent.jobs.recipes.outline import outline, title
from agent.jobs.recipes.parameters import Parameter
from tests.agent.recipe_bench import loaded


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("90 s", 90.0),
        ("90s", 90.0),
        ("10 min", 600.0),
        ("1.5 h", 5400.0),
        ("500 ms", 0.5),
        ("2 d", 172_800.0),
        ("7", 7.0),
        (7, 7.0),
        (0.25, 0.25),
        ("=soak min", 180.0),
        ("=soak", 3.0),
        ("=soak * 2 h", 21_600.0),
        ("=soak - 1", 2.0),
    ],
)
def test_a_time_has_a_unit_or_is_in_seconds_as_in_the_stations_file(
    given: object, seconds: float
) -> None:
    assert Duration.parse(given).seconds({"soak": 3}) == seconds


@pytest.mark.parametrize("given", ["soon", "5 parsecs", "-1 s", "31 d", "1e999", True, None, "="])
def test_what_is_no_time_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match=r"is not a|is empty|can't be understood"):
        Duration.parse(given)


def test_a_time_that_turns_out_to_be_below_0_is_refused_when_it_is_known() -> None:
    with pytest.raises(ExpressionError, match="=soak min: -60 s is not a time"):
        Duration.parse("=soak min").seconds({"soak": -1})


@pytest.mark.parametrize(
    ("given", "per_second", "unit"),
    [
        ("0.5 V/s", 0.5, "V"),
        ("6 Cel/min", 0.1, "Cel"),
        ("=slope Cel/min", 0.05, "Cel"),
        ("=slope", 3.0, None),
        (2, 2.0, None),
    ],
)
def test_a_rate_is_known_per_second_and_in_its_unit(
    given: object, per_second: float, unit: str | None
) -> None:
    found = Rate.parse(given)
    assert found.per_second({"slope": 3}) == pytest.approx(per_second)
    assert found.unit == unit


@pytest.mark.parametrize("given", ["0 V/s", "-1 V/s", "fast", "1 V/parsec", "1 /s", False, None])
def test_what_is_no_rate_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match=r"is not a|must be above 0"):
        Rate.parse(given)


def test_a_message_is_filled_in_and_shows_a_dash_for_what_has_no_value() -> None:
    message = Wording.parse("{oven.temperature:.1f} °C, {n} of {n + 1}, {gone}, {{{lot}}}, {good}")
    values: dict[str, Value | None] = {"oven.temperature": 79.96, "n": 2, "lot": "A7", "good": True}
    assert message.filled(values) == "80.0 °C, 2 of 3, —, {A7}, true"
    assert [it.text for it in message.expressions][:2] == ["oven.temperature", "n"]


@pytest.mark.parametrize(
    ("parameter", "value", "taken"),
    [
        (Parameter(type="number", low=0, high=5), 5, 5.0),
        (Parameter(type="integer"), 5.0, 5),
        (Parameter(type="boolean"), False, False),
        (Parameter(type="choice", choices=("a", "b")), "b", "b"),
        (Parameter(type="text", pattern="[A-Z]{2}"), "AB", "AB"),
        (Parameter(type="text"), "시편", "시편"),
        (Parameter(type="lot"), "2026-07/B", "2026-07/B"),
        (Parameter(type="file"), "시험편.gcode", "시험편.gcode"),
    ],
)
def test_a_parameter_takes_what_it_may_be(
    parameter: Parameter, value: object, taken: object
) -> None:
    found = parameter.check("p", value)
    assert found == taken
    assert type(found) is type(taken)


@pytest.mark.parametrize(
    ("parameter", "value", "sentence"),
    [
        (Parameter(type="number", unit="Cel", high=5), 6, "p: 6 °C is above 5 °C"),
        (Parameter(type="number", unit="V", low=5), 4, "p: 4 V is below 5 V"),
        (Parameter(type="number", unit="V"), "5", "p: '5' is not a number in V"),
        (Parameter(type="number"), True, "p: True is not a number"),
        (Parameter(type="number"), float("nan"), "p: nan is not a number"),
        (Parameter(type="number"), 10**400, "is not a number"),
        (Parameter(type="integer"), 1.5, "p: 1.5 is not a whole number"),
        (Parameter(type="boolean"), 1, "p: 1 is neither true nor false"),
        (Parameter(type="choice", choices=("a", "b")), "c", "p: 'c' is not one of a, b"),
        (Parameter(type="text", pattern="[A-Z]{2}"), "ABC", "p: 'ABC' does not match [A-Z]{2}"),
        (Parameter(type="text", pattern="a|b"), "ax", "p: 'ax' does not match a|b"),
        (Parameter(type="text"), "a\nb", "p: 'a\\nb' is not a text of one line"),
        (Parameter(type="text"), "", "p: '' is not a text of one line"),
        (Parameter(type="text"), "x" * 201, "p: is longer than 200 characters"),
        (Parameter(type="serial_number"), "-7", "p: '-7' does not match "),
        (
            Parameter(type="file"),
            "../x",
            "p: '../x' is not the name of a file in the agent's store",
        ),
    ],
)
def test_a_parameter_refuses_with_value_unit_and_limit(
    parameter: Parameter, value: object, sentence: str
) -> None:
    with pytest.raises(Refused) as caught:
        parameter.check("p", value)
    assert sentence in str(caught.value)


def test_a_pattern_that_would_take_others_for_ever_takes_no_time() -> None:
    parameter = Parameter(type="text", pattern="(a+)+b")
    with pytest.raises(Refused):
        parameter.check("p", "a" * 200)


def test_the_arguments_of_a_recipe_are_complete_or_everything_missing_is_said(
    tmp_path: Path,
) -> None:
    recipe = loaded(
        tmp_path,
        "- wait: =a + b",
        parameters="a: {type: number}\nb: {type: number, default: 2}\nlot: {type: lot}",
    ).recipe
    assert recipe.arguments({"a": 1, "lot": "L1"}) == {"a": 1.0, "b": 2.0, "lot": "L1"}
    with pytest.raises(Refused) as caught:
        recipe.arguments({"b": "x", "aa": 1})
    assert str(caught.value) == (
        "trial has no parameter 'aa'; did you mean a? Allowed: a, b, lot; a is missing: it must be a "
        "number; b: 'x' is not a number; lot is missing: it must be a text"
    )


OUTLINED = """
- set: {oven.setpoint: =hot, oven.running: true}
- repeat: {times: 2, as: i}
  title: {ko: 반복}
  steps:
    - wait: {until: oven.temperature > 5, within: 1 min}
- if: hot > 5
  then: [log: 'hot']
  else: [fail: {ko: 차다, en: cold}]
- parallel:
    a: [wait: 1 s]
    b: [{do: stage.move, with: {x: -1, feed: 100}, as: at}]
- measure: {t: {value: oven.temperature, low: 1, high: =hot}}
"""


def test_the_outline_says_every_step_in_a_line(tmp_path: Path) -> None:
    recipe = loaded(
        tmp_path,
        OUTLINED,
        parameters="hot: {type: number}",
        tail="finally: [set: {oven.running: false}]",
    ).recipe
    assert [f"{'  ' * line.depth}{line.text}" for line in outline(recipe, "en")] == [
        "steps:",
        "  set oven.setpoint = hot, oven.running = true",
        "  repeat 2 times as i",
        "    wait until oven.temperature > 5, within 1 min",
        "  if hot > 5",
        "    then:",
        "      log “hot”",
        "    else:",
        "      fail “cold”",
        "  parallel a, b",
        "    a:",
        "      wait 1 s",
        "    b:",
        "      do stage.move x=-1 feed=100 as at",
        "  measure t = oven.temperature (low 1, high hot)",
        "finally:",
        "  set oven.running = false",
    ]
    assert title(recipe.steps[1], "en") == "반복"
    assert title(recipe.steps[2], "ko") == "조건 hot > 5"


def test_an_expression_is_the_same_as_another_with_the_same_text() -> None:
    assert Expression.parse(" a + 1 ") == Expression.parse("a + 1")
    assert hash(Expression.parse("a + 1")) == hash(Expression.parse("a + 1"))

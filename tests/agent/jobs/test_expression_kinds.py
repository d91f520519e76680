"""What is known of an expression before anything runs: its type, its unit, and what is wrong with it."""

from __future__ import annotations

import pytest

from agent.jobs.language.expression_kinds import typed
from agent.jobs.language.expressions import Expression
from agent.jobs.language.kinds import ANY, BOOLEAN, TEXT, Kind

NAMES = {
    "target": Kind("number", "Cel"),
    "soak": Kind("number", "min"),
    "n": Kind("integer"),
    "lot": TEXT,
    "good": BOOLEAN,
    "result": ANY,
    "oven.temperature": Kind("number", "Cel"),
    "oven.running": BOOLEAN,
    "psu.voltage": Kind("number", "V"),
    "psu.mode": Kind("text", choices=("cv", "cc")),
}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("oven.temperature", Kind("number", "Cel")),
        ("oven.temperature - target", Kind("number", "Cel")),
        ("oven.temperature + 5", Kind("number", "Cel")),
        ("0.5 * target", Kind("number")),
        ("target / target", Kind("number")),
        ("-target", Kind("number", "Cel")),
        ("n + 1", Kind("integer")),
        ("n + 0.5", Kind("number")),
        ("oven.temperature > 80", BOOLEAN),
        ("20 < oven.temperature < target", BOOLEAN),
        ("good and not oven.running", BOOLEAN),
        ("psu.mode == 'cv'", BOOLEAN),
        ("lot + 'x'", TEXT),
        ("max(target, 5)", Kind("number", "Cel")),
        ("round(target, 1)", Kind("number", "Cel")),
        ("floor(target)", Kind("integer", "Cel")),
        ("sqrt(target)", Kind("number")),
        ("target if good else 0", Kind("number", "Cel")),
        ("result", ANY),
        ("result + 1", ANY),
        ("result > 1", BOOLEAN),
        ("n == 3.0", BOOLEAN),
    ],
)
def test_type_and_unit_are_known_before_anything_runs(text: str, kind: Kind) -> None:
    assert typed(Expression.parse(text), NAMES) == (kind, ())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("tarxet > 1", "nothing is called 'tarxet'; did you mean target? Allowed: target, soak"),
        ("oven.temperatux > 1", "oven has no reading 'oven.temperatux'; did you mean oven.temperature?"),
        ("oven > 1", "oven is a device: name one of its readings, such as oven.temperature"),
        ("ovn.temperature > 1", "there is no role 'ovn' in `devices`; did you mean oven? Allowed: oven, psu"),
        ("lot.size > 1", "lot is a value and has no parts: write lot alone"),
        ("target > lot", "> takes numbers; lot is a text"),
        ("target and good", "and takes true or false; target is a number in °C"),
        ("not n", "not takes true or false; n is a whole number"),
        ("target == lot", "target is a number in °C and lot is a text: they can't be compared"),
        ("oven.temperature > psu.voltage",
         "> between °C and V: nothing is converted, so both must have one unit"),
        ("oven.temperature - soak", "- between °C and min: nothing is converted"),
        ("max(target, psu.voltage)", "max between °C and V"),
        ("psu.mode == 'cvv'", "'cvv' never comes; did you mean cv? Allowed: cv, cc"),
        ("'cvv' != psu.mode", "'cvv' never comes"),
        ("target if n else 0", "if takes true or false; n is a whole number"),
        ("target if good else lot", "if … else gives a number in °C or a text"),
        ("target / 0", "target / 0 divides by zero"),
        ("abs(good)", "abs takes numbers; good is true or false"),
        ("-lot", "- takes numbers; lot is a text"),
        ("lot * 2", "* takes numbers; lot is a text"),
        ("good + 1", "+ takes numbers; good is true or false"),
    ],
)  # fmt: skip
def test_a_mistake_is_a_sentence_before_anything_runs(text: str, sentence: str) -> None:
    _, said = typed(Expression.parse(text), NAMES)
    assert len(said) == 1
    assert said[0].startswith(sentence)


def test_every_mistake_of_an_expression_is_said() -> None:
    _, said = typed(Expression.parse("a > 1 and lot > 2 and b > 3"), NAMES)
    assert len(said) == 3


def test_a_name_that_may_have_no_value_is_said_with_the_reason() -> None:
    _, said = typed(Expression.parse("leak > 1"), NAMES, {"leak": "it is measured in a loop"})
    assert said == ("leak may have no value here: it is measured in a loop",)

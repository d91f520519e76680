"""The expression language: what it gives, what it refuses, and that it never costs more than it says."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.jobs.language.expressions import Expression, ExpressionError, NoValue, Value

VALUES: dict[str, Value | None] = {
    "target": 80.0,
    "n": 3,
    "lot": "A7",
    "good": True,
    "oven.temperature": 79.2,
    "oven.running": False,
    "oven.setpoint": None,
}
SLOWEST_S = 0.5
"""Far more than any expression takes here, and far less than a power tower would."""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("-target", -80.0),
        ("oven.temperature >= target - 1", True),
        ("20 < oven.temperature < 30", False),
        ("not oven.running and good", True),
        ("oven.running or good", True),
        ("target if n > 5 else 0", 0),
        ("lot == 'A7'", True),
        ("'lot ' + lot", "lot A7"),
        ("good == true", True),
        ("good != false", True),
        ("n % 2", 1),
        ("7 / 2", 3.5),
        ("max(1, n, 2)", 3),
        ("min(target, 50)", 50),
        ("abs(0 - n)", 3),
        ("round(2.5)", 3.0),
        ("round(-2.5)", -3.0),
        ("round(1.25, 1)", 1.3),
        ("floor(2.9)", 2),
        ("ceil(2.1)", 3),
        ("sqrt(16)", 4.0),
        ("n == 3.0", True),
        ("n > 1e-3", True),
        ("n > 1.e2", False),
        ("lot == '5kg'", False),
        ("round(1e300)", 1e300),
    ],
)
def test_an_expression_gives_what_a_person_expects(text: str, value: Value) -> None:
    found = Expression.parse(text).value(VALUES)
    assert found == value
    assert type(found) is type(value)


def test_the_names_are_known_before_anything_is_evaluated() -> None:
    found = Expression.parse("oven.temperature > target and target > 1 and true")
    assert found.names == ("oven.temperature", "target")


def test_a_name_without_a_value_is_reported_as_such_whatever_side_it_stands_on() -> None:
    for text in ("oven.setpoint > 1", "good or oven.setpoint > 1", "oven.setpoint if n else 1"):
        with pytest.raises(NoValue) as caught:
            Expression.parse(text).value(VALUES)
        assert caught.value.names == ("oven.setpoint",)
    with pytest.raises(NoValue):
        Expression.parse("n < 5").value({"n": float("nan")})
    with pytest.raises(NoValue) as both:
        Expression.parse("missing + oven.setpoint").value(VALUES)
    assert str(both.value) == (
        "missing + oven.setpoint: missing, oven.setpoint have no value that is to be believed"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty: write an expression"),
        ("1 +", "'1 +' can't be understood; an expression has numbers"),
        ("(1", "'(1' can't be understood: '(' was never closed"),
        ("a = 1", "'a = 1' can't be understood: write == to compare"),
        ("a && b", "'a && b' can't be understood: write and"),
        ("a || b", "'a || b' can't be understood: write or"),
        ("!a", "'!a' can't be understood: write not"),
        ("20 °C", "'20 °C' can't be understood: write the number without a unit"),
        ("x ** 2", "'x ** 2' is not part of the language: there are no powers: write x * x"),
        ("7 // 2", "'7 // 2' is not part of the language: write floor(a / b)"),
        ("a.b.c", "'a.b.c' is not part of the language"),
        ("a[0]", "'a[0]' is not part of the language"),
        ("[1, 2]", "'[1, 2]' is not part of the language"),
        ("{}", "'{}' is not part of the language"),
        ("open('x')", "\"open('x')\" is not part of the language"),
        ("oven.read()", "'oven.read()' is not part of the language"),
        ("max(a=1)", "'max(a=1)' is not part of the language"),
        ("max(*a, 1)", "'*a' is not part of the language"),
        ("().__class__", "'().__class__' is not part of the language"),
        ("f'{a}'", "\"f'{a}'\" is not part of the language"),
        ("(a := 1)", "'a := 1' is not part of the language"),
        ("lambda: 1", "'lambda: 1' is not part of the language"),
        ("[a for a in b]", "'[a for a in b]' is not part of the language"),
        ("a in b", "'a in b' is not part of the language"),
        ("a is b", "'a is b' is not part of the language"),
        ("1j", "'1j' is a number with letters after it"),
        ("None", "'None' is not part of the language"),
        ("b'x'", "\"b'x'\" is not part of the language"),
        ("1if a else 2", "'1if' is a number with letters after it: put a space between them"),
        ("n > 0x10", "'0x10' is a number with letters after it"),
        ("n > 5kg", "'5kg' is a number with letters after it"),
        ("lot == 'a\\d'", "has a \\, which texts here do not need: leave it out"),
        ("max", "max is a function: write max(…)"),
        ("max(1)", "max takes 2 to 10 values in its brackets, not 1"),
        ("abs(1, 2)", "abs takes 1 value in its brackets, not 2"),
        ("1e999", "has a number that is too large"),
        ("a\nb", "has a line end or a control character: write it on one line"),
        ("1" * 301, "is longer than 300 characters: do it in several steps"),
        ("-" * 40 + "1", "has more than 30 brackets in each other: do it in several steps"),
        ("(" * 250 + "1", "can't be understood"),
        ("\uff11\uff12", "can't be understood"),
    ],
)  # fmt: skip
def test_what_is_not_the_language_is_refused_with_what_is(text: str, sentence: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Expression.parse(text)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1 / (n - 3)", "1 / (n - 3): divides by zero"),
        ("n % 0", "n % 0: divides by zero"),
        ("sqrt(0 - n)", "sqrt(0 - n): sqrt takes a number of 0 or more, not -3"),
        ("1e300 * 1e300", "1e300 * 1e300: the number is too large"),
        ("9007199254740993 + n", "the number is too large"),
        ("lot > 1", "lot > 1: > takes numbers, not 'A7'"),
        ("lot * 1000000000", "* takes numbers, not 'A7'"),
        ("lot % n", "% takes numbers, not 'A7'"),
        ("good + 1", "+ takes two numbers or two texts, not true and 1"),
        ("good > 1", "> takes numbers, not true"),
        ("lot == 7", "'A7' and 7 can't be compared"),
        ("not n", "not takes true or false, not 3"),
        ("round(n, 13)", "round takes 0 to 12 digits, not 13"),
        ("floor(1e300)", "the number is too large"),
    ],
)
def test_what_has_no_value_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Expression.parse(text).value(VALUES)
    assert sentence in str(caught.value)


def test_a_condition_must_give_yes_or_no_and_a_number_a_number() -> None:
    assert Expression.parse("n == 3").holds(VALUES)
    assert Expression.parse("n").number(VALUES) == 3.0
    with pytest.raises(ExpressionError, match="n: gives 3, which is neither true nor false"):
        Expression.parse("n").holds(VALUES)
    with pytest.raises(ExpressionError, match="lot: gives 'A7', which is not a number"):
        Expression.parse("lot").number(VALUES)


def test_a_text_that_grows_is_bounded() -> None:
    text = " + ".join(["lot"] * 30)
    with pytest.raises(ExpressionError, match="gives a text beyond 1000 characters"):
        Expression.parse(text).value({"lot": "x" * 100})


def evaluated(text: str) -> None:
    """Parse and evaluate; whatever goes wrong must be the language's own error, and soon."""
    began = time.perf_counter()
    found: Value | ExpressionError
    try:
        found = Expression.parse(text).value(VALUES)
    except ExpressionError as error:
        found = error
    assert str(found) or found == ""
    assert time.perf_counter() - began < SLOWEST_S


@given(st.text(max_size=320))
@example("9**9**9")
@example("'a' * 10**9")
@example("'%1000000000d' % 5")
@example("\x00")
@example("'\\d'")
@example("0in x")
@example("n" + ".n" * 120)
@example("\ud800")
@settings(deadline=None, max_examples=300)
def test_no_text_whatever_does_more_than_fail_with_a_sentence(text: str) -> None:
    evaluated(text)


WORDS = st.sampled_from(
    [*"0123456789+-*/%()<>=.,'", "==", "<=", "!=", " and ", " or ", " not ", " if ", " else ",
     "n", "target", "lot", "good", "oven.temperature", "true", "max(", "sqrt(", "round(", "1e99",
     "__class__", "lambda ", "[", "]", "**", ":=", "f'"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=60).map("".join))
@settings(deadline=None, max_examples=500)
def test_no_heap_of_words_does_more_than_fail_with_a_sentence(text: str) -> None:
    evaluated(text)


@given(st.text(string.ascii_lowercase, min_size=1, max_size=8), st.floats(allow_nan=True))
@settings(deadline=None)
def test_a_value_from_outside_is_given_back_or_refused(name: str, value: float) -> None:
    try:
        found = Expression.parse(name).value({name: value})
    except ExpressionError:
        return
    assert found == value

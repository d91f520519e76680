"""The kinds of values that a recipe's keys take: names, targets, values with or without a formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Any, Final, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)

from agent.jobs.language.expression_tree import is_word
from agent.jobs.language.expressions import Expression, ExpressionError, Value
from agent.jobs.language.quantities import FORMULA, SECONDS, Duration, Rate
from agent.languages.message import Message
from agent.settings.models import DEVICE_NAME

UNITS_OF_TIME: Final = "|".join(SECONDS)


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """Something of a device: a setting, a reading or a command, by the role of the device."""

    role: str
    name: str

    @classmethod
    def parse(cls, given: object) -> Target:
        """Take `oven.setpoint` apart. Raises ValueError, with a sentence."""
        if isinstance(given, Target):
            return given
        role, dot, name = given.partition(".") if isinstance(given, str) else ("", "", "")
        if not (dot and role.isidentifier() and name.isidentifier()):
            raise ValueError(
                Message(
                    "{given!r} is not a role and a name with a dot, such as oven.setpoint",
                    given=given,
                )
            )
        return cls(role, name)

    def __str__(self) -> str:
        return f"{self.role}.{self.name}"


Given: TypeAlias = float | int | bool | str | Expression
"""A plain value, or an expression for one."""


def resolved(given: Given, values: Mapping[str, Value | None]) -> Value:
    """The plain value of what was given. Raises NoValue and ExpressionError."""
    return given.value(values) if isinstance(given, Expression) else given


def _expression(given: object) -> Expression:
    if isinstance(given, Expression):
        return given
    if isinstance(given, bool | int | float):
        given = str(given).lower()
    if not isinstance(given, str):
        raise ValueError(  # noqa: TRY004 - pydantic makes a problem of a ValueError alone
            Message(
                "{given!r} is not an expression: write one such as oven.temperature > 80",
                given=given,
            )
        )
    if given.lstrip().startswith(FORMULA):
        raise ValueError(
            Message(
                "{given!r}: an expression stands here in any case: write it without =", given=given
            )
        )
    try:
        return Expression.parse(given)
    except ExpressionError as error:
        raise ValueError(str(error)) from None


def _given(given: object) -> Given:
    match given:
        case Expression() | bool() | int():
            return given
        case float() if isfinite(given):
            return given
        case str() if given.startswith(FORMULA):
            return _expression(given.removeprefix(FORMULA))
        case str() if given.isprintable() and len(given) <= 300:
            return given
    raise ValueError(
        Message(
            "{given!r} is not a value: write a number, a text, true, false or =expression",
            given=given,
        )
    )


def _name(text: str) -> str:
    if is_word(text):
        raise ValueError(
            Message(
                "{text} has a meaning of its own in expressions: choose another name", text=text
            )
        )
    return text


def _listed(given: object) -> object:
    """One text is a list of one."""
    return (given,) if isinstance(given, str) else given


Name = Annotated[str, Field(pattern=DEVICE_NAME), AfterValidator(_name)]
Condition = Annotated[
    Expression,
    PlainValidator(_expression),
    PlainSerializer(str),
    WithJsonSchema({"type": ["string", "boolean", "number"]}),
]
Formula = Condition
"""An expression that stands without a sign before it; a condition gives true or false."""
AnyValue = Annotated[
    Given,
    PlainValidator(_given),
    PlainSerializer(lambda it: f"={it}" if isinstance(it, Expression) else it),
    WithJsonSchema({"type": ["number", "boolean", "string"]}),
]
Dotted = Annotated[
    Target,
    PlainValidator(Target.parse),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": r"^[a-z][a-z0-9_]*\.[a-zA-Z_][a-zA-Z0-9_]*$"}),
]
Time = Annotated[
    Duration,
    PlainValidator(Duration.parse),
    PlainSerializer(str),
    WithJsonSchema(
        {"type": ["number", "string"], "pattern": rf"^(=.+|[0-9.]+ *({UNITS_OF_TIME})?)$"}
    ),
]
Slope = Annotated[
    Rate,
    PlainValidator(Rate.parse),
    PlainSerializer(str),
    WithJsonSchema({"type": ["number", "string"]}),
]
Texts: TypeAlias = Annotated[tuple[str, ...], Field(strict=False), BeforeValidator(_listed)]


def names_of(*given: Any) -> tuple[str, ...]:
    """The names that expressions among these need, each once; plain values need none."""
    found: list[str] = []
    for it in given:
        inner = it.amount if isinstance(it, Duration | Rate) else it
        if isinstance(inner, Expression):
            found += inner.names
    return tuple(dict.fromkeys(found))

"""Conditions and values of a recipe: a small language in which nothing can be opened, built or called.

The grammar is a part of Python's, and simpleeval evaluates it (docs/decisions/0021). A name is a
parameter, an earlier result, a loop's variable, or `role.reading`. What an expression costs is
bounded by its length: it has no loops, no powers and no lists.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from simpleeval import InvalidExpression, SimpleEval  # type: ignore[import-untyped]

from agent.errors import Refused
from agent.jobs.language.expression_tree import NotOurs, parsed
from agent.jobs.language.expression_words import FUNCTIONS, OPERATORS, WordError
from agent.languages.message import Message

Value: TypeAlias = float | int | bool | str

LONGEST_TEXT: Final = 1000
"""Characters of a text that an expression may give."""
GREATEST_INTEGER: Final = 2**53
"""Beyond it a number that a float holds is not exact any more."""


class ExpressionError(Refused):
    """An expression can't be understood, or has no value now; nothing was done."""


class NoValue(ExpressionError):
    """A name of the expression has no value: the reading is missing, stale or bad."""

    def __init__(self, text: str, names: tuple[str, ...]) -> None:
        self.names = names
        has = "has" if len(names) == 1 else "have"
        super().__init__(
            Message(
                "{text}: {names} {has} no value that is to be believed",
                text=text,
                names=", ".join(names),
                has=has,
            )
        )


def _believed(value: Value | None) -> bool:
    """Whether there is a value. One that is not a number compares as false to everything."""
    return value is not None and (not isinstance(value, float) or math.isfinite(value))


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was understood. `names` are those that it needs a value of."""

    text: str
    names: tuple[str, ...] = field(compare=False)
    """In the order in which they stand, each once: `target`, `oven.temperature`."""
    tree: ast.expr = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Expression:
        """Understand a text. Raises ExpressionError: what is wrong, and what is allowed."""
        try:
            tree, names = parsed(text)
        except NotOurs as error:
            raise ExpressionError(str(error)) from None
        return cls(text.strip(), names, tree)

    def value(self, values: Mapping[str, Value | None]) -> Value:
        """Evaluate with these values; a name that is missing, None or not finite has none.

        Every name must have a value, also one on a side that would not be looked at: what an
        expression says must not depend on the order in which it is written.

        Raises:
            NoValue: A name has no value.
            ExpressionError: It divides by zero, compares a text to a number, or gives no plain value.
        """
        if missing := tuple(name for name in self.names if not _believed(values.get(name))):
            raise NoValue(self.text, missing)
        evaluator = SimpleEval(OPERATORS, FUNCTIONS, {name: values[name] for name in self.names})
        try:
            found = evaluator.eval(self.text, previously_parsed=self.tree)
        except WordError as error:
            raise ExpressionError(
                Message("{text}: {error}", text=self.text, error=str(error))
            ) from None
        except ZeroDivisionError:
            raise ExpressionError(Message("{text}: divides by zero", text=self.text)) from None
        except (InvalidExpression, ArithmeticError, TypeError, ValueError) as error:
            raise ExpressionError(
                Message("{text}: {error}", text=self.text, error=str(error))
            ) from None
        return self._plain(found)

    def holds(self, values: Mapping[str, Value | None]) -> bool:
        """Evaluate a condition. Raises NoValue and ExpressionError, also when it gives no yes or no."""
        found = self.value(values)
        if not isinstance(found, bool):
            raise ExpressionError(
                Message(
                    "{text}: gives {found!r}, which is neither true nor false",
                    text=self.text,
                    found=found,
                )
            )
        return found

    def number(self, values: Mapping[str, Value | None]) -> float:
        """Evaluate to a number. Raises NoValue and ExpressionError, also when it gives none."""
        found = self.value(values)
        if isinstance(found, bool | str):
            raise ExpressionError(
                Message(
                    "{text}: gives {found!r}, which is not a number", text=self.text, found=found
                )
            )
        return float(found)

    def _plain(self, found: Any) -> Value:
        match found:
            case bool():
                return found
            case int() if abs(found) <= GREATEST_INTEGER:
                return found
            case float() if math.isfinite(found):
                return found
            case str() if len(found) <= LONGEST_TEXT:
                return found
            case int() | float():
                raise ExpressionError(Message("{text}: the number is too large", text=self.text))
            case str():
                raise ExpressionError(
                    Message(
                        "{text}: gives a text beyond {longest_text} characters",
                        text=self.text,
                        longest_text=LONGEST_TEXT,
                    )
                )
        raise ExpressionError(
            Message("{text}: gives neither a number, a text, true nor false", text=self.text)
        )

    def __str__(self) -> str:
        return self.text

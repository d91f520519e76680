"""The operators and functions of the expression language, each strict about what it is given."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from agent.languages.message import Message

EXACT: Final = 2.0**53
"""From here on a float has whole numbers only."""


class WordError(Exception):
    """An operator or function was given what it does not take. The message is a sentence."""


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _of_numbers(sign: str, does: Callable[..., Any]) -> Callable[..., Any]:
    def apply(*values: Any) -> Any:
        for value in values:
            if not _number(value):
                raise WordError(
                    Message("{sign} takes numbers, not {shown}", sign=sign, shown=_shown(value))
                )
        return does(*values)

    return apply


def _added(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if _number(left) and _number(right):
        return left + right
    raise WordError(
        Message(
            "+ takes two numbers or two texts, not {shown} and {shown_2}",
            shown=_shown(left),
            shown_2=_shown(right),
        )
    )


def _equality(does: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def apply(left: Any, right: Any) -> bool:
        if type(left) is not type(right) and not (_number(left) and _number(right)):
            raise WordError(
                Message(
                    "{shown} and {shown_2} can't be compared",
                    shown=_shown(left),
                    shown_2=_shown(right),
                )
            )
        return does(left, right)

    return apply


def _negated(value: Any) -> bool:
    if not isinstance(value, bool):
        raise WordError(Message("not takes true or false, not {shown}", shown=_shown(value)))
    return not value


def _root(value: float) -> float:
    if value < 0:
        raise WordError(
            Message("sqrt takes a number of 0 or more, not {shown}", shown=_shown(value))
        )
    return math.sqrt(value)


def _rounded(value: float, digits: int = 0) -> float:
    """Half away from zero, as a person rounds; Python's own rounds half to even."""
    if not isinstance(digits, int) or not 0 <= digits <= 12:
        raise WordError(Message("round takes 0 to 12 digits, not {digits!r}", digits=digits))
    if abs(value) >= EXACT:
        return value  # it has no digits after the point
    scale = 10**digits
    whole = math.floor(abs(value) * scale + 0.5)
    return math.copysign(whole / scale, value)


OPERATORS: Final[Mapping[type[ast.AST], Callable[..., Any]]] = MappingProxyType(
    {
        ast.Add: _added,
        ast.Sub: _of_numbers("-", operator.sub),
        ast.Mult: _of_numbers("*", operator.mul),
        ast.Div: _of_numbers("/", operator.truediv),
        ast.Mod: _of_numbers("%", operator.mod),
        ast.Eq: _equality(operator.eq),
        ast.NotEq: _equality(operator.ne),
        ast.Lt: _of_numbers("<", operator.lt),
        ast.LtE: _of_numbers("<=", operator.le),
        ast.Gt: _of_numbers(">", operator.gt),
        ast.GtE: _of_numbers(">=", operator.ge),
        ast.Not: _negated,
        ast.USub: _of_numbers("-", operator.neg),
        ast.UAdd: _of_numbers("+", operator.pos),
    }
)

FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        "abs": _of_numbers("abs", abs),
        "ceil": _of_numbers("ceil", math.ceil),
        "floor": _of_numbers("floor", math.floor),
        "max": _of_numbers("max", max),
        "min": _of_numbers("min", min),
        "round": _of_numbers("round", _rounded),
        "sqrt": _of_numbers("sqrt", _root),
    }
)

ARGUMENTS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "abs": (1, 1),
        "ceil": (1, 1),
        "floor": (1, 1),
        "max": (2, 10),
        "min": (2, 10),
        "round": (1, 2),
        "sqrt": (1, 1),
    }
)
"""How many arguments each function takes, at least and at most."""

CONSTANTS: Final = MappingProxyType({"true": True, "false": False})

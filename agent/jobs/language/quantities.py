"""Durations and rates as people write them: `90 s`, `10 min`, `0.5 V/s`, `=soak min`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from agent.jobs.language.expressions import Expression, ExpressionError, Value
from agent.languages.message import Message

SECONDS: Final[Mapping[str, float]] = MappingProxyType(
    {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
)
"""UCUM codes of time, and how many seconds each is."""
LONGEST_S: Final = 30 * 86_400.0
NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
FORMULA: Final = "="
"""What an expression begins with where a plain value might stand as well, as in a spreadsheet."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A time: a number or an expression, in one of the units of `SECONDS`."""

    amount: float | Expression
    unit: str = "s"

    def seconds(self, values: Mapping[str, Value | None]) -> float:
        """How many seconds it is with these values. Raises ExpressionError, also when it is below 0."""
        found = _number(self.amount, values) * SECONDS[self.unit]
        if not 0 <= found <= LONGEST_S:
            raise ExpressionError(
                Message(
                    "{given}: {found:g} s is not a time of 0 s to {longest_s:g} s",
                    given=self,
                    found=found,
                    longest_s=LONGEST_S,
                )
            )
        return found

    @property
    def constant(self) -> float | None:
        """The seconds, where they are written out."""
        return None if isinstance(self.amount, Expression) else self.seconds({})

    @classmethod
    def parse(cls, given: object) -> Duration:
        """Take `90 s`, `=soak min`, or a number of seconds. Raises ValueError, with a sentence."""
        if isinstance(given, Duration):
            return given
        if isinstance(given, int | float) and not isinstance(given, bool):
            return cls._checked(float(given), "s")
        if not isinstance(given, str):
            raise ValueError(  # noqa: TRY004 - pydantic makes a problem of a ValueError alone
                Message(
                    "{given!r} is not a time: write a number and a unit, such as 90 s", given=given
                )
            )
        amount, unit = _apart(given, tuple(SECONDS))
        return cls._checked(amount, unit or "s")

    @classmethod
    def _checked(cls, amount: float | Expression, unit: str) -> Duration:
        found = cls(amount, unit)
        try:
            found.constant  # noqa: B018 - asked for its refusal
        except ExpressionError as error:
            raise ValueError(str(error)) from None
        return found

    def __str__(self) -> str:
        return f"{_spelled(self.amount)} {self.unit}"


@dataclass(frozen=True, slots=True)
class Rate:
    """A change in time: a number or an expression, of `unit`, per s, min or h.

    `unit` is None for a bare number: it is in the unit of what is changed, per second.
    """

    amount: float | Expression
    unit: str | None = None
    per: str = "s"

    def per_second(self, values: Mapping[str, Value | None]) -> float:
        """How much it is in a second. Raises ExpressionError, also when it is not above 0."""
        found = _number(self.amount, values) / SECONDS[self.per]
        if not (math.isfinite(found) and found > 0):
            raise ExpressionError(Message("{given}: a rate must be above 0", given=self))
        return found

    @classmethod
    def parse(cls, given: object) -> Rate:
        """Take `0.5 V/s`, `=slope Cel/min` or a number. Raises ValueError, with a sentence."""
        if isinstance(given, Rate):
            return given
        if isinstance(given, int | float) and not isinstance(given, bool):
            return cls._checked(cls(float(given)))
        if not isinstance(given, str):
            raise ValueError(  # noqa: TRY004 - pydantic makes a problem of a ValueError alone
                Message(
                    "{given!r} is not a rate: write a number and a unit, such as 0.5 V/s",
                    given=given,
                )
            )
        amount, written = _apart(given, None)
        unit, _, per = written.rpartition("/")
        if written and (per not in SECONDS or not unit):
            raise ValueError(
                Message("{given!r} is not a rate such as 0.5 V/s or 2 Cel/min", given=given)
            )
        return cls._checked(cls(amount, unit or None, per or "s"))

    @classmethod
    def _checked(cls, found: Rate) -> Rate:
        if not isinstance(found.amount, Expression):
            try:
                found.per_second({})
            except ExpressionError as error:
                raise ValueError(str(error)) from None
        return found

    def __str__(self) -> str:
        of = f" {self.unit}/" if self.unit else " per "
        return f"{_spelled(self.amount)}{of}{self.per}"


def _apart(text: str, units: tuple[str, ...] | None) -> tuple[float | Expression, str]:
    """The number or expression, and the unit after it; "" where there is none."""
    bare = text.strip()
    if bare.startswith(FORMULA):
        return _formula(bare.removeprefix(FORMULA), units)
    found = NUMBER.match(bare)
    unit = bare[found.end() :].strip() if found else ""
    if found is None or (units is not None and unit and unit not in units):
        such = "90 s" if units else "0.5 V/s"
        allowed = Message("; units: {units}", units=", ".join(units)) if units else ""
        raise ValueError(
            Message(
                "{text!r} is not a number and a unit, such as {such}{allowed}",
                text=text,
                such=such,
                allowed=allowed,
            )
        )
    return float(found[0]), unit


def _formula(text: str, units: tuple[str, ...] | None) -> tuple[Expression, str]:
    """An expression that is understood as a whole has no unit after it; otherwise its last word is."""
    try:
        return Expression.parse(text), ""
    except ExpressionError as whole:
        before, _, unit = text.rstrip().rpartition(" ")
        fits = unit in units if units is not None else bool(re.fullmatch(r"\S+/(s|min|h)", unit))
        try:
            return Expression.parse(before if fits else text), unit if fits else ""
        except ExpressionError:
            raise ValueError(str(whole)) from None


def _number(amount: float | Expression, values: Mapping[str, Value | None]) -> float:
    return amount.number(values) if isinstance(amount, Expression) else amount


def _spelled(amount: float | Expression) -> str:
    return f"={amount}" if isinstance(amount, Expression) else f"{amount:.10g}"

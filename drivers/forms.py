"""What a value may be: its type, unit and range, and how one from outside is checked.

Values arrive from people and programs as JSON or text of a command line. They are accepted or
refused, never bent: nothing is clipped, rounded or guessed.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Protocol,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

from drivers.errors import OutOfRange, WrongType
from drivers.units import UNITS, Unit

if TYPE_CHECKING:
    from drivers.survey import Survey

THE_MODEL = "the model"


@runtime_checkable
class TextFile(Protocol):
    """A file of G-code handed to a command, read piece by piece without being held in memory."""

    @property
    def name(self) -> str:
        """What the file is called, without a folder."""
        ...

    @property
    def size(self) -> int:
        """Its length in bytes."""
        ...

    def pieces(self) -> AsyncIterator[bytes]:
        """Yield the bytes, in pieces of any size. Raises DriverError when it is not what it was."""
        ...

    async def survey(self) -> Survey:
        """What the file holds; it is examined once. Raises RequestError when it can't be read."""
        ...


@dataclass(frozen=True, slots=True)
class Span:
    """An inclusive range in `unit`; None is open. Each end knows who set it."""

    low: float | None = None
    high: float | None = None
    unit: Unit = ""
    low_source: str = THE_MODEL
    high_source: str = THE_MODEL

    def check(self, name: str, value: float) -> None:
        """Raise OutOfRange, which names value, unit, limit and whose limit it is."""
        if self.low is not None and value < self.low:
            low = self._shown(self.low)
            raise OutOfRange(
                f"{name}: {self._shown(value)} is below {low}, the limit set by {self.low_source}"
            )
        if self.high is not None and value > self.high:
            high = self._shown(self.high)
            raise OutOfRange(
                f"{name}: {self._shown(value)} is above {high}, the limit set by {self.high_source}"
            )

    def _shown(self, value: float) -> str:
        return f"{value:.10g} {UNITS[self.unit].symbol}".rstrip()


@dataclass(frozen=True, slots=True)
class Form:
    """The type of a value (float, int, bool, str, an Enum or TextFile), its unit and its range."""

    type: type[Any]
    unit: Unit = ""
    span: Span = Span()

    @property
    def kind(self) -> str:
        """The word of the public description: number, integer, boolean, text, choice or file."""
        if self.type is TextFile:
            return "file"
        if issubclass(self.type, Enum):
            return "choice"
        return {float: "number", int: "integer", bool: "boolean", str: "text"}[self.type]

    @property
    def choices(self) -> tuple[str, ...]:
        """The names an Enum's value goes by outside; empty for other types."""
        return tuple(word(member) for member in self.type) if self.kind == "choice" else ()

    def check(self, name: str, value: object) -> Any:
        """Return `value` as the driver takes it. Raises WrongType or OutOfRange."""
        match self.kind:
            case "number" | "integer":
                return self._number(name, value)
            case "choice":
                return self._choice(name, value)
            case _ if isinstance(value, self.type):
                return self._plain_text(name, value) if isinstance(value, str) else value
        raise WrongType(f"{name}: {value!r} is not {self.article}")

    @property
    def article(self) -> str:
        """What belongs here, in words: "a number in V", "on or off", "one of run, stop"."""
        shown = UNITS[self.unit].symbol
        match self.kind:
            case "number" | "integer":
                noun = "a number" if self.kind == "number" else "a whole number"
                return f"{noun} in {shown}" if shown else noun
            case "boolean":
                return "true or false"
            case "choice":
                return f"one of {', '.join(self.choices)}"
            case kind:
                return f"a {kind}"

    def _number(self, name: str, value: object) -> float | int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WrongType(f"{name}: {value!r} is not {self.article}")
        if not _is_finite(value) or (self.type is int and value != int(value)):
            raise WrongType(f"{name}: {str(value)[:40]} is not {self.article}")
        self.span.check(name, value)
        number: float | int = self.type(value)
        return number

    def _choice(self, name: str, value: object) -> Any:
        for member in self.type:
            if value is member or value == word(member):
                return member
        raise WrongType(f"{name}: {value!r} is not {self.article}")

    @staticmethod
    def _plain_text(name: str, value: str) -> str:
        """Refuse control characters: one of them may end a message and begin another."""
        if not value.isprintable():
            raise WrongType(f"{name}: {value!r} has a control character")
        return value


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a command."""

    name: str
    form: Form
    required: bool = True
    default: Any = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Ranges that config narrows, by setting ("voltage") or by argument ("ramp.to")."""

    spans: Mapping[str, Span] = field(default_factory=dict)

    def narrow(self, name: str, form: Form) -> Form:
        """Return the form with this device's range, where config gives one.

        An end that config leaves open keeps the model's. Raises OutOfRange where config would widen.
        """
        own = self.spans.get(name)
        if own is None:
            return form
        low, high = form.span, form.span
        if own.low is not None:
            form.span.check(name, own.low)
            low = own
        if own.high is not None:
            form.span.check(name, own.high)
            high = own
        span = Span(low.low, high.high, form.unit, low.low_source, high.high_source)
        return replace(form, span=span)


def _is_finite(value: float) -> bool:
    """Whether it is a number that a float can hold; a whole number may be longer than that."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def word(value: object) -> Any:
    """The public spelling of a value: an Enum by its name in small letters, others as they are."""
    return value.name.lower() if isinstance(value, Enum) else value


def parameters_of(method: Callable[..., Any]) -> tuple[Parameter, ...]:
    """Read a command's parameters from its annotations, `Annotated[float, Span(0, 16, "V")]`."""
    hints = get_type_hints(method, include_extras=True)
    found = []
    for name, parameter in list(inspect.signature(method).parameters.items())[1:]:
        required = parameter.default is inspect.Parameter.empty
        found.append(
            Parameter(
                name, _form_of(hints[name]), required, None if required else parameter.default
            )
        )
    return tuple(found)


def _form_of(hint: Any) -> Form:
    """The form of `float`, `float | None`, or either of them with a Span in Annotated."""
    span = Span()
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
        span = next((extra for extra in extras if isinstance(extra, Span)), span)
    if get_origin(hint) in {Union, UnionType}:
        (hint,) = (member for member in get_args(hint) if member is not NoneType)
        return _form_of(Annotated[hint, span]) if span != Span() else _form_of(hint)
    return Form(hint, unit=span.unit, span=span)

"""What is known of a value before anything runs: its type, its unit, its choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from agent.languages.message import Message
from drivers import UNITS

Type = Literal["number", "integer", "boolean", "text", "any", "nothing"]

WORDS: Final = {
    "number": Message("a number"),
    "integer": Message("a whole number"),
    "boolean": Message("true or false"),
    "text": Message("a text"),
    "any": Message("any value"),
    "nothing": Message("nothing"),
}
NUMERIC: Final = frozenset({"number", "integer"})


@dataclass(frozen=True, slots=True)
class Kind:
    """The type of a value; its UCUM unit, None where it is not known; its choices, if it has some.

    A written number and a product have no unit that is known, and go with any.
    """

    type: Type
    unit: str | None = None
    choices: tuple[str, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether it is a number for sure."""
        return self.type in NUMERIC

    def may_be(self, *types: Type) -> bool:
        """Whether it is, or may turn out to be, of one of these types."""
        return self.type == "any" or self.type in types

    def __str__(self) -> str:
        shown = unit_symbol(self.unit or "")
        if self.choices:
            return Message("one of {choices}", choices=", ".join(self.choices))
        return (
            Message("{words} in {shown}", words=WORDS[self.type], shown=shown)
            if shown
            else WORDS[self.type]
        )


ANY: Final = Kind("any")
BOOLEAN: Final = Kind("boolean")
NUMBER: Final = Kind("number")
COUNT: Final = Kind("integer")
TEXT: Final = Kind("text")


def unit_symbol(unit: str) -> str:
    """The unit as a person reads it; one that the table does not have stays as it is."""
    return next((row.symbol for code, row in UNITS.items() if code == unit), unit)


def same_unit(one: str | None, other: str | None) -> bool:
    """Whether two units go together: one is not known, or they are the same. "1" is no unit."""
    bare = {"1": ""}
    return one is None or other is None or bare.get(one, one) == bare.get(other, other)


def kind_of_form(form: Any) -> Kind:
    """The kind of a value of a driver: its Form's type, unit and choices."""
    match form.kind:
        case "number" | "integer":
            return Kind(form.kind, form.unit)
        case "choice":
            return Kind("text", choices=form.choices)
        case "boolean":
            return BOOLEAN
    return TEXT


def kind_of(value: object) -> Kind:
    """The kind of a value that is written out."""
    match value:
        case bool():
            return BOOLEAN
        case int():
            return Kind("integer")
        case float():
            return NUMBER
        case str():
            return TEXT
    return ANY

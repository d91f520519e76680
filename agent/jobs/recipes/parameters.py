"""What a recipe is told when it is started: parameters with type, unit, range, choices, default."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

from agent.errors import Refused
from agent.jobs.language.expressions import Value
from agent.jobs.language.kinds import BOOLEAN, Kind, unit_symbol
from agent.languages.message import N_, Message
from agent.settings.section import Section, Title
from agent.settings.values import End, Label
from drivers import UNITS

ParameterType: TypeAlias = Literal[
    "number", "integer", "choice", "text", "boolean", "file", "lot", "serial_number"
]
NUMERIC: Final = frozenset({"number", "integer"})
PATTERNED: Final = frozenset({"text", "lot", "serial_number"})
IDENTITY: Final = r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}"
"""What a lot or serial number looks like where a recipe says nothing else."""
LONGEST_TEXT: Final = 200


class Parameter(Section):
    """One parameter. It is required unless it has a default."""

    type: Annotated[ParameterType, Field(description=N_("What kind of value it is."))]
    title: Annotated[Title, Field(description="What people call it.")] = Title()
    unit: Annotated[
        str, Field(description="UCUM code of a number's unit.", examples=[u for u in UNITS if u])
    ] = ""
    low: Annotated[End | None, Field(description="Lowest number allowed.")] = None
    high: Annotated[End | None, Field(description="Highest number allowed.")] = None
    choices: Annotated[
        tuple[Label, ...], Field(strict=False, description="The texts of a choice.", max_length=50)
    ] = ()
    pattern: Annotated[
        str | None,
        Field(description="Regular expression that a whole text must match.", max_length=200),
    ] = None
    default: Annotated[
        float | int | bool | str | None, Field(description="Value if none is given.")
    ] = None

    @property
    def required(self) -> bool:
        """Whether a job can't begin without it."""
        return self.default is None

    @property
    def kind(self) -> Kind:
        """What an expression may expect of it. A number without a unit goes with any."""
        match self.type:
            case "number" | "integer":
                return Kind(self.type, self.unit or None)
            case "boolean":
                return BOOLEAN
        return Kind("text", choices=tuple(self.choices))

    def check(self, name: str, value: object) -> Value:
        """Return the value as the recipe takes it. Nothing is bent.

        Raises:
            Refused: It is of another type, beyond the range, or does not match the pattern.
        """
        of = {"name": name, "value": repr(value)}
        match self.type:
            case "number" | "integer":
                return self._number(name, value)
            case "boolean":
                if isinstance(value, bool):
                    return value
                raise Refused(Message("{name}: {value} is neither true nor false", **of))
            case "choice":
                if isinstance(value, str) and value in self.choices:
                    return value
                of["choices"] = ", ".join(self.choices)
                raise Refused(Message("{name}: {value} is not one of {choices}", **of))
        return self._text(name, value)

    def _number(self, name: str, value: object) -> float | int:
        unit = f" {unit_symbol(self.unit)}".rstrip()
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused(self._not_a_number(name=name, value=repr(value), unit=unit))
        if not abs(value) < 1e300 or not self._is_whole(value):
            raise Refused(self._not_a_number(name=name, value=repr(value), unit=unit))
        of = {"name": name, "value": f"{value:.10g}{unit}"}
        if self.low is not None and value < self.low:
            low = f"{self.low:.10g}{unit}"
            raise Refused(Message("{name}: {value} is below {low}", **of, low=low))
        if self.high is not None and value > self.high:
            high = f"{self.high:.10g}{unit}"
            raise Refused(Message("{name}: {value} is above {high}", **of, high=high))
        return int(value) if self.type == "integer" else float(value)

    def _is_whole(self, value: float) -> bool:
        return self.type != "integer" or value == int(value)

    def _not_a_number(self, *, unit: str, **of: str) -> Message:
        if self.type == "integer" and unit:
            return Message("{name}: {value} is not a whole number in{unit}", **of, unit=unit)
        if self.type == "integer":
            return Message("{name}: {value} is not a whole number", **of)
        if unit:
            return Message("{name}: {value} is not a number in{unit}", **of, unit=unit)
        return Message("{name}: {value} is not a number", **of)

    def _text(self, name: str, value: object) -> str:
        of = {"name": name, "value": repr(value)}
        if not isinstance(value, str) or not value or not value.isprintable():
            raise Refused(Message("{name}: {value} is not a text of one line", **of))
        if len(value) > LONGEST_TEXT:
            text = Message("{name}: is longer than {most} characters", name=name, most=LONGEST_TEXT)
            raise Refused(text)
        if self.type == "file" and ("/" in value or value.startswith(".")):
            text = Message("{name}: {value} is not the name of a file in the agent's store", **of)
            raise Refused(text)
        pattern = self.pattern or (IDENTITY if self.type in ("lot", "serial_number") else "")
        if pattern and not matches(pattern, value):
            raise Refused(
                Message("{name}: {value} does not match {pattern}", **of, pattern=pattern)
            )
        return value

    def mistakes(self) -> Sequence[tuple[str, str]]:
        """What is wrong with the parameter itself, each as the key and a sentence."""
        found: list[tuple[str, str]] = []
        for key, types in (
            ("unit", NUMERIC),
            ("low", NUMERIC),
            ("high", NUMERIC),
            ("choices", {"choice"}),
            ("pattern", PATTERNED),
        ):
            if getattr(self, key) not in (None, "", ()) and self.type not in types:
                found.append((key, Message("is not for type {type}: delete it", type=self.type)))
        if self.unit and self.unit not in UNITS:
            known = ", ".join(unit for unit in UNITS if unit)
            found.append(
                (
                    "unit",
                    Message(
                        "{unit!r} is not a unit of this lab; allowed: {known}",
                        unit=self.unit,
                        known=known,
                    ),
                )
            )
        if self.type == "choice" and not self.choices:
            found.append(("type", Message("a choice needs choices: list them")))
        if self.low is not None and self.high is not None and self.low > self.high:
            found.append(
                ("low", Message("{low:g} is above high, {high:g}", low=self.low, high=self.high))
            )
        if self.pattern is not None and not _is_pattern(self.pattern):
            found.append(
                (
                    "pattern",
                    Message("{pattern!r} is not a regular expression", pattern=self.pattern),
                )
            )
        return found or self._mistaken_default()

    def _mistaken_default(self) -> list[tuple[str, str]]:
        if self.default is None:
            return []
        try:
            self.check("default", self.default)
        except Refused as refused:
            return [("default", _bare(refused))]
        return []


def _bare(refused: Refused) -> str:
    """The refusal of a default without the word, for the key is said beside it."""
    said = str(refused)
    if isinstance(said, Message) and said.msgid.startswith("{name}: "):
        return Message(said.msgid.removeprefix("{name}: "), **said.arguments)
    return said.removeprefix("default: ")


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches. The engine behind pydantic never takes more than linear time."""
    try:
        _adapter(pattern).validate_python(text)
    except ValidationError:
        return False
    return True


def _is_pattern(pattern: str) -> bool:
    try:
        _adapter(pattern)
    except SchemaError:
        return False
    return True


@lru_cache(maxsize=64)
def _adapter(pattern: str) -> TypeAdapter[str]:
    return TypeAdapter(Annotated[str, StringConstraints(pattern=rf"^(?:{pattern})$")])

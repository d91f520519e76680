"""The devices of a recipe: by the role that they play in it, not by the name that they have here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from agent.languages.message import Message
from agent.settings.models import DEVICE_NAME
from agent.settings.section import Section, Title
from agent.settings.values import Text
from drivers import UNITS
from drivers.catalogue import DRIVERS


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a device must offer: a reading, setting or command, and a reading's unit."""

    name: str
    unit: str = ""

    @classmethod
    def parse(cls, given: object) -> Need:
        """Take `temperature Cel` apart. Raises ValueError, with a sentence."""
        if isinstance(given, Need):
            return given
        words = given.split() if isinstance(given, str) else []
        if not 1 <= len(words) <= 2 or not words[0].isidentifier():
            raise ValueError(
                Message(
                    "{given!r} is not a name, and a unit if it has one, such as temperature Cel",
                    given=given,
                )
            )
        name, unit = words[0], words[1] if len(words) == 2 else ""
        if unit not in UNITS:
            known = ", ".join(code for code in UNITS if code)
            raise ValueError(
                Message(
                    "{unit!r} is not a unit of this lab; allowed: {known}", unit=unit, known=known
                )
            )
        return cls(name, unit)

    def __str__(self) -> str:
        return f"{self.name} {self.unit}".rstrip()


def _listed(given: object) -> object:
    return (given,) if isinstance(given, str) else given


_Need = Annotated[
    Need, PlainValidator(Need.parse), PlainSerializer(str), WithJsonSchema({"type": "string"})
]


class DeviceRole(Section):
    """A device that the recipe works with.

    Which one may play the role is said by `driver` or by `needs`, one of the two. With `driver` it
    is known what the device offers. With `needs` any device will do that has these readings,
    settings and commands, in these units, and the recipe may use no others.
    """

    driver: Annotated[
        tuple[Text, ...],
        BeforeValidator(_listed, json_schema_input_type=str | tuple[Text, ...]),
        Field(
            strict=False,
            description="A driver's name in the catalogue, or a list of them.",
            examples=sorted(DRIVERS),
            max_length=20,
        ),
    ] = ()
    needs: Annotated[
        tuple[_Need, ...],
        Field(
            strict=False,
            description="What the device must offer, such as [temperature Cel, setpoint Cel].",
            max_length=50,
        ),
    ] = ()
    device: Annotated[
        str | None,
        Field(description="The device that plays it unless another is named.", pattern=DEVICE_NAME),
    ] = None
    title: Annotated[Title, Field(description="What people call it.")] = Title()

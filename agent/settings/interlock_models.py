"""The keys of an interlock: what must be so, for what, and what happens when it is not."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from pydantic import Field

from agent.languages.message import N_
from agent.settings.section import Section, Title, doc
from agent.settings.values import End, Seconds, Text

DOTTED: Final = r"^[a-z][a-z0-9_]{0,39}\.[a-z][a-z0-9_]{0,59}$"
MOST_NAMES: Final = 100

Dotted = Annotated[str, Field(pattern=DOTTED)]
Names: TypeAlias = Annotated[tuple[Text, ...], Field(strict=False, max_length=MOST_NAMES)]
Delay = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]
Margin = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ConditionSettings(Section):
    """What a reading must be: within `above` and `below`, or equal to something."""

    above: Annotated[End | None, doc("It must be above this, in the reading's unit.")] = None
    below: Annotated[End | None, doc("It must be below this, in the reading's unit.")] = None
    hysteresis: Annotated[
        Margin, doc("How far within its limits a reading must be to be right again.")
    ] = 0.0
    equals: Annotated[
        bool | Text | None, doc("What it must be: true, false, or the name of a choice.")
    ] = None


class InterlockSettings(Section):
    """Readings that must be right for something to be done, or at all times."""

    title: Annotated[Title, doc("What people call it.")] = Title()
    requires: Annotated[
        dict[Dotted, ConditionSettings],
        doc(
            N_(
                "What must be so, by device.reading. A value that is missing, stale, bad or too old "
                "counts as wrong."
            ),
            min_length=1,
            max_length=MOST_NAMES,
            json_schema_extra={"additionalProperties": False},
        ),
    ]
    guards: Annotated[
        Names,
        doc("Settings and commands that are refused meanwhile, as device.name. Off is allowed."),
    ] = ()
    trip: Annotated[Names, doc("Devices that are made safe as soon as it is wrong.")] = ()
    delay: Annotated[
        Delay, doc("Seconds for which it may be wrong before devices are made safe.")
    ] = 0.0
    max_age: Annotated[Seconds, doc("Seconds after which a value is too old to be believed.")] = (
        10.0
    )

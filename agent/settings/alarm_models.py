"""The keys of an alarm: what is not as it should be, how urgent that is, and what to do then."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeAlias

from agent.languages.message import N_
from agent.settings.interlock_models import Delay, Dotted, Margin
from agent.settings.section import Section, Title, doc
from agent.settings.values import End, Text

GROUP_NAME: Final = r"^[a-z0-9_-]{1,40}$"

Priority: TypeAlias = Literal["low", "medium", "high", "critical"]
"""How soon somebody must act, by the words of ISA-18.2 and IEC 62682."""


class Todo(Section):
    """What whoever sees it shall do, in the languages of the lab."""

    ko: Annotated[Text | None, doc("In Korean, up to 300 characters.")] = None
    en: Annotated[Text | None, doc("In English, up to 300 characters.")] = None


class AlarmSettings(Section):
    """A reading that is not as it should be, which somebody must see to."""

    title: Annotated[Title, doc("What people call it.")] = Title()
    reading: Annotated[Dotted, doc(N_("The reading that is watched, as device.reading."))]
    high: Annotated[
        End | None, doc("It is active at this value and above, in the reading's unit.")
    ] = None
    low: Annotated[
        End | None, doc("It is active at this value and below, in the reading's unit.")
    ] = None
    hysteresis: Annotated[
        Margin, doc("How far within its limits the reading must be for it to end.")
    ] = 0.0
    equals: Annotated[
        bool | Text | None,
        doc("Instead of limits: active while it is true, false, or this choice."),
    ] = None
    delay: Annotated[Delay, doc("Seconds for which it must be so before it is active.")] = 0.0
    priority: Annotated[
        Priority, doc("How soon somebody must act: low, medium, high or critical.")
    ] = "medium"
    group: Annotated[
        str | None,
        doc(
            "Alarms of one group mark the first of them; its device if not given.",
            pattern=GROUP_NAME,
        ),
    ] = None
    todo: Annotated[Todo, doc("What whoever sees it shall do.")] = Todo()


ALARMS: Final[Any] = doc(
    "What somebody must see to, by name: a to z, digits and -.",
    json_schema_extra={"additionalProperties": False},
)
OFFLINE_ALARM: Final[Any] = doc(
    "Seconds without values after which an alarm is raised; null: none."
)

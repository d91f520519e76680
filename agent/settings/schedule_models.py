"""The keys of a schedule: which recipe is started when, and what becomes of times that were missed."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from agent.languages.message import N_, Message
from agent.settings.section import Section, Title, doc
from agent.settings.values import RoleName, Text
from drivers import Role

ROLE_NAME: Final = r"^[a-z][a-z0-9_]{0,39}$"
"""Of a recipe's parameters, devices and roles."""
DEFAULT_ZONE: Final = "Asia/Seoul"
MOST_NAMES: Final = 50
LATEST_S: Final = 604_800.0

Missed = Literal["skip", "once"]
Overlap = Literal["skip", "queue"]


def _argument(value: object) -> bool | float | str:
    """A value as YAML gives it. Raises ValueError, with a sentence."""
    if isinstance(value, bool | int | float | str):
        return value
    raise ValueError(Message("{value!r} is no number, text, true or false", value=value))


Name = Annotated[str, Field(pattern=ROLE_NAME)]
Argument = Annotated[
    bool | int | float | str,
    PlainValidator(_argument),
    WithJsonSchema({"type": ["boolean", "number", "string"]}),
]


class ScheduleSettings(Section):
    """A recipe that is started at certain times, as a job like any other."""

    title: Annotated[Title, doc("What people call it.")] = Title()
    recipe: Annotated[Text, doc(N_("The recipe that is started."), examples=["nightly_check"])]
    arguments: Annotated[
        dict[Name, Argument], doc("Its parameters by name.", max_length=MOST_NAMES)
    ] = {}
    devices: Annotated[
        dict[Name, Name],
        doc("Devices by role, where not the recipe's own.", max_length=MOST_NAMES),
    ] = {}
    cron: Annotated[
        Text,
        doc(
            N_("When: minute, hour, day of the month, month, day of the week."),
            examples=["0 2 * * *", "*/30 8-18 * * MON-FRI"],
        ),
    ]
    zone: Annotated[
        Text, doc("The time zone of `cron`, by its IANA name.", examples=["Asia/Seoul", "UTC"])
    ] = DEFAULT_ZONE
    missed: Annotated[
        Missed,
        doc(
            "What becomes of times at which the agent did not run, or the clock was put forward: "
            "skip: nothing; once: one start for all of them."
        ),
    ] = "skip"
    late: Annotated[
        float | None,
        doc(
            "With missed: once, how long after the last missed time it may still be started, "
            "seconds; without a limit if not given.",
            ge=60,
            le=LATEST_S,
            allow_inf_nan=False,
        ),
    ] = None
    overlap: Annotated[
        Overlap,
        doc(
            "What if its last job still waits or runs: skip: nothing; queue: one job waits behind it."
        ),
    ] = "skip"
    role: Annotated[RoleName, doc("What its jobs may do.")] = Role.TECHNICIAN
    enabled: Annotated[bool, doc("Whether it fires at all.")] = True

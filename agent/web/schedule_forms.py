"""The JSON of schedules: what each starts, when, and what became of its last time."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from agent.settings.schedule_models import Missed, Overlap
from agent.web import schedule_examples as examples
from agent.web.forms import Moment, Shown, Titles, config


class TimeForm(BaseModel):
    """A time of a schedule."""

    model_config = config(examples.TIME)

    time: Moment
    local: Annotated[str, Field(description="The same in the schedule's zone.")]


class TroubleForm(TimeForm):
    """A time for which no job was started."""

    model_config = config(examples.TROUBLE)

    what: Annotated[
        Literal["refused", "skipped", "missed"], Field(description="What became of it.")
    ]
    text: Annotated[str, Field(description="Why.")]


class ScheduleForm(BaseModel):
    """A schedule as it stands."""

    model_config = config(examples.SCHEDULE)

    schedule: str
    titles: Titles
    recipe: str
    arguments: dict[str, Shown]
    devices: Annotated[dict[str, str], Field(description="By role, where not the recipe's own.")]
    cron: Annotated[
        str, Field(description="Minute, hour, day of the month, month, day of the week.")
    ]
    zone: Annotated[str, Field(description="The time zone of `cron`.")]
    missed: Annotated[Missed, Field(description="What becomes of missed times.")]
    late: Annotated[
        float | None, Field(description="Seconds after which a missed time is not made up for.")
    ]
    overlap: Annotated[Overlap, Field(description="What if its last job is still there.")]
    role: Annotated[str, Field(description="What its jobs may do.")]
    enabled: bool
    off_by: Annotated[
        Literal["config", "person"] | None,
        Field(description="Who switched it off; null if it is on."),
    ]
    next: Annotated[list[TimeForm], Field(description="Empty while it is off.")]
    fired: Annotated[
        TimeForm | None, Field(description="The time for which its last job was started.")
    ]
    job: Annotated[str, Field(description="That job; empty if there was none.")]
    trouble: Annotated[
        TroubleForm | None,
        Field(
            description="The last time for which no job was started; null if there never was any."
        ),
    ]


class SchedulesForm(BaseModel):
    """All schedules, in the order of their names."""

    model_config = config({"schedules": [examples.SCHEDULE]})

    schedules: list[ScheduleForm]

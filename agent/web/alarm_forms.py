"""The JSON of alarms, and of what people do with them."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from agent.safety.alarm import State
from agent.settings import Priority
from agent.web.forms import Moment, Titles, config

ALARM: Final[dict[str, Any]] = {
    "alarm": "oven-too-hot",
    "titles": {"ko": "오븐 과열", "en": "Oven too hot"},
    "todo": {"ko": "오븐 문을 여십시오", "en": "Open the oven's door"},
    "priority": "high",
    "group": "oven1",
    "device": "oven1",
    "state": "unacknowledged",
    "active": True,
    "acknowledged": False,
    "first": True,
    "since": "2026-11-22T09:15:00.250Z",
    "reason": "oven1.temperature is 161 °C and must be below 160 °C",
    "by": "",
    "shelved_until": None,
}


class AlarmForm(BaseModel):
    """An alarm as it stands."""

    model_config = config(ALARM)
    alarm: str
    titles: Titles
    todo: Annotated[dict[str, str], Field(description="What to do, by language.")]
    priority: Priority
    group: str
    device: Annotated[str, Field(description="Empty where it is about none.")]
    state: State
    active: Annotated[bool, Field(description="Whether it is so, as far as is known.")]
    acknowledged: bool
    first: Annotated[bool, Field(description="Whether it came first of its group.")]
    since: Annotated[Moment, Field(description="When it came into its state.")]
    reason: Annotated[str, Field(description="Why it was raised last.")]
    by: Annotated[str, Field(description="Who acknowledged or shelved it last.")]
    shelved_until: Moment | None


class Acknowledgement(BaseModel):
    """What a person says to it."""

    model_config = config({"reason": "the door was shut"})
    reason: Annotated[str, Field(strict=True, max_length=500)] = ""


class Shelf(BaseModel):
    """For how long it is put aside, and why."""

    model_config = config({"seconds": 1800, "reason": "the sensor is being changed"})
    seconds: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
    reason: Annotated[str, Field(strict=True, min_length=1, max_length=500)]

"""The JSON of interlocks, and of what a person says about a device."""

from typing import Annotated

from pydantic import BaseModel, Field

from agent.web import examples
from agent.web.forms import Titles, config


class Reason(BaseModel):
    """Why, in a person's words."""

    model_config = config({"reason": "the output is off, I have looked"})
    reason: Annotated[str, Field(strict=True, min_length=1, max_length=500)]


class InterlockForm(BaseModel):
    """An interlock as it stands."""

    model_config = config(examples.INTERLOCK)
    interlock: str
    titles: Titles
    holds: Annotated[bool, Field(description="Whether everything is as it must be.")]
    reason: Annotated[str, Field(description="Why it does not hold; empty where it does.")]
    latched: Annotated[
        str,
        Field(
            description="Why its trip still counts, and what to do about that; empty where it does not. "
            "Until then the devices that it trips take nothing but what switches off."
        ),
    ]
    guards: list[str]
    trip: list[str]

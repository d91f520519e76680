"""How the last stop of a device stands: a stop is answered within a second, and may go on."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from agent.languages.catalogues import all_in_language as said
from agent.public import outcome_form, utc_text
from agent.web import examples, forms
from agent.web.routes import AT_THE_DOOR, TheDevice, TheLanguage, TheStation, answers

LONGEST_WAIT_S: Final = 10.0

last_stops = APIRouter(prefix="/api/v1")

STOPPED: dict[str, Any] = {
    "trying": False,
    "asked": "2026-11-28T05:51:12.270Z",
    "ended": "2026-11-28T05:51:14.302Z",
    "outcome": {**examples.DONE, "message": "psu1 was made safe", "value": None},
}
Wait = Annotated[
    float,
    Query(
        ge=0,
        le=LONGEST_WAIT_S,
        allow_inf_nan=False,
        description="Seconds to wait for the end of a stop that is being tried.",
        examples=[0.5],
    ),
]


class LastStopForm(BaseModel):
    """The last stop of a device since the agent began; all is empty where there was none."""

    model_config = forms.config(STOPPED)

    trying: Annotated[bool, Field(description="Whether one is under way.")]
    asked: Annotated[str | None, Field(description="When the last was asked for; RFC 3339 in UTC.")]
    ended: Annotated[str | None, Field(description="When the last that has ended did.")]
    outcome: Annotated[forms.OutcomeForm | None, Field(description="How that ended.")]


@last_stops.get(
    "/devices/{device}/stop",
    summary="How the last stop of a device ended",
    responses=answers(STOPPED, *AT_THE_DOOR, "no-such", "bad-value"),
    response_model=LastStopForm,
)
async def last_stop(
    worker: TheDevice, station: TheStation, language: TheLanguage, wait: Wait = 0.0
) -> dict[str, Any]:
    """Whether the device is still being stopped, and else what the last stop has confirmed."""
    name = worker.plan.name
    if wait:
        await station.gate.end_of_stops(name, wait)
    last = station.gate.last_stop(name)
    return said(
        {
            "trying": last.is_trying,
            "asked": utc_text(last.asked) if last.asked is not None else None,
            "ended": utc_text(last.ended) if last.ended is not None else None,
            "outcome": outcome_form(last.outcome) if last.outcome is not None else None,
        },
        language,
    )

"""Waivers: unattended starts with a device whose outputs nothing covers."""

from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from agent.errors import AgentError
from agent.languages.catalogues import all_in_language as said
from agent.languages.message import Message
from agent.safety.waivers import Waivers
from agent.store.store_errors import NotRecorded
from agent.store.waivers import Waiver
from agent.web.forms import config
from agent.web.problems import Problem
from agent.web.routes import (
    AT_THE_DOOR,
    AT_THE_DOOR_TO_CHANGES,
    WITH_TOKEN,
    TheActor,
    TheDevice,
    TheLanguage,
    TheStation,
    answers,
)

waiver_views = APIRouter(prefix="/api/v1")
waiver_changes = APIRouter(prefix="/api/v1", dependencies=[WITH_TOKEN])

EXAMPLE: Final = {
    "device": "psu1",
    "by": "kim",
    "reason": "the load is a resistor that may stay on",
    "until": "2026-12-31",
    "since": "2026-11-28T08:30:00.000+00:00",
}
KINDS: Final = {"NotAllowed": "not-allowed", "Refused": "bad-value", "UnknownDevice": "no-such"}


class WaiverAsked(BaseModel):
    """Why, and until when."""

    model_config = config({"reason": EXAMPLE["reason"], "until": EXAMPLE["until"]})
    reason: Annotated[str, Field(strict=True, min_length=1, max_length=500)]
    until: Annotated[
        str, Field(strict=True, min_length=1, max_length=10, description="The last day, in UTC.")
    ]


class WaiverForm(BaseModel):
    """A waiver: who has taken it upon them, why, since when, and the last day it counts, in UTC."""

    model_config = config(EXAMPLE)
    device: str
    by: str
    reason: str
    until: str
    since: str


@waiver_views.get(
    "/waivers",
    summary="The waivers in force",
    responses=answers([EXAMPLE], *AT_THE_DOOR),
    response_model=list[WaiverForm],
)
async def waivers(station: TheStation, language: TheLanguage) -> list[dict[str, Any]]:
    """Devices that jobs may use unattended, although nothing covers an output of theirs."""
    return said([_form(it) for it in _of(station).in_force], language)


@waiver_changes.post(
    "/devices/{device}/waiver",
    summary="Allow unattended starts with a device that nothing covers",
    responses=answers(
        EXAMPLE,
        *AT_THE_DOOR_TO_CHANGES,
        "no-token",
        *("not-allowed", "no-such", "bad-value", "not-recorded"),
    ),
    response_model=WaiverForm,
)
async def waive(
    body: WaiverAsked,
    worker: TheDevice,
    station: TheStation,
    actor: TheActor,
    language: TheLanguage,
) -> dict[str, Any]:
    """Take it upon oneself, as an engineer. Name, reason and day go on record."""
    try:
        made = await _of(station).waive(actor, worker.plan.name, body.reason, body.until)
    except NotRecorded as error:
        raise Problem(
            "not-recorded", Message("{error}; nothing is waived", error=str(error))
        ) from error
    except AgentError as error:
        raise Problem(KINDS.get(type(error).__name__, "bad-value"), str(error)) from error
    return said(_form(made), language)


def _of(station: TheStation) -> Waivers:
    return station.waivers


def _form(waiver: Waiver) -> dict[str, Any]:
    return {
        "device": waiver.device,
        "by": waiver.by,
        "reason": waiver.reason,
        "until": waiver.until,
        "since": waiver.since,
    }

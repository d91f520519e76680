"""The plates of printers: which are clear, and a person's word that one is."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from agent.jobs.plate_desk import Plate, PlateDesk
from agent.languages.catalogues import all_in_language as said
from agent.languages.message import Message
from agent.web.actions import ANY_BODY
from agent.web.forms import config
from agent.web.jobs import as_problems
from agent.web.problems import Problem
from agent.web.routes import (
    AT_THE_DOOR,
    AT_THE_DOOR_TO_CHANGES,
    WITH_TOKEN,
    TheActor,
    TheLanguage,
    TheStation,
    answers,
)

plate_views = APIRouter(prefix="/api/v1")
plate_changes = APIRouter(prefix="/api/v1", dependencies=[WITH_TOKEN])

EXAMPLE: Final[dict[str, Any]] = {"device": "printer1", "clear": True, "printing": False}


class PlateForm(BaseModel):
    """The plate of a printer."""

    model_config = config(EXAMPLE)

    device: str
    clear: Annotated[
        bool, Field(description="Whether it may be printed on: somebody has looked since.")
    ]
    printing: Annotated[bool, Field(description="Whether the printer says that it prints now.")]


async def _desk(station: TheStation) -> PlateDesk:
    if station.plates is None:
        raise Problem("no-such", Message("nobody keeps here which plates are clear"))
    return station.plates


TheDesk = Annotated[PlateDesk, Depends(_desk)]


@plate_views.get(
    "/plates",
    summary="Which plates are clear",
    responses=answers([EXAMPLE], *AT_THE_DOOR, "no-such"),
    response_model=list[PlateForm],
)
async def plates(desk: TheDesk, language: TheLanguage) -> list[dict[str, Any]]:
    """The plates of all printers. None is printed on before somebody has said that it is clear."""
    return said([_form(it) for it in desk.listing], language)


@plate_changes.post(
    "/plates/{device}/clear",
    summary="Say that a plate is clear",
    openapi_extra=ANY_BODY,
    responses=answers(
        EXAMPLE,
        *AT_THE_DOOR_TO_CHANGES,
        *("no-token", "not-allowed", "no-such", "refused", "not-recorded"),
    ),
    response_model=PlateForm,
)
async def clear(
    device: Annotated[str, Path(description="A printer.", examples=["printer1"])],
    desk: TheDesk,
    actor: TheActor,
    language: TheLanguage,
) -> dict[str, Any]:
    """Take your word, under your name, that the last print was taken off. Refused while it prints."""
    with as_problems():
        return said(_form(await desk.clear(actor, device)), language)


def _form(plate: Plate) -> dict[str, Any]:
    return {
        "device": plate.device,
        "clear": plate.is_clear,
        "printing": plate.is_printing,
    }

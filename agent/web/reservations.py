"""Whose each device is: what people reserve for themselves, and what belongs to jobs."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from agent.fleet.samples import Outcome, Status
from agent.languages.catalogues import all_in_language as said
from agent.languages.message import Message
from agent.public import outcome_form, utc_text
from agent.safety.leases import Leases
from agent.safety.reservations import Lease
from agent.web import examples
from agent.web import reservation_forms as forms
from agent.web.actions import ANY_BODY
from agent.web.problems import Problem, problem_of
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

REFUSALS = ("no-token", "not-allowed", "no-such", "reserved", "not-recorded")

reservation_views = APIRouter(prefix="/api/v1")
reservation_changes = APIRouter(prefix="/api/v1", dependencies=[WITH_TOKEN])


async def _leases(station: TheStation) -> Leases:
    if station.leases is None:
        raise Problem("no-such", Message("nothing can be reserved here"))
    return station.leases


TheLeases = Annotated[Leases, Depends(_leases)]


@reservation_views.get(
    "/reservations",
    summary="Whose each device is",
    responses=answers(forms.EXAMPLE, *AT_THE_DOOR, "no-such"),
    response_model=forms.ReservationsForm,
)
async def reservations(leases: TheLeases, language: TheLanguage) -> dict[str, Any]:
    """The devices that belong to jobs until their end, and those that people have for a time."""
    return said(
        {
            "jobs": {
                device: {"job": it.job, "recipe": it.what, "by": it.by}
                for device, it in leases.holders.items()
            },
            "people": {device: _lease_form(it) for device, it in leases.held.items()},
        },
        language,
    )


@reservation_changes.post(
    "/devices/{device}/reserve",
    summary="Reserve a device",
    responses=answers(
        {**examples.DONE, "message": forms.SAID, "value": None},
        *AT_THE_DOOR_TO_CHANGES,
        *REFUSALS,
        "bad-value",
    ),
    response_model=forms.OutcomeForm,
)
async def reserve(
    body: forms.NewLease,
    worker: TheDevice,
    leases: TheLeases,
    actor: TheActor,
    language: TheLanguage,
) -> dict[str, Any]:
    """Keep a device for yourself for a time: nobody else may set or command it, and jobs wait."""
    name = worker.plan.name
    return said(
        _done(await leases.reserve(actor, name, body.seconds, body.reason, takeover=body.takeover)),
        language,
    )


@reservation_changes.post(
    "/devices/{device}/unreserve",
    summary="Give a device back",
    openapi_extra=ANY_BODY,
    responses=answers(
        {**examples.DONE, "message": "psu1 is free again", "value": None},
        *AT_THE_DOOR_TO_CHANGES,
        *REFUSALS,
    ),
    response_model=forms.OutcomeForm,
)
async def unreserve(
    worker: TheDevice, leases: TheLeases, actor: TheActor, language: TheLanguage
) -> dict[str, Any]:
    """End a reservation before its time: your own, or as an engineer anybody's."""
    return said(_done(await leases.unreserve(actor, worker.plan.name)), language)


def _lease_form(lease: Lease) -> dict[str, Any]:
    form = asdict(lease)
    times = {name: utc_text(form[name]) for name in ("since", "until")}
    return {name: form[name] for name in ("by", "origin", "reason")} | times


def _done(outcome: Outcome) -> dict[str, Any]:
    if outcome.status is not Status.DONE:
        raise problem_of(outcome)
    return outcome_form(outcome)

"""What nobody knows of the devices, and what a person says about it, also of devices that are gone."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from agent.fleet.samples import Status
from agent.languages.catalogues import all_in_language as said
from agent.languages.message import Message
from agent.public import outcome_form
from agent.roles import refusal
from agent.safety.doubts import Doubt
from agent.web import forms
from agent.web.problems import Problem, problem_of, worst
from agent.web.routes import (
    AT_THE_DOOR,
    AT_THE_DOOR_TO_CHANGES,
    WITH_TOKEN,
    TheActor,
    TheLanguage,
    TheStation,
    answers,
)
from drivers import Role

unsettled_views = APIRouter(prefix="/api/v1")
settles = APIRouter(prefix="/api/v1", dependencies=[WITH_TOKEN])

DOUBT: dict[str, Any] = {
    "device": "psu1",
    "in_config": True,
    "command": "5b1f20c3a2d1e4f7",
    "action": "do",
    "object": "psu1.ramp",
    "actor": "kim",
    "since": "2026-11-28T05:51:12.270114Z",
    "text": "psu1 is blocked: nobody knows how `do psu1.ramp` of kim ended.",
}
SETTLED: dict[str, Any] = {"status": "done", "message": "psu1: 1 settled", "value": None}


class DoubtForm(BaseModel):
    """A command whose outcome nobody knows, or a device that has to be looked at as a whole."""

    model_config = forms.config(DOUBT)

    device: str
    in_config: Annotated[bool, Field(description="Whether the config has the device still.")]
    command: Annotated[str, Field(description="Its id in the ledger; empty: the whole device.")]
    action: str
    object: str
    actor: str
    since: Annotated[str, Field(description="RFC 3339 in UTC.")]
    text: str


class Settled(BaseModel):
    """What a person has seen, and of which devices."""

    model_config = forms.config({"reason": "all outputs are off, I have looked", "devices": None})

    reason: Annotated[str, Field(strict=True, min_length=1, max_length=500)]
    devices: Annotated[
        list[Annotated[str, Field(strict=True, max_length=100)]] | None,
        Field(description="Their names; without them all that are blocked.", max_length=1000),
    ] = None


class SettledForm(BaseModel):
    """What came of it, device by device."""

    model_config = forms.config({"devices": {"psu1": SETTLED}})

    devices: dict[str, forms.OutcomeForm]


@unsettled_views.get(
    "/unsettled",
    summary="List what nobody knows of the devices",
    responses=answers([DOUBT], *AT_THE_DOOR),
    response_model=list[DoubtForm],
)
async def unsettled(station: TheStation, language: TheLanguage) -> list[dict[str, Any]]:
    """The commands whose outcome is unknown, and the devices that have to be looked at. Each is blocked."""
    doubts = [doubt for _, some in sorted(station.gate.doubts.items()) for doubt in some]
    found = [_form(doubt, in_config=doubt.device in station.workers) for doubt in doubts]
    return said(found, language)


@settles.post(
    "/settle",
    summary="Say what became of what nobody knows, of several devices",
    responses=answers(
        {"devices": {"psu1": SETTLED}},
        *AT_THE_DOOR_TO_CHANGES,
        "no-token",
        *("not-allowed", "no-such", "bad-value", "not-recorded"),
    ),
    response_model=SettledForm,
)
async def settle_some(
    body: Settled, station: TheStation, actor: TheActor, language: TheLanguage
) -> dict[str, Any]:
    """Unblock devices that somebody has looked at, also those that have left the config.

    A problem unless all of them were settled; its `devices` has each.
    """
    if why := refusal(actor, Role.TECHNICIAN, "settling"):
        raise Problem("not-allowed", why)
    names = sorted(station.gate.doubts) if body.devices is None else sorted(set(body.devices))
    outcomes = {name: await station.gate.settle(actor, name, body.reason) for name in names}
    shown = {name: outcome_form(outcome) for name, outcome in outcomes.items()}
    if bad := worst(outcomes.values()):
        problem = problem_of(bad)
        left = [name for name, it in outcomes.items() if it.status is not Status.DONE]
        raise Problem(
            problem.kind,
            Message("not settled: {left}. {detail}", left=", ".join(left), detail=problem.detail),
            devices=shown,
        )
    return said({"devices": shown}, language)


def _form(doubt: Doubt, *, in_config: bool) -> dict[str, Any]:
    return {
        "device": doubt.device,
        "in_config": in_config,
        "command": doubt.command,
        "action": doubt.action,
        "object": doubt.target,
        "actor": doubt.actor,
        "since": doubt.utc,
        "text": doubt.in_words(),
    }

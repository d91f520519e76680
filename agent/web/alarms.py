"""Alarms: looked at, acknowledged, shelved."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path

from agent.languages.catalogues import all_in_language as said
from agent.languages.message import Message
from agent.public import alarm_form
from agent.safety.alarm_desk import AlarmDesk
from agent.safety.alarms import Alarms
from agent.web import alarm_forms as forms
from agent.web.actions import ANY_BODY
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

TO_CHANGE: Final = (
    *AT_THE_DOOR_TO_CHANGES,
    *("no-token", "not-allowed", "no-such", "refused", "bad-value", "not-kept"),
)

alarm_views = APIRouter(prefix="/api/v1")
alarm_changes = APIRouter(prefix="/api/v1", dependencies=[WITH_TOKEN])


async def _alarms(station: TheStation) -> Alarms:
    if station.alarms is None:
        raise Problem("no-such", Message("no alarms are kept here"))
    return station.alarms


async def _desk(station: TheStation) -> AlarmDesk:
    if station.alarm_desk is None:
        raise Problem("no-such", Message("no alarms are kept here"))
    return station.alarm_desk


TheAlarms = Annotated[Alarms, Depends(_alarms)]
TheDesk = Annotated[AlarmDesk, Depends(_desk)]
AlarmName = Annotated[str, Path(description="An alarm.", examples=["oven-too-hot"])]


@alarm_views.get(
    "/alarms",
    summary="All alarms",
    responses=answers([forms.ALARM], *AT_THE_DOOR, "no-such"),
    response_model=list[forms.AlarmForm],
)
async def every_alarm(alarms: TheAlarms, language: TheLanguage) -> list[dict[str, Any]]:
    """Every alarm as it stands, in the order of their names; also those that are normal."""
    found = sorted(alarms.all.values(), key=lambda it: it.name)
    return said([alarm_form(it, is_first=alarms.is_first(it)) for it in found], language)


@alarm_changes.post(
    "/alarms/{alarm}/ack",
    summary="Acknowledge an alarm",
    responses=answers(forms.ALARM, *TO_CHANGE),
    response_model=forms.AlarmForm,
)
async def acknowledge(
    alarm: AlarmName,
    body: forms.Acknowledgement,
    alarms: TheAlarms,
    desk: TheDesk,
    actor: TheActor,
    language: TheLanguage,
) -> dict[str, Any]:
    """Say under your name that you know of it. It comes again when it is so again."""
    with as_problems():
        found = await desk.acknowledge(actor, alarm, body.reason)
    return said(alarm_form(found, is_first=alarms.is_first(found)), language)


@alarm_changes.post(
    "/alarms/{alarm}/shelve",
    summary="Shelve an alarm",
    responses=answers(forms.ALARM, *TO_CHANGE),
    response_model=forms.AlarmForm,
)
async def shelve(
    alarm: AlarmName,
    body: forms.Shelf,
    alarms: TheAlarms,
    desk: TheDesk,
    actor: TheActor,
    language: TheLanguage,
) -> dict[str, Any]:
    """Put it aside for a time, at most a day. What is so when that is over is announced anew."""
    with as_problems():
        found = await desk.shelve(actor, alarm, body.seconds, body.reason)
    return said(alarm_form(found, is_first=alarms.is_first(found)), language)


@alarm_changes.post(
    "/alarms/{alarm}/unshelve",
    summary="Take a shelved alarm up again",
    openapi_extra=ANY_BODY,
    responses=answers(forms.ALARM, *TO_CHANGE),
    response_model=forms.AlarmForm,
)
async def unshelve(
    alarm: AlarmName, alarms: TheAlarms, desk: TheDesk, actor: TheActor, language: TheLanguage
) -> dict[str, Any]:
    """Take it up again before its time."""
    with as_problems():
        found = await desk.unshelve(actor, alarm)
    return said(alarm_form(found, is_first=alarms.is_first(found)), language)

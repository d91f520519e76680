"""Schedules: listed with their next times, switched on and off."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query

from agent.jobs.schedules.schedule_keeping import Followed
from agent.jobs.schedules.schedules import Schedules
from agent.languages.catalogues import all_in_language as said
from agent.languages.message import Message
from agent.public import utc_text
from agent.settings import Schedule
from agent.web import schedule_examples as examples
from agent.web import schedule_forms as forms
from agent.web.actions import ANY_BODY
from agent.web.jobs import TO_CHANGE, as_problems
from agent.web.problems import Problem
from agent.web.routes import (
    AT_THE_DOOR,
    WITH_TOKEN,
    TheActor,
    TheLanguage,
    TheStation,
    answers,
)

MOST_NEXT: Final = 100

schedule_views = APIRouter(prefix="/api/v1")
schedule_changes = APIRouter(prefix="/api/v1", dependencies=[WITH_TOKEN])


async def _schedules(station: TheStation) -> Schedules:
    if station.schedules is None:
        raise Problem("no-such", Message("no schedules are followed here"))
    return station.schedules


TheSchedules = Annotated[Schedules, Depends(_schedules)]
ScheduleName = Annotated[str, Path(description="A schedule.", examples=["nightly-check"])]


@schedule_views.get(
    "/schedules",
    summary="All schedules",
    responses=answers({"schedules": [examples.SCHEDULE]}, *AT_THE_DOOR, "no-such", "bad-value"),
    response_model=forms.SchedulesForm,
)
async def all_schedules(
    schedules: TheSchedules,
    language: TheLanguage,
    next: Annotated[  # noqa: A002 - the name in the query
        int, Query(description="How many of the next times.", ge=1, le=MOST_NEXT)
    ] = 1,
) -> dict[str, Any]:
    """What each starts, when it fires next, and which job it started last."""
    return said({"schedules": [schedule_form(it, next) for it in schedules.listing]}, language)


@schedule_changes.post(
    "/schedules/{schedule}/enable",
    summary="Switch a schedule on",
    openapi_extra=ANY_BODY,
    responses=answers(examples.SCHEDULE, *TO_CHANGE, "not-kept"),
    response_model=forms.ScheduleForm,
)
async def enable_schedule(
    schedule: ScheduleName, schedules: TheSchedules, actor: TheActor, language: TheLanguage
) -> dict[str, Any]:
    """Let it fire from now on. What passed while it was off is not made up for."""
    with as_problems():
        return said(schedule_form(await schedules.switch(schedule, actor, on=True)), language)


@schedule_changes.post(
    "/schedules/{schedule}/disable",
    summary="Switch a schedule off",
    openapi_extra=ANY_BODY,
    responses=answers(examples.SCHEDULE, *TO_CHANGE, "not-kept"),
    response_model=forms.ScheduleForm,
)
async def disable_schedule(
    schedule: ScheduleName, schedules: TheSchedules, actor: TheActor, language: TheLanguage
) -> dict[str, Any]:
    """Keep it from firing, also after a restart, until somebody switches it on. Its job goes on."""
    with as_problems():
        return said(schedule_form(await schedules.switch(schedule, actor, on=False)), language)


def schedule_form(followed: Followed, number: int = 1) -> dict[str, Any]:
    """A schedule as it stands, with so many of its next times."""
    its = followed.schedule
    titles = {"ko": its.title.ko, "en": its.title.en}
    coming = followed.follower.coming(number) if followed.is_on else ()
    return {
        "schedule": its.name,
        "titles": {language: title for language, title in titles.items() if title},
        "recipe": its.recipe,
        "arguments": dict(its.arguments),
        "devices": dict(its.devices),
        "cron": its.timetable.cron,
        "zone": its.timetable.zone,
        "missed": its.missed,
        "late": its.late,
        "overlap": its.overlap,
        "role": its.role.name.lower(),
        "enabled": followed.is_on,
        "off_by": _off_by(followed),
        "next": [_time(its, at) for at in coming],
        "fired": _time(its, followed.fired) if followed.fired is not None else None,
        "job": followed.job,
        "trouble": _trouble(followed),
    }


def _trouble(followed: Followed) -> dict[str, str] | None:
    it = followed.trouble
    if it is None:
        return None
    return {**_time(followed.schedule, it.time), "what": it.what, "text": it.text}


def _off_by(followed: Followed) -> str | None:
    if not followed.schedule.enabled:
        return "config"
    return None if followed.enabled else "person"


def _time(schedule: Schedule, at: float) -> dict[str, str]:
    return {"time": utc_text(at), "local": schedule.timetable.shown(at)}

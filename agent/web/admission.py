"""May this printer get this file? Asked beforehand; the printer is not touched."""

from typing import Any

from fastapi import APIRouter

from agent.languages.catalogues import all_in_language as said
from agent.languages.message import Message
from agent.safety.admission import admission, prints_files
from agent.web import examples, file_forms
from agent.web.file_answers import as_problems
from agent.web.problems import Problem
from agent.web.routes import (
    AT_THE_DOOR_TO_CHANGES,
    WITH_TOKEN,
    TheDevice,
    TheLanguage,
    TheStation,
    answers,
)

admissions = APIRouter(prefix="/api/v1", dependencies=[WITH_TOKEN])


@admissions.post(
    "/devices/{device}/admission",
    summary="Whether a printer may get a file",
    responses=answers(
        examples.ADMISSION,
        *AT_THE_DOOR_TO_CHANGES,
        *("no-token", "no-such", "refused", "bad-value", "not-kept", "no-room"),
    ),
    response_model=file_forms.AdmissionForm,
)
async def post_admission(
    body: file_forms.AdmissionRequest, worker: TheDevice, station: TheStation, language: TheLanguage
) -> dict[str, Any]:
    """Examine the file, and hold it against the printer's profile. The printer is not touched."""
    plan = worker.plan
    if not prints_files(plan.driver_class):
        raise Problem(
            "refused", Message("{name} is no printer: it prints no files", name=plan.name)
        )
    with as_problems():
        file = await station.files.named(body.file)
        found = await admission(plan, file)
    return said(
        {
            "admitted": found.is_admitted,
            "reasons": list(found.reasons),
            "warnings": list(found.warnings),
        },
        language,
    )

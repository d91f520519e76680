"""Files to print: listed, stored, looked at and removed."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.requests import ClientDisconnect

from agent.fleet.samples import Outcome, Status
from agent.languages.catalogues import all_in_language as said
from agent.languages.message import Message
from agent.public import outcome_form
from agent.roles import Actor, refusal
from agent.store.files import FileStore, Listed
from agent.store.stored_file import StoredFile
from agent.web import examples, file_forms, forms
from agent.web.actions import ANY_BODY
from agent.web.file_answers import as_problems, file_form, listed_form, tell_added, tell_removed
from agent.web.paging import Cursor, Limit, page_of
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
from agent.web.uploads import DECLARED_AS
from drivers import Role, Survey
from drivers.errors import RequestError

files = APIRouter(prefix="/api/v1")
file_changes = APIRouter(prefix="/api/v1", dependencies=[WITH_TOKEN])

EXAMINING: Final = ("bad-value", "no-such", "refused", "not-kept")
IMAGE: Final = "image/*"
FILE_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The file itself, of any size that the store has room for.",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}} for kind in DECLARED_AS
        },
    }
}

FileName = Annotated[
    str,
    Path(
        description="What the file is called: up to 200 bytes of UTF-8, ending in .gcode, .gco, "
        ".g, .nc, .ngc or .txt. NFC and NFD are one name.",
        examples=["시험편.gcode"],
    ),
]
Replace = Annotated[
    bool, Query(description="Put it in the place of a file that is called so, if there is one.")
]


async def _file(name: FileName, station: TheStation) -> StoredFile:
    with as_problems():
        return await station.files.named(name)


TheFile = Annotated[StoredFile, Depends(_file)]


@files.get(
    "/files",
    summary="Files to print",
    responses=answers(examples.FILES, *AT_THE_DOOR, "bad-value", "not-kept"),
    response_model=file_forms.FilesForm,
)
async def list_files(
    station: TheStation, language: TheLanguage, cursor: Cursor = "", limit: Limit = None
) -> dict[str, Any]:
    """Every file with what is known of it so far, and how full the store is."""
    with as_problems():
        listing = await station.files.listing()
    shown, following = page_of(listing.files, lambda it: it.name, cursor, limit)
    return said(
        {
            "files": [listed_form(it) for it in shown],
            "used": listing.used,
            "limit": listing.limit,
            "free": listing.free,
            "next": following,
        },
        language,
    )


@files.get(
    "/files/{name}",
    summary="What is in a file",
    responses=answers(examples.FILE, *AT_THE_DOOR, *EXAMINING),
    response_model=file_forms.FileForm,
)
async def file(file: TheFile, station: TheStation, language: TheLanguage) -> dict[str, Any]:
    """The survey of a file. One that was not uploaded is examined now, which may take a while."""
    with as_problems():
        survey = await file.survey()
        return said(file_form(await station.files.known(file), survey), language)


@files.get(
    "/files/{name}/thumbnail",
    summary="The picture in a file",
    responses=answers("the bytes of the picture", *AT_THE_DOOR, *EXAMINING, media_type=IMAGE),
    response_class=Response,
)
async def thumbnail(file: TheFile, station: TheStation) -> Response:
    """The largest PNG or JPEG that the slicer has put into the file."""
    with as_problems():
        found = await station.files.picture(file)
    if found is None:
        raise Problem(
            "no-such",
            Message("there is no picture in {name}, or none that is PNG or JPEG", name=file.name),
        )
    return Response(found.data, media_type=found.media_type)


@file_changes.put(
    "/files/{name}",
    summary="Store a file",
    openapi_extra=FILE_BODY,
    responses=answers(
        examples.FILE,
        *AT_THE_DOOR,
        *("bad-request", "no-token", "not-allowed", "too-slow", "exists", "in-use", "not-a-file"),
        *("bad-value", "no-such", "not-kept", "no-room", "stopping"),
    ),
    response_model=file_forms.FileForm,
)
async def put_file(
    name: FileName,
    request: Request,
    station: TheStation,
    actor: TheActor,
    language: TheLanguage,
    replace: Replace = False,
) -> dict[str, Any]:
    """Store the file, whole or not at all, examine it, and answer what is in it."""
    _check_role(actor, Message("storing {name}", name=name))
    with as_problems():
        added = await _added(station.files, name, request, replace=replace)
    tell_added(station, actor, added)
    return said(file_form(added, await _survey_if_any(station.files, added)), language)


@file_changes.delete(
    "/files/{name}",
    summary="Remove a file",
    openapi_extra=ANY_BODY,
    responses=answers(
        {**examples.DONE, "message": "시험편.gcode is removed", "value": None},
        *AT_THE_DOOR_TO_CHANGES,
        *("no-token", "not-allowed", "no-such", "in-use", "bad-value", "not-kept", "no-room"),
    ),
    response_model=forms.OutcomeForm,
)
async def delete_file(
    name: FileName, station: TheStation, actor: TheActor, language: TheLanguage
) -> dict[str, Any]:
    """Remove the file, unless it is being printed."""
    _check_role(actor, Message("removing {name}", name=name))
    with as_problems():
        removed = await station.files.remove(name)
    tell_removed(station, actor, removed)
    return said(
        outcome_form(
            Outcome(status=Status.DONE, message=Message("{name} is removed", name=removed.name))
        ),
        language,
    )


async def _added(store: FileStore, name: str, request: Request, *, replace: bool) -> Listed:
    announced = request.headers.get("content-length")
    size = None if announced is None else int(announced)
    try:
        return await store.add(name, request.stream(), size, replace=replace)
    except ClientDisconnect:  # nobody hears it
        raise Problem(
            "bad-request", Message("the file did not arrive whole; nothing was kept")
        ) from None


async def _survey_if_any(store: FileStore, file: Listed) -> Survey | None:
    """What is in a file that was stored, which it is in any case. Why not is said to who asks."""
    try:
        return await (await store.named(file.name)).survey()
    except RequestError:
        return None


def _check_role(actor: Actor, what: str) -> None:
    if why := refusal(actor, Role.TECHNICIAN, what):
        raise Problem("not-allowed", why)

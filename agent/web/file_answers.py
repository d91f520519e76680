"""Files in the words of the API: what is known of them, refusals as problems, changes as events."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final

from agent.languages.message import Message
from agent.public import utc_text
from agent.roles import Actor
from agent.station import Station
from agent.store.file_errors import AlreadyThere, BadName, Incomplete, InUse, NoRoom, NotKept
from agent.store.files import Listed
from agent.store.surveys import Summary
from agent.web.problems import Problem
from drivers import Survey
from drivers.errors import RequestError, UnknownName

KINDS: Final = (
    (UnknownName, "no-such"),
    (BadName, "bad-value"),
    (AlreadyThere, "exists"),
    (InUse, "in-use"),
    (NoRoom, "no-room"),
    (NotKept, "not-kept"),
    (Incomplete, "bad-request"),
)
"""What kind of problem each refusal of the store is; all others are the plain `refused`."""


@contextmanager
def as_problems() -> Iterator[None]:
    """Raise Problem for each refusal of the store."""
    try:
        yield
    except RequestError as error:
        kind = next((kind for known, kind in KINDS if isinstance(error, known)), "refused")
        raise Problem(kind, str(error)) from error


def tell_added(station: Station, actor: Actor, file: Listed) -> None:
    """Say as an event who has stored a file."""
    text = Message(
        "{name} ({origin}) stored {file_name}, {size} bytes",
        name=actor.name,
        origin=actor.origin,
        file_name=file.name,
        size=file.size,
    )
    station.events.add("files.added", text, **_data(actor, file))


def tell_removed(station: Station, actor: Actor, file: Listed) -> None:
    """Say as an event who has removed a file."""
    text = Message(
        "{name} ({origin}) removed {file_name}, {size} bytes",
        name=actor.name,
        origin=actor.origin,
        file_name=file.name,
        size=file.size,
    )
    station.events.add("files.removed", text, **_data(actor, file))


def listed_form(file: Listed) -> dict[str, Any]:
    """A file as the list shows it."""
    return _file_form(file, _summary_form(file.summary) if file.summary else None)


def file_form(file: Listed, survey: Survey | None) -> dict[str, Any]:
    """A file, and all that is in it."""
    return _file_form(file, _survey_form(survey) if survey else None)


def _data(actor: Actor, file: Listed) -> dict[str, Any]:
    return {
        "actor": actor.name,
        "origin": actor.origin,
        "file": file.name,
        "size": file.size,
        "sha256": file.sha256,
    }


def _file_form(file: Listed, survey: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "name": file.name,
        "size": file.size,
        "modified": utc_text(file.modified),
        "sha256": file.sha256,
        "survey": survey,
    }


def _summary_form(summary: Summary) -> dict[str, Any]:
    return {
        "lines": summary.lines,
        "commands": summary.commands,
        "seconds": summary.seconds,
        "troubles": summary.troubles,
        "slicer": {
            "name": summary.slicer,
            "layers": summary.layers,
            "filament_mm": summary.filament_mm,
            "filament_g": summary.filament_g,
        },
    }


def _survey_form(survey: Survey) -> dict[str, Any]:
    """Without what only those need who print it: marks, and where in the file pictures are."""
    form = asdict(survey)
    del form["marks"]
    for picture in form["slicer"]["thumbnails"]:
        del picture["offset"], picture["length"]
    return form

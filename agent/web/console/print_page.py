"""What is in one file, whether a printer may get it, and what has to be asked before it does."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from agent.safety.admission import Admission, admission
from agent.station import Station
from agent.store.files import Listed
from agent.web.console.amounts import duration, size
from agent.web.console.assets import FILES
from agent.web.console.page import page
from agent.web.console.print_items import UNDER_WAY
from agent.web.console.printers_page import plans_of, plates_of
from agent.web.routes import TheStation
from drivers import Survey
from drivers.errors import RequestError

print_page = APIRouter(include_in_schema=False)

NO_PICTURE: Final = FILES["file.svg"]
AXES: Final = ("X", "Y", "Z")

Name = Annotated[str, Query(max_length=1000)]


@print_page.get("/parts/print")
async def print_form(
    request: Request, station: TheStation, file: Name, device: Name = ""
) -> Response:
    """What is in a file and the report for a printer. It may take a while: it is examined."""
    plans = plans_of(station)
    chosen = device if device in plans else _free_one(station, list(plans))
    found: dict[str, Any] = {"trouble": "", "survey": None, "listed": None, "report": None}
    try:
        found |= await _looked_at(station, file, chosen)
    except RequestError as error:
        found["trouble"] = str(error)
    return page(
        request,
        "parts/print_form.html",
        file=file,
        plans=plans,
        chosen=chosen,
        plate=plates_of(station).get(chosen),
        duration=duration,
        size=size,
        **found,
    )


@print_page.get("/parts/picture")
async def picture(station: TheStation, file: Name) -> Response:
    """The picture in a file that was examined, or one that stands for a file without any."""
    try:
        stored = await station.files.named(file)
        known = await station.files.known(stored)
        found = await station.files.picture(stored) if known.summary is not None else None
    except RequestError:
        found = None
    if found is None:
        return Response(NO_PICTURE.plain, media_type=NO_PICTURE.kind)
    return Response(found.data, media_type=found.media_type)


async def _looked_at(station: Station, name: str, device: str) -> dict[str, Any]:
    """What is in the file, and the report; without a printer none. Raises RequestError."""
    stored = await station.files.named(name)
    survey = await stored.survey()
    report: Admission | None = None
    if device:
        report = await admission(station.workers[device].plan, stored)
    listed: Listed = await station.files.known(stored)
    return {"survey": survey, "listed": listed, "report": report, "printed": _printed(survey)}


def _printed(survey: Survey) -> str:
    """How large what is printed is, in mm; "" where the file does not tell."""
    spans = [survey.printed[axis] for axis in AXES if axis in survey.printed]
    if len(spans) < len(AXES):
        return ""
    return " × ".join(f"{it.high - it.low:.4g}" for it in spans)


def _free_one(station: Station, names: list[str]) -> str:
    """The first printer that prints nothing and whose plate is clear, else the first of all."""
    plates = plates_of(station)

    def is_taken(name: str) -> tuple[bool, bool]:
        sample = station.board.latest[name].samples.get("print_state")
        is_printing = sample is not None and sample.value in UNDER_WAY
        plate = plates.get(name)
        return is_printing, plate is not None and not plate.is_clear

    return min(names, key=is_taken, default="")

"""The history of runs, whether a run is as it was closed, and what it recorded, for plots."""

from pathlib import Path as FilePath
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query

from agent.languages.catalogues import all_in_language as said
from agent.languages.message import Message
from agent.store.disk_threads import at_disk_thread
from agent.store.run_lines import WantedRuns
from agent.store.run_pages import page
from agent.store.run_series import records
from agent.store.store_errors import NotRead
from agent.web import run_examples as examples
from agent.web import run_forms as forms
from agent.web.actions import ANY_BODY
from agent.web.jobs import TO_CHANGE, JobId
from agent.web.ledger import Time, Words
from agent.web.problems import Problem
from agent.web.routes import (
    AT_THE_DOOR,
    LONGEST_SHOWN,
    WITH_TOKEN,
    TheLanguage,
    TheStation,
    answers,
)

MOST_RUNS: Final = 200
MOST_POINTS: Final = 10_000
FINDING: Final = (*AT_THE_DOOR, "no-such", "not-kept", "bad-value")

run_views = APIRouter(prefix="/api/v1")
run_changes = APIRouter(prefix="/api/v1", dependencies=[WITH_TOKEN])


async def _wanted(
    recipe: Annotated[Words, Query(description="Runs of this recipe.")] = "",
    state: Annotated[Words, Query(description="How they ended, such as `done` or `failed`.")] = "",
    verdict: Annotated[Words, Query(description="`pass`, `fail` or `none`.")] = "",
    by: Annotated[Words, Query(description="Who started them.")] = "",
    since: Annotated[Time, Query(description="Began at this time or later, UTC.")] = "",
    until: Annotated[Time, Query(description="Began before this time, UTC.")] = "",
    text: Annotated[
        Words, Query(description="In a parameter, such as a lot or serial number, or the title.")
    ] = "",
) -> WantedRuns:
    return WantedRuns(
        recipe=recipe,
        state=state,
        verdict=verdict,
        by=by,
        since=since.removesuffix("Z"),
        until=until.removesuffix("Z"),
        text=text,
    )


async def _folder(job: JobId, station: TheStation) -> FilePath:
    """The run folder of a job, closed or not. Raises Problem."""
    shelf = station.runs
    try:
        found = await at_disk_thread(shelf.of, job) if shelf is not None else None
    except OSError as error:
        raise _unread(error) from None
    if found is None:
        shown = ascii(job)[:LONGEST_SHOWN]
        raise Problem(
            "no-such",
            Message("job {shown} has no run folder: there is none, or it never began", shown=shown),
        )
    return found.path


TheFolder = Annotated[FilePath, Depends(_folder)]


@run_views.get(
    "/runs",
    summary="All runs",
    responses=answers(examples.RUNS, *FINDING),
    response_model=forms.RunsForm,
)
async def all_runs(
    station: TheStation,
    wanted: Annotated[WantedRuns, Depends(_wanted)],
    language: TheLanguage,
    cursor: Annotated[
        str, Query(max_length=300, description="The `next` of the page before; newest first.")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=MOST_RUNS, description="How many at once.")] = 50,
) -> dict[str, Any]:
    """Every run that left a folder, the newest first, also of jobs that are listed no longer.

    Each page looks through 500 folders, so that one may be short, or empty: there is more as long
    as `next` is not null.
    """
    if station.runs is None:
        raise Problem("no-such", Message("no runs are written down here"))
    try:
        found = await at_disk_thread(page, station.runs, wanted, most=limit, begin=cursor)
    except OSError as error:
        raise _unread(error) from None
    return said({"runs": [_run_form(line) for line in found.runs], "next": found.next}, language)


@run_changes.post(
    "/jobs/{job}/run/verify",
    summary="Verify a run",
    openapi_extra=ANY_BODY,
    responses=answers(examples.VERDICT, *TO_CHANGE, "not-kept"),
    response_model=forms.RunVerdictForm,
)
async def verify_run(
    folder: TheFolder, station: TheStation, language: TheLanguage
) -> dict[str, Any]:
    """Say what `labkeeper run verify` says: whether each file is as it was when the run was closed.

    The manifest is held against the ledger. That there are faults is no problem: look at `verified`.
    """
    ledger = station.ledger_pages.path if station.ledger_pages is not None else None
    try:
        verdict = await station.run_reader.verify(folder, ledger)
    except (OSError, NotRead) as error:
        raise _unread(error) from None
    return said(verdict.said(), language)


@run_views.get(
    "/jobs/{job}/records",
    summary="What a run recorded",
    responses=answers(examples.RECORDS, *FINDING),
    response_model=forms.RecordsForm,
)
async def run_records(folder: TheFolder) -> dict[str, Any]:
    """The tables of readings, one for each `record` of the recipe, also while the job runs."""
    try:
        return {"records": await at_disk_thread(records, folder)}
    except OSError as error:
        raise _unread(error) from None


@run_views.get(
    "/jobs/{job}/records/{record}",
    summary="Recorded readings for a plot",
    responses=answers(examples.THINNED, *FINDING),
    response_model=forms.ThinnedForm,
)
async def run_series(
    folder: TheFolder,
    station: TheStation,
    record: Annotated[str, Path(description="A table of readings.", examples=["warm_up"])],
    points: Annotated[
        int, Query(ge=2, le=MOST_POINTS, description="How many of each reading at most.")
    ] = 500,
) -> dict[str, Any]:
    """Of each stretch of time the lowest and the highest value: no peak is lost, however few points.

    A null stands where a value was missing, beyond the points that were asked for. While the job runs
    it is what was recorded so far. All rows are in the table itself, a file of the run.
    """
    try:
        found = await station.run_reader.series(folder, record, points)
    except FileNotFoundError:
        shown = ascii(record)[:LONGEST_SHOWN]
        text = Message(
            "this run has no record {shown}: /api/v1/jobs/…/records names them", shown=shown
        )
        raise Problem("no-such", text) from None
    except (OSError, NotRead) as error:
        raise _unread(error) from None
    return {**found, "first": _moment(found["first"]), "last": _moment(found["last"])}


def _run_form(line: dict[str, Any]) -> dict[str, Any]:
    named = {"folder": FilePath(line["folder"]).name}
    return {**line, **named, "began": _moment(line["began"]), "ended": _moment(line["ended"])}


def _moment(text: str | None) -> str | None:
    """A time of a run folder as the API has them."""
    return text.replace("+00:00", "Z") if text else None


def _unread(error: OSError | NotRead) -> Problem:
    why = str(error) if isinstance(error, NotRead) else error.strerror
    return Problem("not-kept", Message("the run can't be read: {why}", why=why))

"""One run as its folder has it: verdicts, parameters, devices, what was recorded, and every file."""

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from agent.jobs.recipes.library import Library
from agent.languages.catalogues import in_language
from agent.languages.message import Message
from agent.languages.names import NAMES
from agent.store.disk_threads import at_disk_thread
from agent.store.run_manifest import FACTS, NAME, SIDECAR, read, read_bytes
from agent.store.run_shelf import Shelved
from agent.store.run_writer import MEASURES
from agent.store.store_errors import NotRead
from agent.web.console.amounts import size
from agent.web.console.page import language_of, page
from agent.web.console.recipe_names import measured_titles, taken_by
from agent.web.console.show import titled
from agent.web.jobs import JobId, TheJobs
from agent.web.problems import Problem
from agent.web.routes import TheStation
from drivers import UNITS

MOST_MEASURES: Final = 500
"""On the page; the file has them all."""
COLUMNS: Final = ("name", "value", "unit", "low", "high", "equals", "verdict")

run_page = APIRouter(include_in_schema=False)


@run_page.get("/jobs/{job}/run")
async def run(request: Request, job: JobId, jobs: TheJobs, station: TheStation) -> Response:
    """The page."""
    try:
        shelved = await at_disk_thread(station.runs.of, job) if station.runs else None
        if shelved is None:
            text = Message("Job {job} has no run: it never began, or is not known here", job=job)
            raise Problem("no-such", text)
        form, measures = await at_disk_thread(_read, shelved)
    except (OSError, NotRead) as error:
        why = str(error) if isinstance(error, NotRead) else error.strerror or str(error)
        raise Problem("not-kept", Message("The run can't be read: {why}", why=why)) from None
    return page(
        request,
        "run.html",
        live_view="/live/jobs",
        size=size,
        names={name: in_language(it, language_of(request)) for name, it in NAMES.items()},
        units={code: row.symbol for code, row in UNITS.items()},
        run=job,
        is_closed=shelved.is_closed,
        measures=measures[:MOST_MEASURES],
        left_out=max(len(measures) - MOST_MEASURES, 0),
        **_shown(form, await jobs.library(), language_of(request)),
    )


def _shown(form: dict[str, Any], library: Library, language: str) -> dict[str, Any]:
    recipe, files = _part(form, "recipe"), form.get("files") or ()
    parameters, name = _part(form, "parameters"), str(recipe.get("name", ""))
    return {
        **{key: form.get(key) or "" for key in ("state", "verdict", "why", "simulated")},
        "recipe": recipe,
        "title": titled(_part(recipe, "titles"), language, name),
        "by": _part(form, "by").get("name", ""),
        "began": seconds_of(form.get("began")),
        "ended": seconds_of(form.get("ended")),
        "parameters": parameters,
        "taken": taken_by(library, name, parameters, language),
        "measured_titles": measured_titles(library, name, language),
        "devices": [_device(it, language) for it in form.get("devices") or ()],
        "roles": {
            role: in_language(it.title, language)
            for role, it in taken_by(library, name, _part(form, "roles"), language).items()
        },
        "files": [*files, {"name": NAME}, {"name": SIDECAR}] if files else (),
    }


def _device(form: dict[str, Any], language: str) -> dict[str, Any]:
    identity, name = _part(form, "identity"), str(form.get("device", ""))
    return {
        "name": name,
        "title": titled(_part(form, "titles"), language, name),
        "who": identity.get("text") or form.get("driver", ""),
        "firmware": identity.get("firmware", ""),
        "simulated": form.get("simulated") is True,
    }


def _read(shelved: Shelved) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The manifest, or what is known before there is one, and the measured values. Blocks."""
    form, _ = read(shelved.path, NAME if shelved.is_closed else FACTS)
    return form, list(_measures(shelved.path))


def _measures(folder: Path) -> Any:
    try:
        text = read_bytes(folder, MEASURES).decode("utf-8-sig", "backslashreplace")
    except NotRead:
        return  # nothing was measured
    for row in list(csv.reader(io.StringIO(text)))[1:]:
        cells = dict(zip(COLUMNS, map(_cell, row), strict=False))
        if cells.get("verdict") in {"pass", "fail", "none"}:
            yield {
                **dict.fromkeys(COLUMNS),
                **cells,
                "unit": str(cells.get("unit") or ""),
                "reason": row[-1],
            }


def _cell(text: str) -> float | str | None:
    """What a cell of the table holds: numbers are shown as everywhere, with six digits."""
    try:
        return float(text)
    except ValueError:
        return text or None


def _part(form: dict[str, Any], name: str) -> dict[str, Any]:
    part = form.get(name)
    return part if isinstance(part, dict) else {}


def seconds_of(text: object) -> float | None:
    """A time of a run folder in seconds UTC; None where it is none."""
    try:
        return datetime.fromisoformat(str(text)).timestamp() if text else None
    except ValueError:
        return None

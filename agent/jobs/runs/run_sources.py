"""What is known of a run when it begins, as its folder says it: its job, and the recipes that it runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agent.jobs.job import Job
from agent.jobs.recipes.library import Entry, Library, called_by, head_of
from agent.jobs.recipes.recipe_file import RecipeFile
from agent.jobs.runs.run_facts import Place
from agent.store.entries import Provenance
from agent.store.run_files import plain_name
from agent.store.run_tables import moment
from drivers import word


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A job that may begin, and the recipes that it will run, as they are now."""

    job: Job
    entry: Entry
    library: Library


def facts_of(prepared: Prepared, place: Place, provenance: Provenance | None) -> dict[str, Any]:
    """What is known at the start, without the devices."""
    job, began = prepared.job, prepared.job.began or 0.0
    local = datetime.fromtimestamp(began, UTC).astimezone()
    return {
        "job": job.id,
        "recipe": _recipe_form(prepared.entry, job.sha256, _file_of(prepared.entry, "recipe")),
        "called": [
            _recipe_form(entry, entry.sha256, _file_of(entry, _called(entry)))
            for entry in called_by(prepared.entry, prepared.library)
        ],
        "by": {"name": job.by.name, "origin": job.by.origin, "role": word(job.by.role)},
        "submitted": moment(job.submitted),
        "began": moment(began),
        "zone": {"name": str(local.tzname()), "began": local.isoformat(timespec="milliseconds")},
        "station": {"name": place.station, "titles": dict(place.titles)},
        "agent": {
            "version": place.version,
            "config_hash": provenance.config_hash if provenance else None,
            "boot_id": provenance.boot_id if provenance else None,
        },
        "parameters": dict(job.arguments),
        "roles": dict(job.devices),
    }


def sources_of(prepared: Prepared) -> dict[str, bytes]:
    """The recipes that run, byte by byte, by their names in the folder. Blocks; raises OSError."""
    found = {_file_of(prepared.entry, "recipe"): _bytes_of(prepared.entry)}
    for entry in called_by(prepared.entry, prepared.library):
        found[_file_of(entry, _called(entry))] = _bytes_of(entry)
    return found


def _recipe_form(entry: Entry, sha256: str, file: str) -> dict[str, Any]:
    head = head_of(entry)
    titles = {"ko": head.title.ko, "en": head.title.en}
    return {
        "name": head.name,
        "version": head.version,
        "titles": {language: title for language, title in titles.items() if title},
        "sha256": sha256,
        "file": file,
    }


def _called(entry: Entry) -> str:
    return f"recipes/{plain_name(head_of(entry).name)}"


def _file_of(entry: Entry, stem: str) -> str:
    return f"{stem}.yaml" if isinstance(entry, RecipeFile) else f"{stem}.py"


def _bytes_of(entry: Entry) -> bytes:
    return entry.raw if isinstance(entry, RecipeFile) else entry.source

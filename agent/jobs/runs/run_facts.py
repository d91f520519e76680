"""What is known of a run when it begins, as its folder says it: the job, its recipe, its devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.jobs.job import Job
from agent.jobs.recipes.library import Entry, Library, called_by, head_of
from agent.jobs.recipes.recipe_file import RecipeFile
from agent.store.entries import Provenance
from agent.store.run_files import plain_name
from agent.store.run_tables import Column, moment
from drivers import word


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where runs are written down: which station, which program."""

    station: str
    version: str
    titles: Mapping[str, str] = field(default_factory=dict)


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


def devices_form(
    job: Job, workers: Mapping[str, DeviceWorker], board: Board
) -> list[dict[str, Any]]:
    """The devices of a job as they are now: who answered, and with which firmware."""
    return [_device_form(name, job, workers, board) for name in sorted(job.claimed)]


def known_at_last(begun: list[dict[str, Any]], ended: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The devices as at the start; who answered later alone is taken from the end, and said."""
    found = []
    for first, last in zip(begun, ended, strict=True):
        if not first["identity"]["text"]:
            found.append({**first, "identity": last["identity"]})
        elif last["identity"] != first["identity"] and last["identity"]["text"]:
            found.append({**first, "identity_at_end": last["identity"]})
        else:
            found.append(first)
    return found


def columns_of(
    names: tuple[str, ...], devices: Mapping[str, str], workers: Mapping[str, DeviceWorker]
) -> tuple[Column, ...]:
    """The columns of a table whose readings have these names, `role.reading`."""
    return tuple(_column(name, devices, workers) for name in names)


def _column(name: str, devices: Mapping[str, str], workers: Mapping[str, DeviceWorker]) -> Column:
    role, _, reading = name.partition(".")
    device = devices.get(role, role)
    worker = workers.get(device)
    described = worker.plan.driver_class.readings.get(reading) if worker else None
    if described is None:
        return Column(name, device, "", "text")
    return Column(name, device, described.form.unit, described.form.kind)


def _device_form(
    name: str, job: Job, workers: Mapping[str, DeviceWorker], board: Board
) -> dict[str, Any]:
    worker, snapshot = workers.get(name), board.latest.get(name)
    plan = worker.plan if worker else None
    identity = snapshot.identity if snapshot else None
    return {
        "device": name,
        "roles": sorted(role for role, device in job.devices.items() if device == name),
        "driver": plan.driver_name if plan else "",
        "titles": dict(plan.titles) if plan else {},
        "simulated": plan.simulated if plan else None,
        "state": str(snapshot.state) if snapshot else "",
        "identity": {
            part: getattr(identity, part) if identity else ""
            for part in ("text", "model", "serial_number", "firmware")
        },
    }


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

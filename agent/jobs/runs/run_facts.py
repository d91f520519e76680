"""What is known of a run beside its job and its recipes: where it is, and its devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.jobs.job import Job
from agent.store.run_tables import Column


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where runs are written down: which station, which program."""

    station: str
    version: str
    titles: Mapping[str, str] = field(default_factory=dict)


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

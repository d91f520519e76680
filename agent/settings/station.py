"""A station as its config describes it: plain frozen data, checked, complete and merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

from agent.errors import Problem
from agent.settings.alarms import AlarmRule
from agent.settings.cover import Cover
from agent.settings.disk_models import Disk
from agent.settings.doors import Api, Console, Log, Metrics, Mqtt, Reconnect
from agent.settings.interlocks import Interlock
from agent.settings.schedules import Schedule
from agent.settings.section import Title
from drivers import Access, Address, Limits, Profile

NOT_KEYS: Final = {"devices", "file", "warnings"}
"""Fields of a station that are no keys of its config, or are compared one by one."""

BOUNDS: Final = ("feed", "nozzle", "bed", "chamber")
"""Fields of a profile that name the place that they were read from."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """One device. What it can do is its driver's affair, found by name in the catalogue."""

    name: str
    driver: str
    address: Address
    title: Title
    simulated: bool
    serial_number: str
    poll: Mapping[str, float]
    """Seconds between two reads, by reading; 0: only when asked. Others keep the driver's period."""
    limits: Limits
    """The narrower ranges; each end names the file and line that set it."""
    timeouts: Mapping[str, float]
    """Seconds, by field of `drivers.transport.link.Timeouts`: what differs from the driver's."""
    registers: Mapping[str, int]
    """`most` and `gap`, as far as they differ from the driver's."""
    profile: Profile
    """What files a printer may get; each bound names the file and line that set it."""
    access: Access | None
    on_shutdown: Literal["leave", "make_safe"]
    offline_alarm: float | None = None
    """Seconds without values after which an alarm is raised."""
    safe_by: Mapping[str, Cover]
    """What covers each hazardous output when the agent is gone, by reading; not named: nothing."""
    calibrated_until: date | None = None
    """The last day, in UTC, on which its calibration counts."""
    enabled: bool
    place: str
    """The file and line where it is described, such as `config/station.yaml:12`."""


@dataclass(frozen=True, kw_only=True)
class Station:
    """One workstation. Every path is complete and every default is filled in."""

    name: str
    title: Title
    file: Path
    state: Path
    files: Path
    files_limit: int
    """Most that the folder of files may hold, in bytes."""
    disk: Disk
    runs: Path
    runs_formats: tuple[Literal["parquet", "arrow"], ...]
    recipes: Path
    devices: Mapping[str, Device]
    interlocks: Mapping[str, Interlock]
    schedules: Mapping[str, Schedule]
    alarms: Mapping[str, AlarmRule]
    mqtt: Mqtt | None
    metrics: Metrics | None
    api: Api
    console: Console
    reconnect: Reconnect
    log: Log
    warnings: tuple[Problem, ...] = ()
    """What will work, and not as well as its config expects."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What another config asks for: devices by name in the order of their names, other keys."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    moved: tuple[str, ...]
    """The same as before, on other lines: only the sources named by its limits and its profile are new."""
    keys: tuple[str, ...]
    """Keys of the station itself that differ, such as `mqtt`."""

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))


def changed(old: Station, new: Station) -> Changes:
    """Say which devices and which of the station's own keys differ between two configs."""
    kept = sorted(old.devices.keys() & new.devices.keys())
    other = [name for name in kept if old.devices[name] != new.devices[name]]
    same = {name for name in other if _bare(old.devices[name]) == _bare(new.devices[name])}
    keys = [field.name for field in fields(Station) if field.name not in NOT_KEYS]
    return Changes(
        added=tuple(sorted(new.devices.keys() - old.devices.keys())),
        removed=tuple(sorted(old.devices.keys() - new.devices.keys())),
        changed=tuple(name for name in other if name not in same),
        moved=tuple(name for name in other if name in same),
        keys=tuple(key for key in keys if getattr(old, key) != getattr(new, key)),
    )


def _bare(device: Device) -> Device:
    """The device without the places that it was read from, and what its worker does not know."""
    spans = {
        name: replace(span, low_source="", high_source="")
        for name, span in device.limits.spans.items()
    }
    return replace(
        device,
        place="",
        offline_alarm=None,
        calibrated_until=None,
        limits=Limits(spans),
        profile=_unplaced(device.profile),
    )


def _unplaced(profile: Profile) -> Profile:
    bounds = {name: getattr(profile, name) for name in BOUNDS}
    same: dict[str, Any] = {
        name: bound and replace(bound, source="") for name, bound in bounds.items()
    }
    return replace(profile, source="", **same)

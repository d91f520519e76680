"""Reads a station's file and its folder of device files, and says everything wrong with them at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

from pydantic import ValidationError

from agent.errors import ConfigError, Problem
from agent.languages.message import Message
from agent.settings.alarms import check_alarms, rules_of
from agent.settings.checks import Entry, check_device, check_station
from agent.settings.cover import check_cover, covers
from agent.settings.document import Document, KeyPath, read_document, reason
from agent.settings.doors import Metrics, Mqtt, Network
from agent.settings.exchanges import check_exchanges
from agent.settings.feigned import check_feigned
from agent.settings.interlocks import check_interlocks, interlocks_of
from agent.settings.line_load import check_loads
from agent.settings.models import DEVICE_NAME, DeviceSettings, StationSettings
from agent.settings.neighbours import check_buses, check_names
from agent.settings.oidc import complete_oidc
from agent.settings.printers import access, check_printer, profile
from agent.settings.salvage import what_is_right
from agent.settings.schedules import check_schedules, schedules_of
from agent.settings.secret_files import secret_file
from agent.settings.section import Section
from agent.settings.sentences import PATTERNS, problems_of
from agent.settings.station import Device, Station
from drivers import Address

S = TypeVar("S", bound=Section)
MB: Final = 1_000_000


def load(path: Path) -> Station:
    """Read and check a station's config.

    Raises:
        ConfigError: Something is wrong; `problems` has everything that is, in all files.
    """
    found: list[Problem] = []
    document = read_document(path)
    station = _validated(StationSettings, document, (), found)
    entries = [*_described_in(document), *_described_beside(document, path, found)]
    found += document.problems
    if (own := what_is_right(StationSettings, document.data)) is not None:
        found += check_station(document, own[0])
        found += check_interlocks(document, own[0].interlocks, entries, tuple(found))
        found += check_schedules(document, own[0].schedules, entries, tuple(found))
        found += check_alarms(document, own[0].alarms, entries, tuple(found))
    found += chain(check_names(entries), *map(check_device, entries), check_buses(entries))
    found += chain(*map(check_exchanges, entries), *map(check_printer, entries))
    found += chain(*map(check_cover, entries))
    if station is None or found:
        raise ConfigError(found)
    return _complete(path, station, entries, document)


def read_secret(path: Path) -> str:
    """The first line of a file that holds a password or a token.

    Raises:
        ConfigError: It can't be read, or is empty.
    """
    try:
        first = path.read_text("utf-8").partition("\n")[0].strip()
    except (OSError, ValueError) as error:
        raise ConfigError(
            [Problem(str(path), 0, 0, "", Message("can't be read: {reason}", reason=reason(error)))]
        ) from None
    if not first:
        raise ConfigError(
            [
                Problem(
                    str(path), 1, 1, "", Message("the first line is empty: write the secret there")
                )
            ]
        )
    return first


def _validated(model: type[S], document: Document, base: KeyPath, found: list[Problem]) -> S | None:
    """The part of the document that begins at `base`, or None and its problems."""
    try:
        return model.model_validate(document.part(base))
    except ValidationError as error:
        found += problems_of(error, model, document, base)
        return None


def _described_in(document: Document) -> Iterator[Entry]:
    """The devices in the station's own file, as far as their keys are right."""
    devices = document.data.get("devices") if isinstance(document.data, dict) else None
    for name in devices if isinstance(devices, dict) else ():
        base = ("devices", name)
        said: list[Problem] = []  # already found with the station as a whole
        yield from _entry(name, document, base, said)


def _described_beside(document: Document, path: Path, found: list[Problem]) -> Iterator[Entry]:
    """The devices of the folder, each called after its file."""
    folder = document.data.get("devices_folder") if isinstance(document.data, dict) else None
    if not isinstance(folder, str) or not folder.isprintable():
        return  # none, or refused with the station's other keys
    try:
        files = sorted((path.parent / folder).iterdir())
    except OSError as error:
        found.append(
            document.problem(
                ("devices_folder",), Message("can't be read: {reason}", reason=reason(error))
            )
        )
        return
    for file in files:
        if file.name.startswith("."):
            continue  # an editor's
        if file.suffix == ".yaml":
            yield from _device_file(file, found)
        elif file.suffix == ".yml":
            found.append(
                Problem(
                    str(file), 0, 0, "", Message("is not read: call it {stem}.yaml", stem=file.stem)
                )
            )


def _device_file(file: Path, found: list[Problem]) -> Iterator[Entry]:
    if not re.fullmatch(DEVICE_NAME, file.stem):
        text = Message(
            "the file is called after its device; allowed: {pattern}",
            pattern=Message(PATTERNS[DEVICE_NAME]),
        )
        found.append(Problem(str(file), 0, 0, "", text))
    try:
        document = read_document(file)
    except ConfigError as error:
        found += error.problems
        return
    yield from _entry(file.stem, document, (), found)
    found += document.problems


def _entry(name: str, document: Document, base: KeyPath, found: list[Problem]) -> Iterator[Entry]:
    """The device, or what is right of it, so that the rest of it is checked in the same go."""
    settings = _validated(DeviceSettings, document, base, found)
    if settings is not None:
        yield Entry(name, document, base, settings)
    elif (rest := what_is_right(DeviceSettings, document.part(base))) is not None:
        yield Entry(name, document, base, *rest)


def _complete(
    path: Path, settings: StationSettings, entries: Sequence[Entry], document: Document
) -> Station:
    """Fill in what depends on other keys. Paths that are absolute stay as they are."""
    state = path.parent / settings.state
    runtime = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]  # by systemd.exec(5)
    api, mqtt = settings.api, settings.mqtt
    feigned = check_feigned(document, settings.interlocks, entries)
    return Station(
        name=settings.name,
        title=settings.title,
        file=path,
        state=state,
        files=state / settings.files,
        files_limit=settings.files_limit * MB,
        disk=settings.disk,
        runs=state / settings.runs,
        runs_formats=settings.runs_formats,
        recipes=path.parent / settings.recipes,
        devices=MappingProxyType({entry.name: _device(entry, path.parent) for entry in entries}),
        interlocks=interlocks_of(settings.interlocks, entries),
        schedules=schedules_of(document, settings.schedules),
        alarms=rules_of(settings.alarms, entries),
        mqtt=mqtt and _mqtt(path, settings.name, mqtt),
        metrics=settings.metrics and _metrics(path, settings.metrics),
        api=api.model_copy(
            update={
                "socket": state / runtime / api.socket,
                "token_file": state / api.token_file,
                "network": api.network and _network(path, api.network),
                "oidc": api.oidc and complete_oidc(path.parent, api.oidc),
            }
        ),
        console=settings.console,
        reconnect=settings.reconnect,
        log=settings.log,
        warnings=tuple(sorted(chain(check_loads(entries), feigned))),
    )


def _network(path: Path, network: Network) -> Network:
    names = ("certificate", "key")
    files = {name: secret_file(path.parent, getattr(network, name)) for name in names}
    return network.model_copy(update=files)


def _metrics(path: Path, metrics: Metrics) -> Metrics:
    token_file = metrics.token_file and secret_file(path.parent, metrics.token_file)
    return metrics.model_copy(update={"token_file": token_file})


def _mqtt(path: Path, station: str, mqtt: Mqtt) -> Mqtt:
    password_file = mqtt.password_file and secret_file(path.parent, mqtt.password_file)
    tls = mqtt.tls and mqtt.tls.beside(path.parent)
    return mqtt.model_copy(
        update={"client_id": mqtt.client_id or station, "password_file": password_file, "tls": tls}
    )


def _device(entry: Entry, folder: Path) -> Device:
    settings = entry.settings
    return Device(
        name=entry.name,
        driver=settings.driver,
        address=Address.parse(settings.address),
        title=settings.title,
        simulated=settings.simulated,
        serial_number=settings.serial_number,
        poll=MappingProxyType(settings.poll),
        limits=entry.limits,
        timeouts=MappingProxyType(settings.timeouts.model_dump(exclude_none=True)),
        registers=MappingProxyType(entry.registers),
        profile=profile(entry),
        access=access(entry, folder),
        on_shutdown=settings.on_shutdown,
        offline_alarm=settings.offline_alarm,
        safe_by=covers(settings.safe_by),
        calibrated_until=settings.calibrated_until,
        enabled=settings.enabled,
        place=entry.place,
    )

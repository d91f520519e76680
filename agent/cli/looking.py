"""Commands that look: drivers, devices, read, watch, events. Nothing changes by them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agent.cli import output
from agent.cli.client import AgentClient, socket_path
from agent.cli.names import described, device_names, state_of, unknown
from agent.cli.words import believed, language, said, utc_now
from agent.errors import DeviceTrouble, Refused
from agent.languages.message import Message

TROUBLE: Final = DeviceTrouble.exit_code
Row = tuple[str, dict[str, Any] | None]


def drivers(name: str | None, *, as_json: bool) -> None:
    """List the drivers, or what one offers. Needs no agent."""
    # Driver modules are imported one by one, and only here: no other command needs any.
    from agent.cli import driver_tables
    from agent.cli.driver_list import catalogue, description

    if name is None:
        rows = catalogue()
        if as_json:
            output.document([{"driver": driver, "title": title} for driver, title in rows])
        else:
            output.show(driver_tables.catalogue_table(rows))
        return
    found = description(name)
    if as_json:
        output.document(found)
    else:
        output.show(driver_tables.driver_page(found))


def devices(socket: Path | None, *, as_json: bool) -> None:
    """List the devices."""
    with AgentClient(socket_path(socket)) as client:
        found = client.get("devices")
        if as_json:
            output.document(found)
            return
        for device in found:
            description = client.get("devices", device["device"], "description")
            device |= {"titles": description["titles"], "driver": description["driver"]}
    # The tables' library takes 0.1 s to import.
    from agent.cli.tables import devices_table

    output.show(devices_table(found, utc_now(), language(os.environ)))


def interlocks(socket: Path | None, *, as_json: bool) -> None:
    """List the interlocks as they stand."""
    with AgentClient(socket_path(socket)) as client:
        found = client.get("interlocks")
    if as_json:
        output.document(found)
    elif not found:
        output.line(said(Message("this station has no interlocks")))
    else:
        from agent.cli.tables import interlocks_table

        output.show(interlocks_table(found, language(os.environ)))


def read(names: Sequence[str], socket: Path | None, *, fresh: bool, as_json: bool) -> int:
    """Show values; return 3 when one that was asked for is not to be believed."""
    with AgentClient(socket_path(socket)) as client:
        rows = [row for name in names for row in _rows(client, name, fresh=fresh)]
    if as_json:
        output.document(dict(rows))
    else:
        from agent.cli.tables import readings_table

        output.show(readings_table(rows, utc_now()))
    asked = {name for name in names if "." in name}
    trusted = all(believed(it) if it else name not in asked for name, it in rows)
    return 0 if trusted else TROUBLE


def watch(
    names: Sequence[str], seconds: float | None, socket: Path | None, *, as_json: bool
) -> None:
    """Show devices and their values as they change."""
    # What follows a stream needs asyncio and httpx; 0.4 s are nothing to who watches.
    from agent.cli.watching import watch_devices

    path = socket_path(socket)
    with AgentClient(path) as client:
        known = device_names(client)
    for name in names:
        if name not in known:
            raise unknown("device", name, known)
    watch_devices(path, frozenset(names or known), seconds=seconds, as_json=as_json)


def events(seconds: float | None, socket: Path | None, *, follow: bool, as_json: bool) -> None:
    """Show what happened, and with `follow` what happens. Raises Refused: a time without it."""
    if seconds is not None and not follow:
        raise Refused(Message("--seconds says how long to go on: it needs --follow"))
    path = socket_path(socket)
    with AgentClient(path) as client:
        past = client.get("events")
    if as_json:
        for event in past:
            output.document(event)
    else:
        from agent.cli.tables import events_table

        output.show(events_table(past))
    if follow:
        from agent.cli.watching import follow_events

        after = past[-1]["number"] if past else 0
        follow_events(path, after, seconds=seconds, as_json=as_json)


def _rows(client: AgentClient, name: str, *, fresh: bool) -> Iterator[Row]:
    """The values that `psu1` or `psu1.voltage` names; None for one that was never read."""
    device, _, wanted = name.partition(".")
    description = described(client, device)
    units = {
        it["name"]: it["value"]["unit"]
        for it in (*description["readings"], *description["settings"])
    }
    if wanted and wanted not in units:
        raise unknown("reading", wanted, units, device)
    if not fresh:
        values = state_of(client, device)["values"]
    else:
        values = _read_now(client, device, [wanted] if wanted else list(units), units)
    for reading in [wanted] if wanted else units:
        yield f"{device}.{reading}", values.get(reading)


def _read_now(
    client: AgentClient, device: str, readings: Sequence[str], units: Mapping[str, str]
) -> dict[str, Any]:
    """New samples. What can't be read is a bad value here, so that the others are still shown."""
    try:
        if len(readings) > 1:
            found: dict[str, Any] = client.get("devices", device, fresh="true")["values"]
            return found
        return {it: client.get("devices", device, "readings", it, fresh="true") for it in readings}
    except DeviceTrouble as error:
        bad = {"value": None, "quality": "bad", "time": None, "reason": str(error)}
        return {it: {**bad, "unit": units[it]} for it in readings}

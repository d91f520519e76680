"""Devices against each other: two that claim one name, one place or one unit on a bus."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Final

from agent.errors import Problem
from agent.languages.message import Message
from agent.settings.checks import Entry
from drivers import Address

RESERVED: Final = frozenset({"agent", "all", "station", "stream"})
DEFAULT_UNIT: Final = "1"  # what a Modbus address without `unit` means


def check_names(entries: Iterable[Entry]) -> Iterator[Problem]:
    """Refuse a name that is reserved, or given twice: in the station's file and in the folder."""
    first: dict[str, Entry] = {}
    for entry in entries:
        if entry.name in RESERVED:
            text = Message(
                "{name} has a meaning of its own in commands: choose another name", name=entry.name
            )
            yield entry.problem((), text, at_key=True)
        other = first.setdefault(entry.name, entry)
        if other is not entry:
            text = Message(
                "{name} is already described at {place}: delete one of them",
                name=entry.name,
                place=other.place,
            )
            yield entry.problem((), text, at_key=True)


def check_buses(entries: Iterable[Entry]) -> Iterator[Problem]:
    """Refuse two devices in one place, and one port with two settings. Disabled ones don't count."""
    claimed: dict[str, tuple[Entry, Address]] = {}
    units: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        address = entry.address
        if address is None or not entry.settings.enabled:
            continue
        other, its = claimed.setdefault(_wire_end(address), (entry, address))
        if its.place != address.place:
            yield entry.problem(("address",), _other_name(other, its, address))
            continue
        if its.bus != address.bus:
            yield entry.problem(("address",), _other_settings(other, its))
            continue
        unit = _unit(address)
        holder = units.setdefault((address.bus, unit), entry)
        if holder is not entry:
            yield entry.problem(("address",), _same_place(holder, unit))


def _unit(address: Address) -> str:
    """The unit on a Modbus bus, `01` and `1` being the same; "" where there are none."""
    if address.carries != "registers":
        return ""
    return str(int(address.options.get("unit", DEFAULT_UNIT)))


def _wire_end(address: Address) -> str:
    """The port itself: one serial port has a name in several folders, where it is plugged in."""
    if path := address.serial_port:
        return os.path.realpath(path)
    if address.scheme == "visa":  # which tells no large letters from small ones, but paths do
        return address.place.upper()
    return address.wire_end


def _other_name(other: Entry, its: Address, address: Address) -> str:
    return Message(
        "{port} is the same port as {its} of {name} ({place}): call it by one name",
        port=address.place,
        its=its.place,
        name=other.name,
        place=other.place,
    )


def _other_settings(other: Entry, address: Address) -> str:
    return Message(
        "{name} ({place}) uses {port} with other settings: give both the same "
        "scheme and options, as in {address}",
        name=other.name,
        place=other.place,
        port=address.place,
        address=other.settings.address,
    )


def _same_place(holder: Entry, unit: str) -> str:
    if unit:
        return Message(
            "{name} ({place}) is unit {unit} of this bus: give this one its own",
            name=holder.name,
            place=holder.place,
            unit=unit,
        )
    return Message(
        "{name} ({place}) is at this address: give this one its own",
        name=holder.name,
        place=holder.place,
    )

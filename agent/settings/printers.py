"""Printers: what files one may get, and who we say we are to one on the network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from agent.errors import Problem
from agent.languages.message import Message
from agent.settings.checks import Entry
from agent.settings.models import AccessSettings, PrinterSettings
from agent.settings.secret_files import secret_file
from drivers import Access, Bound, Buffers, Driver, Profile
from drivers.errors import OutOfRange

OF_FIRMWARE: Final = ("pause", "resume", "cancel", "buffers")
"""Keys for firmware that the agent itself sends the lines of a print to."""
HOSTS: Final = "requests"
"""What a link to a printer on the network carries."""


def check_printer(entry: Entry) -> Iterator[Problem]:
    """Check what files a device may get against what its driver can do, and its access."""
    yield from _access(entry)
    driver, section = entry.driver, entry.settings.printer
    if driver is None or section is None:
        return
    name = entry.settings.driver
    if "print" not in driver.commands:
        yield entry.problem(
            ("printer",), Message("{name} prints no files: delete it", name=name), at_key=True
        )
        return
    if driver.wire_type.carried_by == HOSTS:
        for key in OF_FIRMWARE:
            if getattr(section, key) is not None:
                text = Message(
                    "{name} prints by itself, in its own way: delete it, and set it there",
                    name=name,
                )
                yield entry.problem(("printer", key), text, at_key=True)
    yield from _hotter(entry, driver, section)
    yield from _contradictions(entry, section)


def profile(entry: Entry) -> Profile:
    """What files the device may get; each bound with the file and line that gives it."""
    section = entry.settings.printer
    if section is None:
        return Profile()
    reaches = section.volume.model_dump(exclude_none=True)
    buffers = section.buffers
    return Profile(
        volume=MappingProxyType({axis.upper(): reach for axis, reach in reaches.items()}),
        source=_source(entry),
        feed=_bound(entry, "feed", section.feed),
        nozzle=_bound(entry, "nozzle", section.nozzle),
        bed=_bound(entry, "bed", section.bed),
        chamber=_bound(entry, "chamber", section.chamber),
        allow=frozenset(section.allow),
        forbid=frozenset(section.forbid),
        pause=section.pause,
        resume=section.resume,
        cancel=section.cancel,
        buffers=Buffers(buffers.lines, buffers.bytes) if buffers else None,
    )


def access(entry: Entry, folder: Path) -> Access | None:
    """Where the device's secrets are; a path begins at the folder of the station's file."""
    section = entry.settings.access
    if section is None:
        return None
    return Access(
        user=section.user or "",
        password_file=section.password_file and secret_file(folder, section.password_file),
        key_file=section.key_file and secret_file(folder, section.key_file),
    )


def _bound(entry: Entry, key: str, value: float | None) -> Bound | None:
    return None if value is None else Bound(value, _place(entry, key))


def _place(entry: Entry, key: str) -> str:
    return entry.document.place((*entry.base, "printer", key))


def _source(entry: Entry) -> str:
    """The file and line where the section begins, for what has no line of its own."""
    spot = entry.document.spot((*entry.base, "printer"), at_key=True)
    return f"{entry.document.file}:{spot.line}"


def _access(entry: Entry) -> Iterator[Problem]:
    section, address = entry.settings.access, entry.address
    if section is None:
        return
    if address is not None and address.carries != HOSTS:
        text = Message(
            "only http:// and https:// ask who we are, {scheme}:// does not: delete it",
            scheme=address.scheme,
        )
        yield entry.problem(("access",), text, at_key=True)
        return
    if section == AccessSettings():
        text = Message("says nothing: give key_file, or user and password_file")
        yield entry.problem(("access",), text)
    for one, other in (("user", "password_file"), ("password_file", "user")):
        if getattr(section, one) is not None and getattr(section, other) is None:
            yield entry.problem(
                ("access", one), Message("is of no use alone: give {other} as well", other=other)
            )


def _hotter(entry: Entry, driver: type[Driver[Any]], section: PrinterSettings) -> Iterator[Problem]:
    """A file must not heat beyond what a person may set."""
    own = _own_profile(entry, driver)
    for name in ("nozzle", "bed"):
        value, bound = getattr(section, name), getattr(own, name)
        if value is not None and bound is not None and value > bound.value:
            text = Message(
                "{value:g} °C is above {limit:g} °C, the limit set by {source}; a profile can only "
                "narrow it",
                value=value,
                limit=bound.value,
                source=bound.source,
            )
            yield entry.problem(("printer", name), text)


def _own_profile(entry: Entry, driver: type[Driver[Any]]) -> Profile:
    """What such a printer may get as far as its model and the config's limits say."""
    tell = getattr(driver, "admission_profile", None)
    if tell is None:
        return Profile()
    try:
        found: Profile = tell(entry.limits, Profile())
    except OutOfRange:  # one of the limits is wrong itself, and said to be so
        return Profile()
    return found


def _contradictions(entry: Entry, section: PrinterSettings) -> Iterator[Problem]:
    allowed = {code: at for at, code in reversed([*enumerate(section.allow)])}
    for at, code in enumerate(section.forbid):
        if code in allowed:
            place = entry.document.place((*entry.base, "printer", "allow", allowed[code]))
            text = Message(
                "{code} is allowed as well ({place}): delete one of them", code=code, place=place
            )
            yield entry.problem(("printer", "forbid", at), text)

"""How much of a serial line the polls of its devices take: more than all of it can't be kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any, Final

from agent.errors import Problem
from agent.languages.message import Message
from agent.settings.checks import Entry
from drivers import Address, Driver

SILENCE: Final = 3.5
"""Characters of silence before each frame. Source: MODBUS over Serial Line V1.02, 2.5.1.1."""
FAST: Final = 19_200
FAST_SILENCE_S: Final = 1.75e-3
"""Seconds of silence above FAST baud, from the same place."""


def check_loads(entries: Iterable[Entry]) -> Iterator[Problem]:
    """Warn of each Modbus line that can't carry its polls, at the device that takes most of it."""
    lines: dict[str, list[tuple[float, Entry]]] = {}
    for entry in entries:
        address, driver = entry.address, entry.driver
        if entry.settings.enabled and address and driver and address.carries == "registers":
            lines.setdefault(address.bus, []).append((load(entry, driver, address), entry))
    for shares in lines.values():
        if sum(share for share, _ in shares) > 1:
            yield _warning(shares)


def load(entry: Entry, driver: type[Driver[Any]], address: Address) -> float:
    """The share of its line that a device's polls take, 1 being all; 0 where no baud rate is known.

    Request, reply and both silences count, at the speed of the line; the device's own time, which
    nobody knows beforehand, does not: what is above 1 can't be, and what is below may not be.
    """
    if not address.baudrate:
        return 0.0
    gap = float(address.options.get("gap", "0")) / 1000
    silent = FAST_SILENCE_S if address.baudrate > FAST else SILENCE * address.character
    return sum(
        (sum(sizes) * address.character + 2 * (silent + gap)) / period
        for period, names in _by_period(entry, driver).items()
        for sizes in driver.requests(names, entry.registers)
    )


def _by_period(entry: Entry, driver: type[Driver[Any]]) -> dict[float, list[str]]:
    found: dict[float, list[str]] = {}
    for name, field in driver.readings.items():
        if period := entry.settings.poll.get(name, field.every):
            found.setdefault(period, []).append(name)
    return found


def _warning(shares: list[tuple[float, Entry]]) -> Problem:
    most, busiest = max(shares, key=itemgetter(0))
    whole = sum(share for share, _ in shares)
    address = busiest.address
    baud = address.baudrate if address else 0
    names = ", ".join(entry.name for _, entry in shares)
    return busiest.problem(
        ("address",),
        Message(
            "the polls of {names} take {whole:.0%} of this line at {baud} baud, so that "
            "some will be left out: poll less often, or raise the baud rate ({name} takes "
            "{most:.0%})",
            names=names,
            whole=whole,
            baud=baud,
            name=busiest.name,
            most=most,
        ),
    )

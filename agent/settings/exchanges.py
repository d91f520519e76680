"""How a device is asked: whether its waits and the size of its requests can work on its line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from agent.errors import Problem
from agent.languages.message import N_, Message
from agent.settings.checks import Entry
from drivers import Address, Driver

BETWEEN_CHARACTERS: Final = 1.5
"""Characters of silence that a frame may hold. Source: MODBUS over Serial Line V1.02, 2.5.1.1."""
MOST_REGISTERS: Final = 125
"""In one request, where the driver says nothing. Source: V1.1b3, 6.3."""

_LONGER: Final = N_(
    "{part:g} s is above whole, {whole:g} s: a part of a reply can't take longer than all of it"
)
_LONGER_THAN_DRIVERS: Final = N_(
    "{part:g} s is above whole, {whole:g} s, the driver's: a part of a reply can't take longer "
    "than all of it"
)


def check_exchanges(entry: Entry) -> Iterator[Problem]:
    """Check the waits of a device, and the requests of a Modbus device, against its driver."""
    driver = entry.driver
    if driver is None:
        return
    refused = [*_registers(entry, driver)]
    yield from refused
    yield from _order(entry, driver)
    if not refused and (address := entry.address) is not None and address.baudrate:
        yield from _line_times(entry, driver, address)


def _registers(entry: Entry, driver: type[Driver[Any]]) -> Iterator[Problem]:
    given = entry.registers
    if given and driver.wire_type.carried_by != "registers":
        text = Message("{driver} has no Modbus registers: delete it", driver=entry.settings.driver)
        yield entry.problem(("registers",), text, at_key=True)
        return
    own = {"most": MOST_REGISTERS, "gap": 0, **driver.traits}
    for name, value in given.items():
        if value > own[name]:
            text = Message(
                "{value} is above the driver's own, {own}; a config can only narrow it",
                value=value,
                own=own[name],
            )
            yield entry.problem(("registers", name), text)
    if "most" in given:
        yield from _torn(entry, driver, given["most"])


def _torn(entry: Entry, driver: type[Driver[Any]], most: int) -> Iterator[Problem]:
    """A value of several registers is read in one request: read in two, it may be half old."""
    for name in driver.readings:
        for _, reply in driver.requests([name], {"most": most}):
            needed = (reply - 5) // 2
            if needed > most:
                text = Message(
                    "{name} takes {needed} registers, which must come together: allow {needed}",
                    name=name,
                    needed=needed,
                )
                yield entry.problem(("registers", "most"), text)
                return


def _order(entry: Entry, driver: type[Driver[Any]]) -> Iterator[Problem]:
    given, waits = entry.timeouts, driver.waits(entry.timeouts)
    for name in ("first_byte", "next_byte"):
        if given.keys() & {name, "whole"} and getattr(waits, name) > waits.whole:
            is_own = "whole" in given
            text = Message(
                _LONGER if is_own else _LONGER_THAN_DRIVERS,
                part=getattr(waits, name),
                whole=waits.whole,
            )
            yield _problem(entry, name if name in given else "whole", text, of=name)


def _line_times(entry: Entry, driver: type[Driver[Any]], address: Address) -> Iterator[Problem]:
    waits, character = driver.waits(entry.timeouts), address.character
    between = BETWEEN_CHARACTERS * character
    if waits.next_byte < between:
        text = Message(
            "{next_byte:g} s is shorter than the {between:.3g} s that may lie between two bytes at "
            "{baudrate} baud: allow more",
            next_byte=waits.next_byte,
            between=between,
            baudrate=address.baudrate,
        )
        yield _problem(entry, "next_byte", text)
    polled = [name for name, field in driver.readings.items() if _period(entry, name, field.every)]
    told = driver.requests(polled, entry.registers)
    asked = max((asked for asked, _ in told), default=0) * character
    if waits.first_byte < asked:
        text = Message(
            "{first_byte:g} s is over before a request has left, which takes {asked:.3g} s at "
            "{baudrate} baud: allow more",
            first_byte=waits.first_byte,
            asked=asked,
            baudrate=address.baudrate,
        )
        yield _problem(entry, "first_byte", text)
    longest = max((sum(sizes) for sizes in told), default=0) * character
    if waits.whole < longest:
        text = Message(
            "{whole:g} s is shorter than request and reply together, which take "
            "{longest:.3g} s at {baudrate} baud: allow more, or smaller registers.most",
            whole=waits.whole,
            longest=longest,
            baudrate=address.baudrate,
        )
        yield _problem(entry, "whole", text)


def _period(entry: Entry, name: str, every: float) -> float:
    return entry.settings.poll.get(name, every)


def _problem(entry: Entry, name: str, text: str, *, of: str = "") -> Problem:
    """A problem with one of the waits: where it is given, or else with the address.

    `of` is the wait that the text is about, where that is another one than it is said at.
    """
    if of and (of != name or name not in entry.timeouts):
        text = Message("{name}: {text}", name=of, text=text)
    if name in entry.timeouts:
        return entry.problem(("timeouts", name), text)
    return entry.problem(
        ("address",), Message("timeouts.{name} of the driver: {text}", name=name, text=text)
    )

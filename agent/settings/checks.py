"""What types can't tell: keys against keys, and a device against what its driver offers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from agent.errors import Problem
from agent.languages.message import N_, Message
from agent.settings.document import Document, KeyPath
from agent.settings.models import DeviceSettings, LimitSettings, StationSettings
from agent.settings.sentences import suggest
from drivers import Address, Driver, Limits, Setting, Span, catalogue
from drivers.errors import BadAddress, UnknownName

RANGED: Final = {"number", "integer"}
SPOKEN: Final = {"registers": N_("Modbus registers"), "bytes": "bytes", "requests": "HTTP"}
SUITABLE: Final = {
    "registers": N_("modbus+tcp://…, modbus+rtu://… or modbus+rtu+tcp://…"),
    "bytes": N_("serial://…, tcp://… or visa://…"),
    "requests": N_("http://… or https://…"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One device in the file that describes it; `base` is where it begins there.

    `refused` names keys that are wrong or missing: `settings` has stand-ins for them.
    """

    name: str
    document: Document
    base: KeyPath
    settings: DeviceSettings
    refused: frozenset[str] = frozenset()

    @property
    def place(self) -> str:
        """The file and line where the device is described."""
        spots = self.document.keys if self.base else self.document.values
        return f"{self.document.file}:{spots[self.base].line}"

    @property
    def address(self) -> Address | None:
        """Where the device is; None if that can't be understood."""
        if "address" in self.refused:
            return None
        try:
            return Address.parse(self.settings.address)
        except BadAddress:
            return None

    @property
    def driver(self) -> type[Driver[Any]] | None:
        """Its driver; None if there is none of this name, or it can't be loaded."""
        if "driver" in self.refused:
            return None
        try:
            return catalogue.load(self.settings.driver)
        except (UnknownName, ImportError):
            return None

    @property
    def timeouts(self) -> dict[str, float]:
        """The waits that differ from the driver's, in seconds."""
        given: dict[str, float] = self.settings.timeouts.model_dump(exclude_none=True)
        return given

    @property
    def registers(self) -> dict[str, int]:
        """The bounds of requests that differ from the driver's, in registers."""
        given: dict[str, int] = self.settings.registers.model_dump(exclude_none=True)
        return given

    @property
    def limits(self) -> Limits:
        """The ranges that the config gives, each end with the file and line that gives it."""
        return Limits({name: self._span(name, it) for name, it in self.settings.limits.items()})

    def _span(self, name: str, limit: LimitSettings) -> Span:
        path = (*self.base, "limits", name)
        low, high = (self.document.place((*path, end)) for end in ("low", "high"))
        return Span(limit.low, limit.high, low_source=low, high_source=high)

    def problem(self, path: KeyPath, text: str, *, at_key: bool = False) -> Problem:
        """A problem with one of the device's keys."""
        return self.document.problem((*self.base, *path), text, at_key=at_key)


def check_station(document: Document, station: StationSettings) -> Iterator[Problem]:
    """Check the station's own keys against each other."""
    api, metrics, waits = station.api, station.metrics, station.reconnect
    if metrics is not None and api.listen == metrics.listen and api.listen.port:
        text = Message(
            "metrics.listen is {listen} as well: give each its own port", listen=metrics.listen
        )
        yield document.problem(("api", "listen"), text)
    if waits.first > waits.most:
        text = Message(
            "{first:g} s is above most, {most:g} s: the waits grow from first to most",
            first=waits.first,
            most=waits.most,
        )
        yield document.problem(("reconnect", "first"), text)


def check_device(entry: Entry) -> Iterator[Problem]:
    """Check one device's address, poll periods and limits by what its driver offers."""
    yield from _upside_down(entry)
    if "address" not in entry.refused:
        try:
            Address.parse(entry.settings.address)
        except BadAddress as error:
            yield entry.problem(("address",), str(error))
    if "driver" not in entry.refused:
        yield from _by_driver(entry)


def _by_driver(entry: Entry) -> Iterator[Problem]:
    try:
        driver = catalogue.load(entry.settings.driver)
    except (UnknownName, ImportError) as error:
        yield entry.problem(("driver",), _no_driver(entry.settings.driver, error))
    else:
        yield from _carried(entry, driver)
        yield from _interrupted(entry, driver)
        yield from _polls(entry, driver)
        yield from _limits(entry, driver)


def _upside_down(entry: Entry) -> Iterator[Problem]:
    for name, limit in entry.settings.limits.items():
        if limit.low is None and limit.high is None:
            yield entry.problem(("limits", name), Message("limits nothing: give low, high or both"))
        elif limit.low is not None and limit.high is not None and limit.low > limit.high:
            text = Message(
                "{low:g} is above high, {high:g}: nothing would be allowed",
                low=limit.low,
                high=limit.high,
            )
            yield entry.problem(("limits", name, "low"), text)


def _no_driver(name: str, error: Exception) -> str:
    offered = catalogue.names()
    if name in offered:
        return Message("{name} can't be loaded: {error}", name=name, error=error)
    return Message(
        "no driver is called {name!r}; {suggest}", name=name, suggest=suggest(name, offered)
    )


def _carried(entry: Entry, driver: type[Driver[Any]]) -> Iterator[Problem]:
    address, speaks = entry.address, driver.wire_type.carried_by
    if address is not None and address.carries != speaks:
        text = Message(
            "{driver} speaks {spoken}: use {suitable}, not {scheme}://",
            driver=entry.settings.driver,
            spoken=Message(SPOKEN[speaks]),
            suitable=Message(SUITABLE[speaks]),
            scheme=address.scheme,
        )
        yield entry.problem(("address",), text)


def _interrupted(entry: Entry, driver: type[Driver[Any]]) -> Iterator[Problem]:
    """A device that is stopped past a running exchange needs a link that can send so."""
    address = entry.address
    if address is None or address.scheme != "visa" or driver.wire_type.carried_by != "bytes":
        return
    if driver.interrupt is Driver.interrupt:
        return
    text = Message(
        "{driver} stops its device at once, in the middle of an exchange, and VISA can't: use "
        "serial://… or tcp://…, not visa://",
        driver=entry.settings.driver,
    )
    yield entry.problem(("address",), text)


def _polls(entry: Entry, driver: type[Driver[Any]]) -> Iterator[Problem]:
    for name in entry.settings.poll:
        if name not in driver.readings:
            text = Message(
                "{driver} has no such reading; {suggest}",
                driver=entry.settings.driver,
                suggest=suggest(name, driver.readings),
            )
            yield entry.problem(("poll", name), text, at_key=True)


def _limits(entry: Entry, driver: type[Driver[Any]]) -> Iterator[Problem]:
    ranged = ranged_names(driver)
    for name, limit in entry.settings.limits.items():
        if name not in ranged:
            text = Message(
                "{driver} has nothing of this name with a range; {suggest}",
                driver=entry.settings.driver,
                suggest=suggest(name, ranged),
            )
            yield entry.problem(("limits", name), text, at_key=True)
            continue
        for end, span in (("low", Span(low=limit.low)), ("high", Span(high=limit.high))):
            for _, refusal in driver.check_limits(Limits({name: span})):
                why = refusal.removeprefix(f"{name}: ")
                text = Message("{text}; a config can only narrow it", text=why)
                yield entry.problem(("limits", name, end), text)


def ranged_names(driver: type[Driver[Any]]) -> list[str]:
    """What a config may narrow: settings that are numbers, and such arguments of commands."""
    settings = [
        name
        for name, field in driver.readings.items()
        if isinstance(field, Setting) and field.form.kind in RANGED
    ]
    arguments = [
        f"{command.name}.{parameter.name}"
        for command in driver.commands.values()
        for parameter in command.parameters
        if parameter.form.kind in RANGED
    ]
    return settings + arguments

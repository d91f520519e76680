"""Whether a unit of a bus is there, and for how long it is worth waiting to find out.

A unit that fell silent is asked with the cheapest request it knows, and waited for no longer than
its own replies have ever taken, with room to spare. Now and then it is given all the time that
its driver would give it: else one that has become slow would never be found again.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from drivers.errors import BadReply, DeviceError, DriverError, LinkTimeout, UnitSilent
from drivers.transport.link import Timeouts
from drivers.transport.modbus import GATEWAY_TARGET, ExceptionReply, Request
from drivers.transport.traffic import Traffic

SILENT_AFTER: Final = 2
"""Requests in a row without an answer, after which a unit is silent; one, if it never answered."""
SHORTEST_S: Final = 0.1
"""Adapters and gateways alone hold a reply up for 16 ms and more."""
UNKNOWN_S: Final = 0.3
"""For a unit of which nothing was ever heard. The slowest reply of most devices is below 0.1 s."""
ROOM: Final = 4
"""How many times its slowest reply a unit is waited for."""
PATIENT_EVERY: Final = 5
"""Of so many probes, one waits as long as the driver would."""


@dataclass(slots=True)
class Presence:
    """One unit, as its bus knows it. Times are of the loop's clock, in seconds."""

    missed: int = 0  # requests in a row that it did not answer
    probes: int = 0  # since it last answered a request
    silent_since: float = math.inf
    answered_at: float = -math.inf
    asked_at: float = 0.0
    slowest: float = 0.0
    cheapest: Request | None = None  # of the reads that its driver asked for
    timeouts: Timeouts = field(default_factory=Timeouts)  # as its driver has them

    def asked(self, request: Request) -> None:
        """Note what its driver asks for."""
        if request.count and (self.cheapest is None or request.count < self.cheapest.count):
            self.cheapest = request

    def answered(self, now: float, took: float) -> None:
        """Note an answer to its driver, and how long it took."""
        self.missed = self.probes = 0
        self.silent_since, self.answered_at = math.inf, now
        self.slowest = max(self.slowest, took)

    def heard_late(self, now: float) -> None:
        """Note that an answer came after it had been given up: the unit lives, and is slow."""
        self.slowest = max(self.slowest, now - self.asked_at)

    def missed_one(self) -> None:
        """Note a request without an answer."""
        self.missed += 1
        self.silent_since = min(self.silent_since, self.asked_at)

    @property
    def is_silent(self) -> bool:
        """Whether it has missed so many requests that it is no accident."""
        return self.missed >= (SILENT_AFTER if math.isfinite(self.answered_at) else 1)

    def patience(self) -> Timeouts:
        """How long to wait for the answer to the next probe."""
        self.probes += 1
        whole = self.timeouts
        if self.probes % PATIENT_EVERY == 0:
            return whole
        return self.briefly()

    def briefly(self) -> Timeouts:
        """The time-outs that this unit's replies so far call for, never above its driver's."""
        given = self.timeouts
        enough = max(SHORTEST_S, ROOM * self.slowest) if self.slowest else UNKNOWN_S
        wait = min(given.first_byte, enough)
        return replace(given, first_byte=wait, whole=min(given.whole, wait + given.next_byte))


def _of_no_loop() -> float:
    """The clock before the first exchange, which brings the loop's."""
    return 0.0


class NotSilent(LinkTimeout):
    """Somebody kept speaking on the bus, so the request was not sent."""

    sent = False


class Roll:
    """Who is there on a bus, and what each exchange was worth. One exchange at a time is booked.

    `aside` is the time of the exchange under way that went into something else than itself.
    """

    def __init__(self, traffic: Traffic) -> None:
        self.aside = 0.0
        self._traffic = traffic
        self._presences: dict[int, Presence] = {}
        self.now = _of_no_loop
        """The clock of the exchange under way."""
        self.began = 0.0
        """When that began."""

    def of(self, unit: int) -> Presence:
        """Return what is known of a unit's being there; it outlives connections."""
        presence = self._presences.get(unit)
        if presence is None:
            presence = self._presences[unit] = Presence()
        return presence

    def begin(self, unit: int, timeouts: Timeouts | None = None) -> Presence:
        """Let an exchange begin now with this unit, whose driver has such time-outs."""
        self.now = asyncio.get_running_loop().time
        self.aside, self.began = 0.0, self.now()
        presence = self.of(unit)
        presence.asked_at = self.began
        presence.timeouts = timeouts or presence.timeouts
        return presence

    def asked(self, request: Request, timeouts: Timeouts) -> None:
        """Let an exchange begin now for the driver of a unit, and count it."""
        self._traffic.exchanges += 1
        self.begin(request.unit, timeouts).asked(request)

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Keep what this takes apart from the time of the exchange itself."""
        began = self.now()
        try:
            yield
        finally:
            self.aside += self.now() - began

    def answered(self, unit: int) -> None:
        """Book an exchange that brought an answer to the unit's driver."""
        now = self.now()
        spent = now - self.began
        self.of(unit).answered(now, spent - self.aside)
        self._book(unit, spent, self.aside)

    def failed(self, unit: int, error: DriverError) -> DriverError:
        """Book an exchange that failed, and return what that means: UnitSilent, or what it is."""
        if isinstance(error, NotSilent):  # nobody's fault that is known here
            self._traffic.timeouts += 1
        elif isinstance(error, LinkTimeout) or is_unreached(error):
            return self._missed(unit, error)
        elif isinstance(error, DeviceError):
            self.answered(unit)
        else:
            self.book(unit, lost=isinstance(error, BadReply))
        return error

    def book(self, unit: int, *, lost: bool = False) -> None:
        """Book the time of the exchange that ends now."""
        spent = self.now() - self.began
        self._book(unit, spent, spent if lost else self.aside)

    def _book(self, unit: int, spent: float, lost: float) -> None:
        self._traffic.busy += spent
        if lost:
            self._traffic.lose(unit, lost)

    def _missed(self, unit: int, error: DriverError) -> DriverError:
        self._traffic.timeouts += 1
        self.book(unit, lost=True)
        presence = self.of(unit)
        presence.missed_one()
        if not (presence.is_silent and self._others_answer(unit, presence.silent_since)):
            return error
        cost = self.now() - self.began
        return UnitSilent(
            f"unit {unit} does not answer, while others on its bus do: is it on, is it connected, "
            "and is this its number?",
            cost,
        )

    def _others_answer(self, unit: int, since: float) -> bool:
        others = (it for number, it in self._presences.items() if number != unit)
        return any(other.answered_at > since for other in others)


def is_unreached(error: DriverError) -> bool:
    """Whether a gateway says that it has no answer from the unit."""
    return isinstance(error, ExceptionReply) and error.code == GATEWAY_TARGET

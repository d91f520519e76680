"""What happened: one event per change, kept in a bounded list and told to whoever listens."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from agent.clock import Clock

LONGEST: Final = 2000
"""Characters of an event's text: what a device or a caller wrote in it may be longer."""
KEPT: Final = 1000
"""Events that a newcomer can still see; also how far a slow listener may fall behind."""

log = logging.getLogger("labkeeper")


class Severity(StrEnum):
    """How loud an event is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One change: its number, when (seconds UTC), what kind, of which device, and a sentence."""

    number: int
    time: float
    kind: str
    severity: Severity
    text: str
    device: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def one_line(text: str) -> str:
    """The text on one line, and no longer than LONGEST."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}…"
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


class EventLog:
    """The last events, also written to the log. Numbers are without gaps from 1 at each start."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._listeners: set[Listener] = set()
        self._hearers: list[Callable[[Event], None]] = []
        self._number = 0

    @property
    def kept(self) -> tuple[Event, ...]:
        """The last events, oldest first."""
        return tuple(self._kept)

    def add(
        self,
        kind: str,
        text: str,
        *,
        device: str = "",
        severity: Severity = Severity.INFO,
        **data: Any,
    ) -> Event:
        """Record an event of `kind`, such as "device.lost"; `text` says what to do where it can.

        What devices and callers wrote is in it: control characters, which could feign another line
        of the log, are escaped, and it is cut where it is longer than LONGEST.
        """
        text = one_line(text)
        self._number += 1
        event = Event(
            number=self._number,
            time=self._clock.utc(),
            kind=kind,
            severity=severity,
            text=text,
            device=device,
            data=data,
        )
        self._kept.append(event)
        level = logging.getLevelNamesMapping()[severity.upper()]
        log.log(level, text, extra={"event": kind, "device": device, **data})
        for listener in self._listeners:
            listener.hear(event)
        for hear in self._hearers:
            hear(event)
        return event

    def also(self, hear: Callable[[Event], None]) -> None:
        """Call `hear` of each event from now on, in their order. It may neither wait nor raise."""
        self._hearers.append(hear)

    def listen(self) -> "Listener":
        """Follow events from now on: `async with events.listen() as heard: async for event in heard`."""
        return Listener(self._listeners)


class Listener:
    """Events in order. One that falls more than a thousand behind loses the oldest, and can see it by the numbers."""

    def __init__(self, listeners: "set[Listener]") -> None:
        self._listeners = listeners
        self._waiting: deque[Event] = deque(maxlen=KEPT)
        self._some = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._listeners.add(self)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._listeners.discard(self)

    def hear(self, event: Event) -> None:
        """Take an event in."""
        self._waiting.append(event)
        self._some.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            await self._some.wait()
            while self._waiting:
                yield self._waiting.popleft()
            self._some.clear()

"""What is due is read, and becomes samples; what is overdue is called stale."""

import math
from collections.abc import Callable, Iterable, Mapping, Set
from functools import lru_cache, partial
from itertools import repeat
from typing import Any, Final, Protocol

from agent.clock import Clock
from agent.fleet.flight import Asked, unheard
from agent.fleet.plan import Plan
from agent.fleet.samples import Quality, Sample
from agent.fleet.schedule import Schedule
from agent.fleet.tally import Tally
from agent.languages.message import Message
from drivers import Driver, word
from drivers.errors import (
    BadReply,
    DeviceError,
    DriverError,
    LinkClosed,
    LinkError,
    LinkTimeout,
    NotMeasured,
    TurnTimeout,
)

GARBAGE_LIMIT: Final = 5
"""Polls in a row without one sensible reply after which the link itself is blamed."""
AGE_CHECK_S: Final = 1.0
ASKED_GOOD_S: Final = 60.0
"""How long a value that is only read when asked is called good: it may be changed at the device."""


OVERDUE: Final = Message("overdue: the device has not been read in time")
PLAIN: Final = frozenset({int, bool, float})
"""Types of values that need no more than to be finite."""
_SAMPLE: Final[Callable[[Iterable[Any]], Sample]] = partial(tuple.__new__, Sample)
"""A sample from its five fields in order; twice as quick as by name."""


class Change(Protocol):
    """Told of new samples, and of the names that have none any more."""

    def __call__(self, samples: Mapping[str, Sample], gone: Iterable[str] = ..., /) -> None: ...


class Polling:
    """The reading side of one connection.

    `change` is told of every new sample, and which values there are no longer; `trouble` why the
    device as a whole refuses to be read, and "" when it does not.
    """

    def __init__(
        self,
        plan: Plan,
        driver: Driver[Any],
        clock: Clock,
        tally: Tally,
        change: Change,
        trouble: Callable[[str], None],
        tell: Asked = unheard,
    ) -> None:
        self._tell = tell
        self._plan, self._driver, self._clock = plan, driver, clock
        self._tally, self._change, self._trouble = tally, change, trouble
        self._latest: dict[str, Sample] = {}
        self._asked: dict[str, float] = {}  # when, on the monotonic clock
        self._newest = -math.inf  # the latest of these
        self._quality = Quality.SIMULATED if plan.simulated else Quality.GOOD
        self._garbage = 0
        self._is_broken = False
        self.when_broken: Callable[[LinkError], None] = _raise
        """Told once, of the first request that finds the link lost."""
        self._polled = tuple(name for name, period in plan.periods.items() if period > 0)

    async def refresh(self) -> None:
        """Read every polled value now. Raises LinkError."""
        if self._polled:
            await self._poll(self._polled)

    async def run(self, phase: float) -> None:
        """Poll until the link fails, which is raised as a LinkError."""
        schedule = Schedule(self._plan.periods, self._clock.monotonic(), phase)
        while True:
            now = self._clock.monotonic()
            if schedule.next_due > now:
                await self._clock.sleep(min(schedule.next_due - now, 3600.0))
                now = self._clock.monotonic()
            skipped, late = schedule.skipped, schedule.late
            if due := schedule.take(now):
                self._tally.skipped += schedule.skipped - skipped
                self._tally.late += schedule.late - late
                await self._poll(due)

    async def read(self, names: Iterable[str]) -> Mapping[str, Sample]:
        """Read these values now; a value that the device does not give is a bad sample.

        Raises:
            LinkError: The link failed, and no sample is new.
        """
        return await self._read(tuple(names), self._clock.monotonic())

    async def _read(self, wanted: tuple[str, ...], began: float) -> Mapping[str, Sample]:
        asked = self._clock.utc()  # the time of a value: it may be newer than this, never older
        try:
            values = await self._whole(wanted)
        except (LinkTimeout, BadReply) as first:
            values = await self._again(wanted, first)
        samples = self._plain(values, asked, began)
        if samples and began >= self._newest:
            self._put_up(began, samples)
            return samples
        samples = {name: self._sample(name, values[name], asked, began) for name in wanted}
        self._keep(began, samples, values)
        return samples

    def _plain(self, values: Mapping[str, Any], asked: float, began: float) -> dict[str, Sample]:
        """The samples where all are numbers and switches, else none.

        It is the usual case, and gets by without a step of Python's for each value.
        """
        found = values.values()
        # A sum is finite only if each of them is.
        if not (PLAIN.issuperset(map(type, found)) and math.isfinite(sum(found))):
            return {}
        rows = zip(found, repeat(self._quality), repeat(asked), repeat(""), repeat(began))
        return dict(zip(values, map(_SAMPLE, rows), strict=True))

    def _keep(self, began: float, samples: Mapping[str, Sample], values: Mapping[str, Any]) -> None:
        """Put up what a read that began then has brought, but for what was asked later and is there.

        What was not asked, because the device was busy, stays as it was: its age tells when to doubt.
        """
        newest = {
            name: sample
            for name, sample in samples.items()
            if not isinstance(values[name], TurnTimeout) and began >= self._asked.get(name, began)
        }
        self._put_up(began, newest, {n for n in newest if isinstance(values[n], NotMeasured)})

    def _put_up(
        self, began: float, newest: Mapping[str, Sample], gone: Set[str] = frozenset()
    ) -> None:
        self._newest = max(began, self._newest)
        self._asked.update(dict.fromkeys(newest, began))
        self._latest.update(newest)
        for name in gone:
            del self._latest[name]
        self._change(newest, gone)

    def broken(self, error: LinkError) -> None:
        """Say that a request found the link lost."""
        if not self._is_broken:
            self._is_broken = True
            self.when_broken(error)

    async def watch_age(self) -> None:
        """Call a value stale that has missed three of its polls, or was asked for long ago."""
        while True:
            await self._clock.sleep(AGE_CHECK_S)
            now = self._clock.monotonic()
            overdue = {
                name: sample.gone_stale(OVERDUE)
                for name, sample in self._latest.items()
                if sample.quality in {Quality.GOOD, Quality.SIMULATED}
                and now - self._asked[name] > self._good_for(name)
            }
            if overdue:
                self._latest.update(overdue)
                self._change(overdue)

    def _good_for(self, name: str) -> float:
        period = self._plan.periods.get(name, 0.0)
        return 3 * period + AGE_CHECK_S if period else ASKED_GOOD_S

    async def _poll(self, names: tuple[str, ...]) -> None:
        started = self._clock.monotonic()
        try:
            await self._read(names, started)
        except TurnTimeout as error:  # nothing was asked: the old values stay, and grow old
            self._tally.failed(error)
        self._tally.polled(self._clock.monotonic() - started)

    async def _again(self, names: tuple[str, ...], first: DriverError) -> Mapping[str, Any]:
        """Repeat once what was lost or garbled, since reading changes nothing."""
        self._tally.failed(first)
        try:
            return await self._whole(names)
        except BadReply as error:
            return self._all_bad(names, error)

    async def _whole(self, names: tuple[str, ...]) -> Mapping[str, Any]:
        """Read; a device that refuses as a whole is in trouble until it answers again."""
        self._tell(_question(names))
        try:
            values = await self._driver.read(names)
        except DeviceError as error:
            self._trouble(str(error))
            return dict.fromkeys(names, error)
        self._garbage = 0
        self._trouble("")
        return values

    def _all_bad(self, names: tuple[str, ...], error: BadReply) -> Mapping[str, Any]:
        self._garbage += 1
        if self._garbage >= GARBAGE_LIMIT:
            raise LinkClosed(
                Message(
                    "{count} polls in a row brought garbage: are baud rate and parity right? "
                    "The last: {error}",
                    count=GARBAGE_LIMIT,
                    error=str(error),
                )
            )
        return dict.fromkeys(names, error)

    def _sample(self, name: str, value: Any, time: float, mono: float) -> Sample:
        if isinstance(value, TurnTimeout) and name in self._latest:
            return self._latest[name].gone_stale(str(value))  # it was not asked: no worse than old
        if isinstance(value, DriverError):
            if not isinstance(value, NotMeasured):
                self._tally.failed(value)
            return Sample(None, Quality.BAD, time, str(value), mono)
        if isinstance(value, float) and not math.isfinite(value):
            return Sample(
                None, Quality.BAD, time, Message("the device says {value}", value=value), mono
            )
        return Sample(word(value), self._quality, time, "", mono)


def _raise(error: LinkError) -> None:
    raise error


@lru_cache(maxsize=1024)
def _question(names: tuple[str, ...]) -> str:
    """What the flight recorder is told of a read. Cached, for a device is asked the same for ever."""
    return f"read {' '.join(names)}"

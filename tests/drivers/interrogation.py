"""Asks a driver again and again while its replies meet their fates, and compares with the truth."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self

from drivers.driver import Driver
from drivers.errors import DriverError, LinkClosed, NotMeasured, WrongInstrument
from drivers.transport.link import Link, RegisterLink
from tests.drivers.bench import Bench, Recorder
from tests.drivers.every_driver import BENCHES, driver
from tests.drivers.faulty_cable import Cable, Dealt, Fate, link_over


class Station:
    """A driver, its instrument on the bench, the link between them, and what came of it."""

    def __init__(
        self,
        name: str,
        bench: Bench,
        link: Link | RegisterLink,
        timeouts: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self.bench, self.link = bench, link
        self.wrong: list[str] = []
        self.right = 0
        self.failures: list[DriverError] = []
        self._name, self._timeouts = name, timeouts
        self._is_in = False
        self._device: Driver[Any] | None = None

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.leave()

    @property
    def driver(self) -> Driver[Any]:
        assert self._device is not None, "it is not connected"
        return self._device

    async def connect(self) -> None:
        """Open the link anew and meet the device with a new driver, as the agent does."""
        await self.leave()
        await self.link.__aenter__()
        self._is_in = True
        device = driver(self._name).over(self.link, timeouts=self._timeouts)
        await device.meet()
        self._device = device

    async def leave(self) -> None:
        """Close the link, if it is open."""
        self._device = None
        if self._is_in:
            self._is_in = False
            await self.link.__aexit__(None, None, None)

    async def reconnect(self) -> bool:
        """Connect unless it is; return whether it is now. Noise must not make it a stranger."""
        if self._device is None:
            try:
                await self.connect()
            except WrongInstrument as error:
                self.wrong.append(f"identity: {error}")
            except DriverError as error:
                self.failures.append(error)
        return self._device is not None

    def asked(self) -> list[str]:
        """The readings that the instrument answers."""
        return [name for name in driver(self._name).readings if name not in self.bench.local]

    async def read(self, names: Sequence[str]) -> bool:
        """Read, and take down what is not true now; return whether all came and was true."""
        try:
            values = await self.driver.read(names)
        except DriverError as error:
            self.failures.append(error)
            if isinstance(error, LinkClosed):
                await self.leave()
            return False
        judgements = [self._judge(name, value) for name, value in values.items()]
        return all(judgements)

    def _judge(self, name: str, value: object) -> bool:
        if isinstance(value, DriverError) and not isinstance(value, NotMeasured):
            self.failures.append(value)
            return False
        if self.bench.resembles(name, value):
            self.right += 1
            return True
        self.wrong.append(f"{name} is {value!r}, and not {self.bench.truth()[name]!r}")
        return False

    async def interrogate(self, rounds: int = 12, names: Sequence[str] = ()) -> None:
        """Read all values, then some twice over, each time after the truth has changed.

        What is asked again at once has an answer of the same shape, which hides an old one best.
        """
        names = names or self.asked()
        for step in range(rounds):
            self.bench.stir(step)
            if await self.reconnect():
                few = [names[(step // 2 * 3 + i) % len(names)] for i in range(1 + step // 2 % 2)]
                await self.read(names if step % 6 == 0 else few)

    async def read_at_once(self) -> None:
        """Two callers read at the same time, as polling and a job do."""
        names = self.asked()
        async with asyncio.TaskGroup() as callers:
            for half in (names[::2], names[1::2]):
                callers.create_task(self.read(half))

    async def recovers(self) -> bool:
        """Return whether all is right again after two failures, or after a new connection."""
        for step in range(100, 106):
            self.bench.stir(step)
            if await self.reconnect() and await self.read(self.asked()):
                return True
            if step == 103:
                await self.leave()
        return False


class Virtual(Station):
    """A station in virtual time, whose replies meet the fates that a test deals."""

    def __init__(
        self, name: str, scheme: str, *, impostor: bool = False, faults: Dealt | None = None
    ) -> None:
        bench = BENCHES[name]()
        self.faults = faults or Dealt()
        there = bench.impostor(scheme) if impostor else bench.instrument(scheme)
        self.recorder = Recorder(there)
        self.cable = Cable(self.recorder, self.faults, clears=scheme.endswith("tcp"))
        super().__init__(name, bench, link_over(scheme, self.cable))

    @property
    def heard(self) -> list[bytes]:
        return self.recorder.heard

    @property
    def writes(self) -> int:
        return self.bench.writes(self.heard)

    async def interrogated(self, fates: Iterable[Fate], rounds: int = 12) -> bool:
        """Interrogate while the fates are dealt; return whether all is right when they end."""
        self.faults.fates.extend(fates)
        await self.interrogate(rounds)
        self.faults.clear()
        return await self.recovers()

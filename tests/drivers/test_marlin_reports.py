"""Temperatures that the printer sends by itself while a long command runs: never older than asked."""

from __future__ import annotations

import asyncio
from typing import Final

from drivers.errors import DriverError
from simulators.faults import Fault
from tests.drivers.benches_motion import PrinterBench
from tests.drivers.interrogation import Virtual
from tests.drivers.virtual_time import run

REPORT_S: Final = 2.0
"""How often the driver asks the firmware to report (M155 S2)."""
UNDER_WAY_S: Final = 0.1
"""Longer than the simulated cable and its instrument take to bring a report."""


class Heater:
    """The simulated nozzle: what its temperature was, and from when to when."""

    def __init__(self, station: Virtual) -> None:
        assert isinstance(station.bench, PrinterBench)
        self._nozzle = station.bench.printer._heaters["nozzle"]
        self._was: list[tuple[float, float]] = []
        self.stir()

    def stir(self) -> None:
        """Let it have another temperature, which it never has again."""
        now = asyncio.get_running_loop().time()
        temperature = 30.0 + len(self._was)
        self._nozzle.ambient = self._nozzle.temperature = temperature
        self._was.append((now, temperature))

    def age(self, value: float, now: float) -> float:
        """How many seconds ago it last had this temperature."""
        ends = [since for since, _ in self._was[1:]] + [now]
        (end,) = (e for (_, was), e in zip(self._was, ends, strict=True) if abs(was - value) < 0.5)
        return now - end


async def _waiting(station: Virtual) -> asyncio.Task[list[str]]:
    """A command that takes 20 s, from when the printer has it."""
    wire = station.driver.wire
    task = asyncio.get_running_loop().create_task(wire.command("G4 S20"), name="waiting")
    while not any(b"G4" in said for said in station.heard):
        await asyncio.sleep(0.01)
    return task


def test_a_poll_during_a_long_command_brings_what_was_said_after_it_was_asked() -> None:
    async def scenario() -> None:
        async with Virtual("printers.marlin", "serial") as station:
            heater = Heater(station)
            waiting = await _waiting(station)
            ages: list[float] = []
            while not waiting.done():
                heater.stir()
                loop = asyncio.get_running_loop()
                asked = loop.time()
                reading = loop.create_task(station.driver.read(["nozzle"]), name="poll")
                while not reading.done():
                    await asyncio.sleep(0.05)
                    heater.stir()
                value = (await reading)["nozzle"]
                now = loop.time()
                assert isinstance(value, float), value
                assert heater.age(value, now) <= now - asked + UNDER_WAY_S, (
                    "older than the question"
                )
                assert heater.age(value, now) <= REPORT_S + 1.0
                ages.append(now - asked)
            await waiting
            assert len(ages) >= 5
            assert max(ages) > 0.5, "a poll never had to wait for a report"

    run(scenario())


def test_a_poll_during_a_long_command_has_no_value_when_reports_stop_coming() -> None:
    async def scenario() -> None:
        async with Virtual("printers.marlin", "serial") as station:
            before = (await station.driver.read(["nozzle"]))["nozzle"]
            assert isinstance(before, float)
            waiting = await _waiting(station)
            station.faults.add(Fault(kind="lose", probability=1.0))
            try:
                value = (await station.driver.read(["nozzle"]))["nozzle"]
            except DriverError as error:
                value = error
            assert isinstance(value, DriverError)
            await asyncio.wait([waiting])
            assert isinstance(waiting.exception(), DriverError)

    run(scenario())

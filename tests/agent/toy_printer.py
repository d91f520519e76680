"""A toy printer, whose simulator a test turns the knobs of: for the commands that print and follow."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Any, Final

from agent.fleet.plan import Plan
from drivers import Bound, Driver, Limits, Profile, Reading, TextFile, command
from drivers.errors import DeviceError
from tests.agent.bench import named
from tests.agent.toy import ToyRef, ToyWire

LOOK_S = 0.01


class State(Enum):
    """What becomes of the toy's print."""

    IDLE = 0
    PRINTING = 1
    PAUSED = 2
    FAILED = 3
    CHECKING = 4


class Switched(Enum):
    """Whether the toy heats."""

    OFF = 0
    ON = 1
    UNKNOWN = 2


def _word(choices: type[Enum], word: str) -> ToyRef:
    return ToyRef(lambda raw: choices(int(float(raw))), lambda it: str(it.value), word)


def _number(word: str) -> ToyRef:
    return ToyRef(float, str, word)


class ToyPrinter(Driver[ToyWire]):
    """A toy printer.

    It prints as long as its simulator's `ends` is 0; then that says how the print has ended.
    """

    print_state = Reading(_word(State, "state"), State, every=0.05, doc="The print.")
    heaters = Reading(_word(Switched, "heat"), Switched, every=0.05, doc="Heaters.")
    nozzle = Reading(_number("temp"), float, unit="Cel", every=0.05, doc="Nozzle.")
    print_time_progress = Reading(_number("part"), float, unit="%", every=0.05, doc="Part.")
    print_left = Reading(_number("left"), float, unit="s", every=0.05, doc="Left.")

    @classmethod
    def admission_profile(cls, limits: Limits, profile: Profile) -> Profile:
        """What the toy may get: what the config says."""
        return profile

    @command(timeout=60)
    async def print(self, file: TextFile) -> dict[str, Any]:
        """Print a file."""
        survey = await file.survey()
        await self._set("state", State.PRINTING)
        while not (ends := await self.wire.ask("ends?")).startswith(("1", "2")):
            await asyncio.sleep(LOOK_S)
        await self._set("state", State.IDLE)
        if ends.startswith("2"):
            raise DeviceError(f"{file.name}: the print has failed: line 7 was the last one taken")
        return {"file": file.name, "sha256": survey.sha256, "seconds": 61.0}

    @command(timeout=5, anytime=True)
    async def pause(self) -> None:
        """Pause it."""
        await self._set("state", State.PAUSED)

    async def _set(self, word: str, value: Enum) -> None:
        await self.wire.ask(f"{word} {value.value}")


# What `ToySimulator.values` needs to be this printer's other end.
KNOBS: Final = {"state": 0.0, "heat": 0.0, "part": 0.0, "left": 68.0, "ends": 0.0}


def toy_printer(name: str = "printer1", nozzle: Bound | None = None) -> Plan:
    """The plan of a toy printer, which may heat its nozzle to this."""
    periods = {name: reading.every for name, reading in ToyPrinter.readings.items()}
    return named(
        name,
        driver_name="toy.printer",
        driver_class=ToyPrinter,
        periods=periods,
        profile=Profile(nozzle=nozzle),
    )

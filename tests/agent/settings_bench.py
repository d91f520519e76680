"""Two small drivers and a folder to write configs into, for the tests of the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Annotated, Any, ClassVar

import pytest

from agent.errors import ConfigError, Problem
from agent.settings import Station, load
from drivers import (
    Bound,
    Driver,
    Limits,
    Profile,
    Reading,
    Setting,
    Span,
    TextFile,
    catalogue,
    command,
)
from drivers.transport.link import Carried, Timeouts
from drivers.wire import Ref

REF: Ref[Any] = Ref(lambda raw: raw, lambda value: value)


class Words:
    """A wire of bytes that is never used: a config is checked without a device."""

    carried_by: ClassVar[Carried] = "bytes"
    timeouts = Timeouts()

    async def hello(self) -> str:
        raise NotImplementedError

    async def read(self, refs: Sequence[Ref[Any]]) -> list[Any]:
        raise NotImplementedError

    async def write(self, ref: Ref[Any], value: Any) -> None:
        raise NotImplementedError


class Registers(Words):
    carried_by: ClassVar[Carried] = "registers"


class Requests(Words):
    carried_by: ClassVar[Carried] = "requests"


class Supply(Driver[Words]):
    """A supply."""

    measured_voltage = Reading(REF, float, unit="V", doc="Voltage.")
    voltage = Setting(REF, float, unit="V", low=0, high=16, doc="Voltage.")
    output = Setting(REF, bool, doc="Whether it is on.")

    @command(timeout=1)
    async def ramp(self, to: Annotated[float, Span(0, 16, "V")]) -> None:
        """Move the voltage."""


class Oven(Driver[Registers]):
    """An oven."""

    temperature = Reading(REF, float, unit="Cel", doc="Temperature.")


class SerialPrinter(Driver[Words]):
    """A printer on a serial port."""

    nozzle_target = Setting(REF, float, unit="Cel", low=0, high=275, doc="Target.")
    bed_target = Setting(REF, float, unit="Cel", low=0, high=110, doc="Target.")

    @classmethod
    def admission_profile(cls, limits: Limits, profile: Profile) -> Profile:
        """The limits of its targets, as those of config have narrowed them."""
        hottest: dict[str, Any] = {}
        for name in ("nozzle", "bed"):
            span = limits.narrow(f"{name}_target", cls.readings[f"{name}_target"].form).span
            assert span.high is not None
            hottest[name] = Bound(span.high, span.high_source)
        return replace(profile, **hottest)

    @command(timeout=1)
    async def print(self, file: TextFile) -> None:
        """Print a file."""

    async def interrupt(self) -> None:
        """Stop at once."""


class NetworkPrinter(Driver[Requests]):
    """A printer on the network, which says where its nozzle is to go and takes no orders."""

    nozzle_target = Reading(REF, float, unit="Cel", doc="Target.")

    @classmethod
    def admission_profile(cls, limits: Limits, profile: Profile) -> Profile:
        """What the model can, which no setting tells."""
        return replace(profile, nozzle=Bound(300.0, "the model"))

    @command(timeout=1)
    async def print(self, file: TextFile) -> None:
        """Print a file."""

    async def interrupt(self) -> None:
        """Stop at once."""


TOYS = {
    "toy.printer": f"{__name__}:SerialPrinter",
    "toy.network": f"{__name__}:NetworkPrinter",
    "toy.supply": f"{__name__}:Supply",
    "toy.oven": f"{__name__}:Oven",
    "toy.broken": "tests.agent.no_such_module:Driver",
}


def use_toys(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(catalogue, "DRIVERS", TOYS)


def write(folder: Path, text: str, name: str = "station.yaml") -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(dedent(text), "utf-8")
    return file


def loaded(folder: Path, text: str) -> Station:
    return load(write(folder, text))


def problems(file: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(file)
    return caught.value.problems


def complaints(folder: Path, text: str) -> list[str]:
    """Each problem as it is printed, with `station.yaml` for the file's whole path."""
    return [str(problem).replace(f"{folder}/", "") for problem in problems(write(folder, text))]

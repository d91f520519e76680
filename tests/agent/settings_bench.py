"""Two small drivers and a folder to write configs into, for the tests of the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent
from typing import Annotated, Any, ClassVar, Literal

import pytest

from agent.errors import ConfigError, Problem
from agent.settings import Station, load
from drivers import Driver, Reading, Setting, Span, catalogue, command
from drivers.transport.link import Timeouts
from drivers.wire import Ref

REF: Ref[Any] = Ref(lambda raw: raw, lambda value: value)


class Words:
    """A wire of bytes that is never used: a config is checked without a device."""

    carried_by: ClassVar[Literal["bytes", "registers"]] = "bytes"
    timeouts = Timeouts()

    async def hello(self) -> str:
        raise NotImplementedError

    async def read(self, refs: Sequence[Ref[Any]]) -> list[Any]:
        raise NotImplementedError

    async def write(self, ref: Ref[Any], value: Any) -> None:
        raise NotImplementedError


class Registers(Words):
    carried_by: ClassVar[Literal["bytes", "registers"]] = "registers"


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


TOYS = {
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

"""What a device took and has not finished is neither done nor refused: nobody can know yet."""

from __future__ import annotations

from typing import Any

import pytest

from agent.fleet.samples import Status
from drivers.errors import Unfinished
from drivers.wire import Ref
from tests.agent.bench import station_in_memory
from tests.agent.toy import ToyWire


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    async def write(self: ToyWire, ref: Ref[Any], value: Any) -> None:
        raise Unfinished("it has taken the change and not finished it")

    monkeypatch.setattr(ToyWire, "write", write)


@pytest.mark.usefixtures("slow")
async def test_the_outcome_of_a_setting_that_goes_on_is_unknown() -> None:
    async with station_in_memory() as bench:
        outcome = await bench.fleet.workers["psu1"].set("voltage", 5.5)
    assert outcome.status is Status.UNKNOWN
    assert "has taken the change and not finished it; whether it was done is unknown" in (
        outcome.message
    )


@pytest.mark.usefixtures("slow")
async def test_a_command_that_ends_on_such_a_setting_is_unknown_too() -> None:
    async with station_in_memory() as bench:
        outcome = await bench.fleet.workers["psu1"].do("ramp", {"to": 3.0})
    assert outcome.status is Status.UNKNOWN

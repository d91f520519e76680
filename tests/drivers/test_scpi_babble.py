"""A serial instrument that does not fall silent: given up soon, in virtual time."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from drivers.errors import LinkError
from drivers.transport.stream import BABBLE_S
from tests.drivers.interrogation import Virtual
from tests.drivers.virtual_time import run

MARGIN_S: Final = 2.0
"""For what is asked before and after the wait for silence."""


@pytest.mark.parametrize("every", [0.01, 0.4])
def test_a_serial_instrument_that_babbles_is_given_up_soon(every: float) -> None:
    async def scenario() -> None:
        async with Virtual("siglent.spd1000x", "serial") as station:
            timeouts = station.driver.wire.timeouts
            station.faults.babble(b"5.001\n", every)
            await asyncio.sleep(1.0)
            began = asyncio.get_running_loop().time()
            with pytest.raises(LinkError):
                await station.driver.read(["measured_voltage"])
            took = asyncio.get_running_loop().time() - began
            assert took < timeouts.whole + BABBLE_S + MARGIN_S

    run(scenario())


def test_the_wait_for_silence_is_bounded() -> None:
    async def scenario() -> None:
        async with Virtual("siglent.spd1000x", "serial") as station:
            station.faults.babble(b"5.001\n", 0.05)
            await asyncio.sleep(1.0)
            began = asyncio.get_running_loop().time()
            with pytest.raises(LinkError, match="babbled for"):
                await station.cable.resync(0.5)
            assert asyncio.get_running_loop().time() - began <= 0.5 + BABBLE_S + 0.1

    run(scenario())

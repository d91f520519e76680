"""The Siglent supplies: the manual's dialogue, the simulator in this process, and on a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest

from drivers.driver import Identity
from drivers.errors import BadReply, DeviceError, OutOfRange, WrongInstrument
from drivers.forms import Limits, Span
from drivers.power.siglent_spd1000x import OneOutput, Regulation, Spd1000x, Spd1305x, status
from drivers.transport.link import Timeouts
from drivers.transport.memory import Loopback, Script
from drivers.transport.tcp import TcpLink
from simulators.serve import TcpServer
from simulators.siglent_spd1000x import SiglentSpd1000x
from tests.drivers.virtual_time import run

IDN = b"Siglent Technologies,SPD1168X,SPD13DCC6R0348,2.1.1.9,V1.0\n"
NO_ERROR = (b"SYST:ERR?\n", b"0 No Error\n")


class Bench:
    """A supply in this process whose clock is the loop's, with a record of what it was told."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.simulator = SiglentSpd1000x(load_ohm=10.0)
        self.link = Loopback(self._handle)
        self.supply = Spd1000x.over(self.link, limits=limits)
        self.told: list[tuple[float, str]] = []
        self._then = 0.0

    def _handle(self, data: bytes) -> bytes:
        now = asyncio.get_running_loop().time()
        self.simulator.advance(now - self._then)
        self._then = now
        self.told.append((now, data.decode().strip()))
        return self.simulator.handle(data)

    def volts_told(self) -> list[tuple[float, float]]:
        word = "CH1:VOLT "
        return [(at, float(what.removeprefix(word))) for at, what in self.told if word in what]


async def test_the_manual_s_dialogue() -> None:
    script = Script(
        (b"*IDN?\n", IDN),
        (b"MEAS:VOLT? CH1\n", b"30.000\n"),
        (b"MEAS:CURR? CH1\n", b"3.000\n"),
        (b"MEAS:POWE? CH1\n", b"90.000\n"),
        (b"SYST:STAT?\n", b"0x31\n"),
        (b"CH1:VOLT?\n", b"15.000\n"),
        (b"CH1:CURR?\n", b"0.500\n"),
    )
    async with script:
        supply = Spd1000x.over(script)
        assert await supply.meet("SPD13DCC6R0348") == Identity(
            IDN.decode().strip(), "SPD1168X", "SPD13DCC6R0348", "2.1.1.9,V1.0"
        )
        assert await supply.read(list(supply.readings)) == {
            "measured_voltage": 30.0,
            "measured_current": 3.0,
            "measured_power": 90.0,
            "regulation": Regulation.CONSTANT_CURRENT,
            "four_wire": True,
            "output": True,
            "voltage": 15.0,
            "current_limit": 0.5,
        }
    script.assert_finished()


@pytest.mark.parametrize("text", ["0x", "10", "0x10 ", "1x10", "0x1_0", "-0x10", "0xg"])
def test_a_status_is_hexadecimal_or_refused(text: str) -> None:
    with pytest.raises(BadReply):
        status(text)


@pytest.mark.parametrize("driver", [Spd1000x, Spd1305x])
async def test_the_other_model_is_refused(driver: type[OneOutput]) -> None:
    other = b"SPD1305X" if driver is Spd1000x else b"SPD1168X"
    async with Script((b"*IDN?\n", IDN.replace(b"SPD1168X", other))) as script:
        with pytest.raises(WrongInstrument, match="Siglent SPD1"):
            await driver.over(script).meet()


@pytest.mark.parametrize(("driver", "volts", "amps"), [(Spd1000x, 16, 8), (Spd1305x, 30, 5)])
def test_each_model_has_its_own_ranges(driver: type[OneOutput], volts: float, amps: float) -> None:
    assert driver.check_setting(Limits(), "voltage", volts) == volts
    assert driver.check_arguments(Limits(), "ramp", {"to": volts, "rate": 1})["to"] == volts
    with pytest.raises(OutOfRange):
        driver.check_setting(Limits(), "voltage", volts + 0.1)
    with pytest.raises(OutOfRange):
        driver.check_setting(Limits(), "current_limit", amps + 0.1)
    with pytest.raises(OutOfRange):
        driver.check_arguments(Limits(), "ramp", {"to": volts + 0.1, "rate": 1})


def test_settings_reach_the_instrument_and_come_back() -> None:
    async def use() -> None:
        bench = Bench()
        async with bench.link:
            await bench.supply.meet()
            await bench.supply.voltage.write(5.0)
            await bench.supply.current_limit.write(0.2)
            await bench.supply.output.write(True)
            await asyncio.sleep(1.0)
            assert await bench.supply.output.read()
            assert await bench.supply.measured_voltage.read() == 2.0
            assert await bench.supply.regulation.read() is Regulation.CONSTANT_CURRENT
            assert not await bench.supply.four_wire.read()

    run(use())


async def test_a_setting_that_was_dropped_is_noticed() -> None:
    async with Script(
        NO_ERROR, (b"CH1:VOLT 5.000\n", b""), NO_ERROR, (b"CH1:VOLT?\n", b"0.000\n")
    ) as script:
        with pytest.raises(DeviceError, match=r"CH1:VOLT\? says 0.000"):
            await Spd1000x.over(script).voltage.write(5.0)


def test_it_is_safe_when_the_output_is_off_twice_over() -> None:
    async def use() -> None:
        bench = Bench()
        async with bench.link:
            await bench.supply.output.write(True)
            for _ in range(2):
                await bench.supply.make_safe()
                assert not bench.simulator.output

    run(use())


async def test_it_is_not_called_safe_while_the_output_is_on() -> None:
    async with Script(
        NO_ERROR, (b"OUTP CH1,OFF\n", b""), NO_ERROR, (b"SYST:STAT?\n", b"0x10\n")
    ) as script:
        with pytest.raises(DeviceError, match=r"SYST:STAT\? says 0x10"):
            await Spd1000x.over(script).make_safe()


@pytest.mark.parametrize(("start", "to"), [(0.0, 4.0), (4.0, 1.6)])
def test_a_ramp_goes_in_even_steps_no_faster_than_asked(start: float, to: float) -> None:
    async def use() -> None:
        bench = Bench()
        bench.simulator.voltage, bench.simulator.output = start, True
        async with bench.link:
            assert await bench.supply.ramp(to, 2.0) == to
            steps = [(0.0, start), *bench.volts_told()]
            assert len(steps) == 1 + round(abs(to - start) / 2.0 / 0.2)
            for (then, before), (now, after) in list(pairwise(steps))[1:]:
                assert now - then == pytest.approx(0.2)
                assert abs(after - before) == pytest.approx(0.4, abs=0.002)
            assert asyncio.get_running_loop().time() == pytest.approx(abs(to - start) / 2.0)

    run(use())


def test_a_ramp_to_where_it_is_sets_nothing() -> None:
    async def use() -> None:
        bench = Bench()
        async with bench.link:
            await bench.supply.ramp(0.0, 1.0)
            assert bench.volts_told() == []

    run(use())


@pytest.mark.parametrize("call", [lambda s: s.ramp(5.0, 1.0), lambda s: s.voltage.write(5.0)])
def test_beyond_this_device_s_own_limit_nothing_is_sent(
    call: Callable[[Spd1000x], Coroutine[Any, Any, object]],
) -> None:
    async def use() -> None:
        bench = Bench(Limits({"voltage": Span(high=3.3, high_source="bench.yaml:7")}))
        async with bench.link:
            with pytest.raises(OutOfRange, match=r"5 V is above 3.3 V, the limit set by bench"):
                await call(bench.supply)
            assert bench.told == []

    run(use())


def test_a_ramp_that_is_broken_off_stays_where_it_is() -> None:
    async def use() -> None:
        bench = Bench()
        bench.simulator.output = True
        async with bench.link:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.1):
                    await bench.supply.ramp(10.0, 1.0)
            reached = bench.simulator.voltage
            await asyncio.sleep(1.0)
            assert 0.9 < bench.simulator.voltage == reached < 1.5
            await bench.supply.make_safe()
            assert not bench.simulator.output

    run(use())


@pytest.mark.lab
async def test_the_same_driver_works_on_a_socket() -> None:
    simulator = SiglentSpd1000x(load_ohm=10.0)
    async with TcpServer(simulator) as server, TcpLink(server.host, server.port) as link:
        supply = Spd1000x.over(link, timeouts={"first_byte": 1.0})
        assert supply.wire.timeouts == Timeouts(first_byte=1.0)
        await supply.meet("SPD1XHBD3R1168")
        await supply.output.write(True)
        assert await supply.ramp(1.0, 10.0) == pytest.approx(1.0, abs=0.01)
        await supply.make_safe()
        assert not simulator.output

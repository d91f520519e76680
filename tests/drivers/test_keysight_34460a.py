"""The Keysight 34460A: the manual's dialogue, the simulator in this process, and on a socket."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from drivers.errors import (
    BadReply,
    DeviceError,
    LinkTimeout,
    NotMeasured,
    OutOfRange,
    WrongInstrument,
)
from drivers.forms import Limits
from drivers.meters.keysight_34460a import Function, Integration, Keysight34460a
from drivers.transport.memory import Loopback, Script
from drivers.transport.tcp import TcpLink
from simulators.keysight_34460a import Keysight34460a as Simulated
from simulators.serve import TcpServer

IDN = b"Keysight Technologies,34460A,MY53200460,A.02.14-02.40-02.14-00.49-03-01\n"
NO_ERROR = (b"SYST:ERR?\n", b'+0,"No error"\n')


def simulated(**inputs: Callable[[], float]) -> Simulated:
    return Simulated(random.Random(0), inputs)


def beside(meter: Simulated) -> Loopback:
    """The meter in this process, where every measurement is over at once."""
    return Loopback(lambda data: meter.handle(data) + meter.advance(10.0))


async def test_the_manual_s_dialogue() -> None:
    async with Script(
        (b"*IDN?\n", IDN),
        (b"*ESR?\n", b"+128\n"),
        (b"FUNC?;:READ?\n", b'"VOLT";+1.04530000E+01\n'),
        (b"FUNC?\n", b'"VOLT"\n'),
        (b"VOLT:NPLC?\n", b"+1.00000000E+01\n"),
        (b"VOLT:RANG:AUTO?\n", b"1\n"),
    ) as script:
        meter = Keysight34460a.over(script)
        assert (await meter.meet("MY53200460")).firmware.startswith("A.02.14")
        assert await meter.read(
            ["voltage", "function", "voltage_integration", "voltage_autorange"]
        ) == {
            "voltage": 10.453,
            "function": Function.VOLTAGE_DC,
            "voltage_integration": Integration.CYCLES_10,
            "voltage_autorange": True,
        }


@pytest.mark.parametrize(
    ("maker", "model", "welcome"),
    [
        (b"Keysight", b"34460A", True),
        (b"Agilent", b"34460A", True),
        (b"Keysight", b"34461A", False),
        (b"Siglent", b"34460A", False),
    ],
)
async def test_it_is_met_under_the_names_of_both_makers(
    maker: bytes, model: bytes, welcome: bool
) -> None:
    idn = IDN.replace(b"Keysight", maker).replace(b"34460A", model)
    async with Script((b"*IDN?\n", idn)) as script:
        meter = Keysight34460a.over(script)
        if welcome:
            assert (await meter.meet()).model == "34460A"
        else:
            with pytest.raises(WrongInstrument):
                await meter.meet()


async def test_every_setting_of_the_simulator_comes_back() -> None:
    async with beside(simulated()) as link:
        meter = Keysight34460a.over(link)
        await meter.meet()
        for function in Function:
            await meter.function.write(function)
            assert await meter.function.read() is function
        for integration in Integration:
            for setting in (
                meter.voltage_integration,
                meter.current_integration,
                meter.resistance_integration,
            ):
                await setting.write(integration)
                assert await setting.read() is integration
        for switch in (
            meter.voltage_autorange,
            meter.current_autorange,
            meter.resistance_autorange,
        ):
            await switch.write(False)
            assert await switch.read() is False


async def test_each_command_selects_its_function_and_measures() -> None:
    inputs = {"VOLT": 1.5, "CURR": 0.02, "RES": 470.0, "FRES": 12.0}
    simulator = simulated(**{name: (lambda v=value: v) for name, value in inputs.items()})
    async with beside(simulator) as link:
        meter = Keysight34460a.over(link)
        assert await meter.measure_voltage_dc() == pytest.approx(1.5, rel=1e-3)
        assert await meter.measure_current_dc(0.1) == pytest.approx(0.02, rel=1e-3)
        assert await meter.measure_resistance(1000.0) == pytest.approx(470.0, rel=1e-3)
        assert await meter.measure_resistance_4_wire() == pytest.approx(12.0, rel=1e-3)
        assert await meter.function.read() is Function.RESISTANCE_4_WIRE
        assert await meter.resistance.read() == pytest.approx(12.0, rel=1e-3)


async def test_open_leads_are_an_overrange_and_no_number() -> None:
    async with beside(simulated()) as link:
        meter = Keysight34460a.over(link)
        with pytest.raises(DeviceError, match=r"MEAS:RES\?: overrange"):
            await meter.measure_resistance()
        values = await meter.read(["resistance", "function"])
        assert isinstance(values["resistance"], DeviceError)
        assert "overrange" in str(values["resistance"])
        assert values["function"] is Function.RESISTANCE


async def test_only_the_quantity_that_is_measured_has_a_value_and_one_message_brings_all() -> None:
    async with Script((b"FUNC?;:READ?\n", b'"CURR";+2.5E-02\n')) as script:
        values = await Keysight34460a.over(script).read(["voltage", "current", "resistance"])
        assert values["current"] == 0.025
        for name in ("voltage", "resistance"):
            assert isinstance(values[name], NotMeasured)
            assert "set to current_dc" in str(values[name])


@pytest.mark.parametrize("reply", [b"+2.5E-02", b'"VOLT"', b'"VOLT";', b"VOLT 5", b'"VOLT";1;2'])
async def test_a_reply_without_function_or_value_is_no_value(reply: bytes) -> None:
    async with Script((b"FUNC?;:READ?\n", reply + b"\n")) as script:
        (value,) = (await Keysight34460a.over(script).read(["voltage"])).values()
        assert isinstance(value, BadReply)


async def test_a_function_chosen_at_the_front_panel_is_named_and_no_reason_to_resynchronise() -> (
    None
):
    async with Script((b"FUNC?\n", b'"CONT"\n'), (b"VOLT:NPLC?\n", b"+2.0E-02\n")) as script:
        values = await Keysight34460a.over(script).read(["function", "voltage_integration"])
        assert isinstance(values["function"], DeviceError)
        assert '"CONT"' in str(values["function"])
        assert values["voltage_integration"] is Integration.CYCLES_0_02


async def test_an_integration_the_meter_does_not_have_is_no_value() -> None:
    async with Script((b"VOLT:NPLC?\n", b"+5.00000000E+00\n")) as script:
        with pytest.raises(BadReply):
            await Keysight34460a.over(script).voltage_integration.read()


async def test_a_function_is_sent_in_quotes() -> None:
    async with Script(NO_ERROR, (b'FUNC "FRES"\n', b""), NO_ERROR) as script:
        await Keysight34460a.over(script).function.write(Function.RESISTANCE_4_WIRE)
        script.assert_finished()


def test_more_than_the_terminals_bear_is_refused() -> None:
    for name, most in [("voltage_dc", 1000), ("current_dc", 3), ("resistance", 1e8)]:
        command = f"measure_{name}"
        Keysight34460a.check_arguments(Limits(), command, {"expected": most})
        with pytest.raises(OutOfRange):
            Keysight34460a.check_arguments(Limits(), command, {"expected": most * 1.01})


async def test_making_it_safe_sends_nothing() -> None:
    async with Script() as script:
        await Keysight34460a.over(script).make_safe()


@pytest.mark.lab
async def test_a_long_integration_is_waited_for_on_a_socket_and_others_are_not() -> None:
    simulator = simulated(VOLT=lambda: 1.5)
    async with TcpServer(simulator) as server, TcpLink(server.host, server.port) as link:
        meter = Keysight34460a.over(link, timeouts={"first_byte": 0.1})
        await meter.meet("MY53200460")
        await meter.voltage_integration.write(Integration.CYCLES_10)  # 0.17 s of 60 Hz
        assert await meter.voltage.read() == pytest.approx(1.5, rel=1e-3)
        with pytest.raises(LinkTimeout):
            await meter.wire.ask("READ?")

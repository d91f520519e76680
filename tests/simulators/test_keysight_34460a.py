"""The 34460A as the Truevolt Operating and Service Guide shows it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from simulators.keysight_34460a import Keysight34460a

APERTURE = 10 / 60  # seconds: 10 power-line cycles at 60 Hz


def meter_on(
    volts: float = 0.0, amps: float = 0.0, ohms: float = math.inf, seed: int = 1
) -> Keysight34460a:
    inputs: dict[str, Callable[[], float]] = {
        "VOLT": lambda: volts,
        "CURR": lambda: amps,
        "RES": lambda: ohms,
    }
    return Keysight34460a(random.Random(seed), inputs)


def reading(meter: Keysight34460a, query: str) -> float:
    assert meter.handle(f"{query}\n".encode()) == b""
    return float(meter.advance(10.0))


# Queries of the command reference, with the form of their answers.
DIALOGUE = [
    ("*IDN?", "Keysight Technologies,34460A,MY53200460,A.02.14-02.40-02.14-00.49-03-01"),
    ("*RST", None),
    ("*CLS", None),
    ("*ESR?", "+0"),
    ("CONF:VOLT:DC 10,0.00001", None),
    ("CONF?", '"VOLT +1.00000000E+01,+1.00000000E-05"'),
    ("VOLT:DC:RANG:AUTO?", "0"),
    ("SENS:VOLT:DC:NPLC 1", None),
    ("SENSe:VOLTage:DC:NPLC?", "+1.00000000E+00"),
    ("VOLT:RANG 5", None),
    ("VOLT:RANG?", "+1.00000000E+01"),
    ('SENS:FUNC "RES"', None),
    ("SENS:FUNC?", '"RES"'),
    ("CONF:CURR", None),
    ("FUNC?", '"CURR"'),
    ("SYST:VERS?", "1994.0"),
    ("*OPC?", "1"),
    ("SYST:ERR?", '+0,"No error"'),
]


def test_the_dialogue_of_the_manual() -> None:
    meter = meter_on()
    said = [meter.handle(f"{sent}\n".encode()).decode() for sent, _ in DIALOGUE]
    assert said == [f"{answer}\n" if answer else "" for _, answer in DIALOGUE]


def test_a_reading_comes_when_the_aperture_is_over_and_not_before() -> None:
    meter = meter_on(volts=5.0)
    assert meter.handle(b"READ?\n") == b""
    assert meter.advance(APERTURE - 0.001) == b""
    said = meter.advance(0.002)
    assert float(said) == pytest.approx(5.0, abs=1e-4)
    assert len(said) == len(b"+5.00000000E+00\n")


def test_more_cycles_take_longer() -> None:
    meter = meter_on()
    meter.handle(b"VOLT:NPLC 100;:READ?\n")
    assert meter.advance(1.6) == b""
    assert meter.advance(0.1) != b""


def test_commands_behind_a_reading_wait_for_it() -> None:
    meter = meter_on(volts=5.0)
    assert meter.handle(b"READ?\n*IDN?\n") == b""
    value, identity = meter.advance(1.0).splitlines()
    assert float(value) == pytest.approx(5.0, abs=1e-4)
    assert identity.startswith(b"Keysight")


def test_initiate_does_not_hold_others_but_fetch_waits() -> None:
    meter = meter_on(volts=5.0)
    assert meter.handle(b"INIT\nFUNC?\n") == b'"VOLT"\n'
    assert meter.handle(b"FETC?\n") == b""
    assert float(meter.advance(1.0)) == pytest.approx(5.0, abs=1e-4)
    assert meter.handle(b"FETC?\n") != b"", "the reading stays in memory"


def test_fetch_without_a_reading_is_an_error_and_no_answer() -> None:
    meter = meter_on()
    assert meter.handle(b"FETC?\n") == b""
    assert meter.handle(b"SYST:ERR?\n") == b'-230,"Data corrupt or stale"\n'


def test_a_changed_configuration_clears_the_reading() -> None:
    meter = meter_on(volts=5.0)
    meter.handle(b"INIT\n")
    meter.advance(1.0)
    assert meter.handle(b"CONF:RES;:FETC?\n") == b""
    assert meter.handle(b"SYST:ERR?\n").startswith(b"-230")


def test_initiate_twice_is_ignored_with_an_error() -> None:
    meter = meter_on()
    meter.handle(b"INIT;INIT\n")
    assert meter.handle(b"SYST:ERR?\n") == b'-213,"Init ignored"\n'


@pytest.mark.parametrize(
    ("query", "value"),
    [("MEAS:VOLT:DC?", 5.0), ("MEAS:CURR:DC?", 0.02), ("MEAS:RES?", 4700.0), ("MEAS?", 5.0)],
)
def test_each_function_measures_its_own_input(query: str, value: float) -> None:
    meter = meter_on(volts=5.0, amps=0.02, ohms=4700.0)
    assert reading(meter, query) == pytest.approx(value, rel=1e-4)


def test_open_leads_are_an_overload() -> None:
    meter = meter_on()
    meter.handle(b"MEAS:RES?\n")
    assert meter.advance(1.0) == b"+9.90000000E+37\n"


@pytest.mark.parametrize(
    ("volts", "said"), [(12.1, b"+9.90000000E+37\n"), (-12.1, b"-9.90000000E+37\n")]
)
def test_beyond_a_fixed_range_is_an_overload_with_its_sign(volts: float, said: bytes) -> None:
    meter = meter_on(volts=volts)
    meter.handle(b"CONF:VOLT 10;:READ?\n")
    assert meter.advance(1.0) == said


def test_a_range_reads_to_120_percent() -> None:
    meter = meter_on(volts=11.9)
    meter.handle(b"CONF:VOLT 10\n")
    assert reading(meter, "READ?") == pytest.approx(11.9, abs=1e-3)


@pytest.mark.parametrize(("volts", "full_scale"), [(0.05, 0.1), (0.5, 1.0), (11.9, 10), (50, 100)])
def test_autorange_takes_the_lowest_range_that_holds_the_input(
    volts: float, full_scale: float
) -> None:
    meter = meter_on(volts=volts)
    reading(meter, "MEAS:VOLT:DC?")
    assert float(meter.handle(b"VOLT:RANG?\n")) == full_scale


@pytest.mark.parametrize(
    ("asked", "cycles"), [("0.02", 0.02), ("0.5", 1), ("5", 10), ("MIN", 0.02), ("MAX", 100)]
)
def test_integration_is_the_next_longer_of_the_times_it_has(asked: str, cycles: float) -> None:
    meter = meter_on()
    assert float(meter.handle(f"VOLT:NPLC {asked};NPLC?\n".encode())) == cycles


@pytest.mark.parametrize(("asked", "full_scale"), [("MIN", 0.1), ("MAX", 1000), ("DEF", 10)])
def test_a_range_may_be_a_word(asked: str, full_scale: float) -> None:
    meter = meter_on()
    assert float(meter.handle(f"CONF:VOLT {asked};:VOLT:RANG?\n".encode())) == full_scale


def test_abort_ends_a_measurement_without_a_reading() -> None:
    meter = meter_on()
    assert meter.handle(b"INIT;ABOR;FETC?\n") == b""
    assert meter.handle(b"SYST:ERR?\n").startswith(b"-230")


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        ("VOLT:NPLC 101", "-222"),
        ("VOLT:RANG 1001", "-222"),
        ("CONF:VOLT 10,1e-9", "-222"),
        ("CONF:VOLT AUTO,0.001", "-221"),
        ("FUNC VOLT", "-104"),
        ('FUNC "WEIGHT"', "-224"),
        ("VOLT:RANG:AUTO MAYBE", "-224"),
        ("CONF:WEIGHT", "-113"),
    ],
)
def test_a_refusal_is_queued_and_changes_nothing(refused: str, code: str) -> None:
    meter = meter_on()
    before = meter.handle(b"CONF?;:VOLT:NPLC?\n")
    meter.handle(f"{refused}\n".encode())
    assert meter.handle(b"SYST:ERR?\n").decode().startswith(f"{code},")
    assert meter.handle(b"CONF?;:VOLT:NPLC?\n") == before


def test_noise_shrinks_with_integration_and_repeats_with_its_seed() -> None:
    def spread(nplc: str) -> float:
        meter = meter_on(volts=5.0)
        meter.handle(f"CONF:VOLT 10;:VOLT:NPLC {nplc}\n".encode())
        values = [reading(meter, "READ?") for _ in range(50)]
        return max(values) - min(values)

    assert 0 < spread("10") < spread("0.02") / 10
    assert spread("10") == spread("10")


def test_a_new_connection_forgets_the_answer_that_was_waiting() -> None:
    meter = meter_on(volts=5.0)
    meter.handle(b"READ?\n")
    meter.opened()
    assert meter.advance(1.0) == b""
    assert meter.handle(b"*IDN?\n").startswith(b"Keysight")

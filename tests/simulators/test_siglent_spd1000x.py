"""The SPD1168X as the User Manual of the SPD1000X shows it, on a resistor."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.siglent_spd1000x import SiglentSpd1000x


@pytest.fixture
def supply() -> SiglentSpd1000x:
    return SiglentSpd1000x(load_ohm=10.0, serial="SPD1XHBD3R1168")


def settled(supply: SiglentSpd1000x) -> SiglentSpd1000x:
    supply.advance(1.0)
    return supply


# Spellings as the manual's examples write them; with them, what it answers.
DIALOGUE = [
    ("*IDN?", "Siglent Technologies,SPD1168X,SPD1XHBD3R1168,1.01.01.02,V3.0"),
    ("*UNLOCK", None),
    ("*LOCK", None),
    ("INSTrument CH1", None),
    ("INSTrument?", "CH1"),
    ("CH1:VOLTage 15", None),
    ("CH1:VOLTage?", "15.000"),
    ("CH1:CURRent 0.5", None),
    ("CH1:CURRent?", "0.500"),
    ("OUTPut CH1,ON", None),
    ("OUTPut:WAVE CH1,ON", None),
    ("MODE:SET 4W", None),
    ("SYSTem:ERRor?", "0 No Error"),
    ("SYSTem:VERSion?", "1.01.01.02"),
    ("SYSTem:STATus?", "0x131"),
]


def test_the_dialogue_of_the_manual(supply: SiglentSpd1000x) -> None:
    said = [supply.handle(f"{sent}\n".encode()).decode() for sent, _ in DIALOGUE]
    assert said == [f"{answer}\n" if answer else "" for _, answer in DIALOGUE]


def test_measurements_are_what_the_load_takes(supply: SiglentSpd1000x) -> None:
    supply.handle(b"CH1:VOLT 5;CURR 1\nOUTP CH1,ON\n")
    settled(supply)
    assert supply.handle(b"MEAS:VOLT? CH1\n") == b"5.000\n"
    assert supply.handle(b"MEAS:CURR?\n") == b"0.500\n"
    assert supply.handle(b"MEASure:POWEr? ch1\n") == b"2.500\n"
    assert supply.handle(b"SYST:STAT?\n") == b"0x10\n"


def test_the_current_limit_turns_it_to_constant_current(supply: SiglentSpd1000x) -> None:
    supply.handle(b"CH1:VOLT 5;CURR 0.2\nOUTP CH1,ON\n")
    settled(supply)
    assert supply.handle(b"MEAS:VOLT?;CURR?\n") == b"2.000;0.200\n"
    assert supply.handle(b"SYST:STAT?\n") == b"0x11\n"


def test_the_terminals_follow_with_a_lag(supply: SiglentSpd1000x) -> None:
    supply.handle(b"CH1:VOLT 5\nOUTP CH1,ON\n")
    assert supply.handle(b"MEAS:VOLT?\n") == b"0.000\n"
    supply.advance(0.015)
    assert 2.5 < supply.terminal_volts < 4.5
    supply.handle(b"OUTP CH1,OFF\n")
    settled(supply)
    assert supply.handle(b"MEAS:VOLT?;CURR?\n") == b"0.000;0.000\n"


def test_open_terminals_have_voltage_and_no_current() -> None:
    supply = SiglentSpd1000x(load_ohm=math.inf)
    supply.handle(b"CH1:VOLT 16;CURR 0\nOUTP CH1,ON\n")
    settled(supply)
    assert supply.handle(b"MEAS:VOLT?;CURR?\n") == b"16.000;0.000\n"


@pytest.mark.parametrize("refused", ["VOLT 16.001", "VOLT -0.1", "CURR 8.001", "CURR -1"])
def test_out_of_range_is_an_error_and_changes_nothing(
    supply: SiglentSpd1000x, refused: str
) -> None:
    supply.handle(b"VOLT 3;CURR 2\n")
    supply.handle(f"CH1:{refused}\n".encode())
    assert supply.handle(b"VOLT?;CURR?\n") == b"3.000;2.000\n"
    assert supply.handle(b"SYST:ERR?\n") == b"-222 Data out of range\n"
    assert supply.handle(b"SYST:ERR?\n") == b"0 No Error\n"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("OUTP ON", -109),
        ("OUTP CH2,ON", -224),
        ("OUTP CH1,1", -224),
        ("OUTP? CH1", -113),
        ("*RST", -113),
        ("*OPC?", -113),
        ("CH2:VOLT 1", -113),
        ("MEAS:VOLT? CH2", -224),
        ("MODE:SET 3W", -224),
    ],
)
def test_what_the_manual_does_not_have_is_refused(
    supply: SiglentSpd1000x, sent: str, code: int
) -> None:
    assert supply.handle(f"{sent}\n".encode()) == b""
    assert supply.handle(b"SYST:ERR?\n").startswith(f"{code} ".encode())
    assert not supply.output


def test_settings_and_output_survive_a_new_connection(supply: SiglentSpd1000x) -> None:
    supply.handle(b"VOLT 3\nOUTP CH1,ON\nVOLT 4")
    assert supply.opened() == b""
    assert supply.handle(b"VOLT?\n") == b"3.000\n"
    assert supply.output


@given(st.integers(0, 16_000))
def test_every_setting_of_the_resolution_reads_back(millivolts: int) -> None:
    supply = SiglentSpd1000x()
    written = f"{millivolts / 1000:.3f}"
    assert supply.handle(f"VOLT {written};VOLT?\n".encode()) == f"{written}\n".encode()


@pytest.mark.parametrize("load", [0.0, -1.0, math.nan])
def test_a_load_without_resistance_is_refused(load: float) -> None:
    with pytest.raises(ValueError, match="load_ohm must be above 0 Ohm"):
        SiglentSpd1000x(load_ohm=load)

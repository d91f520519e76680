"""The simulated TK4: its registers as the manual has them, and a furnace that behaves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simulators.autonics_tk4 import OVEN, Alarm, Tk4
from simulators.furnace import AMBIENT, Furnace
from simulators.modbus import RtuBus, crc16

PV, POINT, UNIT, SV_SHOWN, HEATING, COOLING, INDICATORS = range(0x03E8, 0x03EF)
SV, MV, COOLING_MV, MANUAL, RUN_STOP = 0x0000, 0x0001, 0x0002, 0x0003, 0x0032
ALARM_1_HIGH, TUNE, BAND, INTEGRAL, DERIVATIVE = 0x0036, 0x0064, 0x0065, 0x0067, 0x0069
OUT1, TUNING, AL1, MAN = 1 << 3, 1 << 5, 1 << 9, 1 << 11
MINUTE = 60.0


class Master:
    """A master alone with one TK4 on the line, which speaks in values."""

    def __init__(self, tk4: Tk4) -> None:
        self.address = tk4.address
        self.bus = RtuBus([tk4])

    def ask(self, pdu: str) -> bytes:
        request = bytes([self.address]) + bytes.fromhex(pdu)
        answer = self.bus.handle(request + crc16(request))
        assert crc16(answer[:-2]) == answer[-2:]
        return answer[1:-2]

    def read(self, register: int) -> int:
        """A signed input register from 03E8 on, or a holding register below."""
        function = 4 if register >= 0x03E8 else 3
        answer = self.ask(f"{function:02X} {register:04X} 0001")
        assert answer[:2] == bytes([function, 2])
        return int.from_bytes(answer[2:], "big", signed=True)

    def write(self, register: int, value: int) -> None:
        pdu = f"06 {register:04X} {value & 0xFFFF:04X}"
        assert self.ask(pdu) == bytes.fromhex(pdu)

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.bus.advance(1.0)


def refused(master: Master, register: int, value: int) -> int:
    """The exception code that answers a write."""
    answer = master.ask(f"06 {register:04X} {value & 0xFFFF:04X}")
    assert answer[0] == 0x86
    return answer[1]


def test_the_monitor_registers_are_those_of_page_19_read_at_once() -> None:
    master = Master(Tk4(address=17))
    assert master.ask("04 03E8 0008") == bytes.fromhex(
        "04 10 0017 0000 0000 0000 0000 0000 0001 0000"
    )


def test_a_coil_that_does_not_exist_is_exception_2_as_in_the_manual() -> None:
    assert Master(Tk4(address=17)).ask("01 03E8 0001") == bytes.fromhex("81 02")


def test_the_model_name_and_serial_number_are_those_of_page_18() -> None:
    master = Master(Tk4(model="TK4S-T4RR", serial_number=0x12345678))
    answer = master.ask("04 0064 000E")
    assert answer[2:6] == bytes.fromhex("12345678")
    assert answer[10:].decode("ascii") == "TK4 T4RR" + 12 * " "


@pytest.mark.parametrize("function", ["08 0000 A537", "0F 0000 0001 01 00", "16 0000 00F2 0025"])
def test_functions_that_the_manual_does_not_have_are_exception_1(function: str) -> None:
    code = int(function[:2], 16)
    assert Master(Tk4()).ask(function) == bytes([code | 0x80, 1])


def test_a_broadcast_is_not_taken() -> None:
    tk4 = Tk4()
    stop_all = bytes.fromhex("00 05 0000 FF00")
    assert RtuBus([tk4]).handle(stop_all + crc16(stop_all)) == b""
    assert Master(tk4).read(RUN_STOP) == 0


@pytest.mark.parametrize("set_value", [150, 800, 1200])
def test_the_furnace_settles_at_the_set_value(set_value: int) -> None:
    master = Master(Tk4())
    master.write(SV, set_value)
    master.wait(30 * MINUTE)
    for _ in range(60):
        master.wait(1)
        assert abs(master.read(PV) - set_value) <= 1
    assert master.read(SV_SHOWN) == set_value
    assert 0 < master.read(HEATING) < 1000


def test_the_integral_waits_while_the_output_is_at_a_limit_so_that_nothing_overshoots() -> None:
    tk4 = Tk4()
    master = Master(tk4)
    seen: dict[int, list[float]] = {1200: [], 200: []}
    for set_value, temperatures in seen.items():
        master.write(SV, set_value)
        for _ in range(round(30 * MINUTE)):
            tk4.advance(1.0)
            temperatures.append(tk4.furnace.temperature)
    assert 1199.5 < max(seen[1200]) < 1201
    assert 190 < min(seen[200]) < 200.5


def test_the_oven_speaks_in_tenths_and_says_so() -> None:
    tk4 = Tk4(installation=OVEN)
    master = Master(tk4)
    master.write(SV, 1805)
    master.wait(20 * MINUTE)
    assert master.read(POINT) == 1
    assert abs(master.read(PV) - 1805) <= 1
    assert tk4.furnace.temperature == pytest.approx(180.5, abs=0.2)


def test_nothing_is_felt_in_the_furnace_before_the_dead_time_is_over() -> None:
    master = Master(Tk4())
    master.write(SV, 1000)
    master.wait(7)
    assert master.read(HEATING) == 1000
    assert master.read(PV) == AMBIENT
    master.wait(10)
    assert master.read(PV) > AMBIENT


def test_stop_switches_the_heating_off_at_once_and_the_furnace_cools_to_ambient() -> None:
    master = Master(Tk4())
    master.write(SV, 800)
    master.wait(20 * MINUTE)
    assert master.ask("05 0000 FF00") == bytes.fromhex("05 0000 FF00")
    assert master.read(HEATING) == 0
    assert master.read(RUN_STOP) == 1
    temperatures = [master.read(PV)]
    for _ in range(60):
        master.wait(MINUTE)
        temperatures.append(master.read(PV))
    assert temperatures[1:] == sorted(temperatures[1:], reverse=True)
    assert temperatures[-1] == AMBIENT
    master.write(RUN_STOP, 0)
    assert master.ask("01 0000 0002") == bytes.fromhex("01 01 00")
    master.wait(20 * MINUTE)
    assert abs(master.read(PV) - 800) <= 1


def test_a_broken_sensor_reads_open_and_switches_the_heating_off() -> None:
    tk4 = Tk4(alarm_1=Alarm.SENSOR_BREAK)
    master = Master(tk4)
    master.write(SV, 600)
    master.wait(15 * MINUTE)
    tk4.sensor_broken = True
    master.wait(1)
    assert (master.read(PV), master.read(HEATING)) == (31000, 0)
    assert master.read(INDICATORS) & AL1
    tk4.sensor_broken = False
    master.wait(15 * MINUTE)
    assert abs(master.read(PV) - 600) <= 1
    assert not master.read(INDICATORS) & AL1


@pytest.mark.parametrize(("temperature", "shown"), [(1351.0, 30000), (-200.5, -30000)])
def test_beyond_the_range_of_the_sensor_a_word_is_shown_and_not_heated(
    temperature: float, shown: int
) -> None:
    tk4 = Tk4()
    master = Master(tk4)
    master.write(SV, 100)
    tk4.furnace.temperature = temperature
    assert master.read(PV) == shown
    tk4.advance(0.1)
    assert master.read(HEATING) == 0


def test_a_welded_contact_overheats_the_furnace_and_the_deviation_alarm_tells() -> None:
    tk4 = Tk4(alarm_1=Alarm.DEVIATION_HIGH)
    master = Master(tk4)
    master.write(ALARM_1_HIGH, 50)
    master.write(SV, 300)
    master.wait(15 * MINUTE)
    assert not master.read(INDICATORS) & AL1
    tk4.furnace.stuck_power = 1.0
    while master.read(PV) < 350:
        assert not master.read(INDICATORS) & AL1
        master.bus.advance(0.1)
    assert master.read(INDICATORS) & AL1
    assert master.read(HEATING) == 0
    assert master.ask("02 0009 0001") == bytes.fromhex("02 01 01")


def test_an_absolute_alarm_goes_off_one_digit_below_its_level() -> None:
    tk4 = Tk4(alarm_1=Alarm.ABSOLUTE_HIGH)
    master = Master(tk4)
    master.ask("05 0000 FF00")
    master.write(ALARM_1_HIGH, 400)
    seen = []
    for temperature in (399.0, 400.0, 399.0, 398.0, 399.0):
        tk4.furnace.temperature = temperature
        tk4.advance(0.1)
        seen.append(bool(master.read(INDICATORS) & AL1))
    assert seen == [False, True, True, False, False]


def test_by_hand_the_output_stays_and_back_in_automatic_it_goes_on_without_a_bump() -> None:
    master = Master(Tk4())
    master.write(SV, 800)
    master.wait(20 * MINUTE)
    held = master.read(HEATING)
    master.write(MANUAL, 1)
    assert master.read(MV) == held
    master.write(MV, 300)
    master.wait(60 * MINUTE)
    assert master.read(PV) == AMBIENT + 0.3 * 1400
    assert master.read(INDICATORS) & (MAN | OUT1) == MAN | OUT1
    master.write(SV, 443)
    master.write(MANUAL, 0)
    master.wait(1)
    assert abs(master.read(HEATING) - 300) <= 10


def test_auto_tuning_oscillates_then_leaves_parameters_that_control() -> None:
    master = Master(Tk4())
    master.write(SV, 500)
    before = [master.read(register) for register in (BAND, INTEGRAL, DERIVATIVE)]
    assert before == [1120, 96, 4]
    assert master.ask("05 0001 FF00") == bytes.fromhex("05 0001 FF00")
    master.wait(MINUTE)
    assert master.read(INDICATORS) & TUNING
    master.wait(20 * MINUTE)
    assert master.read(TUNE) == 0
    assert [master.read(register) for register in (BAND, INTEGRAL, DERIVATIVE)] != before
    master.write(SV, 700)
    master.wait(30 * MINUTE)
    assert abs(master.read(PV) - 700) <= 1


def test_a_set_value_outside_its_limits_is_refused_and_changes_nothing() -> None:
    master = Master(Tk4())
    master.write(SV, 1200)
    assert [refused(master, SV, value) for value in (1201, -1, 31000)] == [3, 3, 3]
    assert master.read(SV) == 1200


@pytest.mark.parametrize(
    ("register", "value", "code"),
    [
        (MV, 500, 4),  # in automatic control
        (COOLING_MV, 1, 4),  # nothing cools
        (MANUAL, 2, 3),
        (RUN_STOP, -1, 3),
        (BAND, 0, 3),
        (INTEGRAL, 10000, 3),
        (0x0004, 0, 2),  # reserved
        (0x0100, 0, 2),
    ],
)
def test_what_cannot_be_written_is_refused(register: int, value: int, code: int) -> None:
    assert refused(Master(Tk4()), register, value) == code


def test_auto_tuning_is_refused_while_stopped_and_the_output_by_hand_too() -> None:
    master = Master(Tk4())
    master.write(RUN_STOP, 1)
    master.write(MANUAL, 1)
    assert master.ask("05 0001 FF00") == bytes.fromhex("85 04")
    assert refused(master, MV, 100) == 4


def test_pid_parameters_written_are_read_back_and_used() -> None:
    master = Master(Tk4())
    for register, value in ((BAND, 2000), (INTEGRAL, 0), (DERIVATIVE, 0)):
        master.write(register, value)
        assert master.read(register) == value
    master.write(SV, 123)
    master.wait(1)
    assert master.read(HEATING) == 500  # 100 K of a band of 200 K, and no integral


@pytest.mark.parametrize(
    "wrong",
    [lambda: Tk4(address=0), lambda: Tk4(address=100), lambda: Tk4(model="TM4-N2RB")],
)
def test_a_controller_that_cannot_be_bought_is_refused(wrong: Callable[[], Tk4]) -> None:
    with pytest.raises(ValueError, match="TK4"):
        wrong()


@pytest.mark.parametrize("step", [0.1, 0.5, 2.0])
def test_the_furnace_reaches_two_thirds_of_its_rise_after_lag_and_dead_time(step: float) -> None:
    furnace = Furnace(rise=1000, time_constant=100, dead_time=10)
    for _ in range(round(110 / step)):
        furnace.advance(step, 1.0)
    assert furnace.temperature - AMBIENT == pytest.approx(632.1, abs=8)

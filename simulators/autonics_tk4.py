"""Autonics TK4 temperature controller with RS-485, and the furnace that it heats.

Source of the register map: Autonics, "TK Series User Manual for Communication", section 2. The
manual writes 31001(03E8): a reference number from 1, and in brackets the address on the wire.

Read in the text of the manual (first edition, 26 pages):
  p. 5   Modbus RTU; broadcast is not supported.
  p. 17  coils 0000 RUN/STOP (1 is STOP), 0001 auto-tuning; discrete inputs 0000 to 000D.
  p. 18  input registers 0064 to 0071: serial number, versions, model name.
  p. 19  input registers 03E8 to 03EF; the bits of 03EE are the discrete inputs of p. 17.
  p. 21  holding registers 0064 AT, 0065 H-P (0.1 degrees), 0067 H-I, 0069 H-D (s).
  Contents: functions 01 to 06 and 16. No edition seen has function 08.
Not read there, but the same in the manual of the sister series KPN (ACM-E-0301-AB, p. 20) and in
a register list that others have drawn from MCT-TKC1-V1.7:
  holding registers 0000 to 0003, 0032, 0035, 0036.
  Serial line at delivery: 9600 baud, 8 data bits, no parity, 2 stop bits, answer after 20 ms.
From one public driver only, which quotes MCT-TKC1-V2.1: PV reads 31000 for OPEN, 30000 for HHHH
and -30000 for LLLL. The first edition has no such values.

Assumed, to be checked on hardware:
  A set value outside L-SV to H-SV, or any value outside its range, is exception 3.
  A reserved address is exception 2. The name is in ASCII, first letter in the high byte, padded
  with spaces, without the letter of the case size; versions are hundredths.
  Which letters of the ordering code have RS-485; T is one of them.
  H-MV and C-MV can be written in manual control only, and are exception 4 otherwise; so is
  auto-tuning while stopped or in manual control.
  A broken sensor, or one beyond its range, switches the heating off (error MV at 0.0 %).
  OUT1 lights while the heating output is above zero. Alarms go on working while stopped; a
  high alarm is off while the sensor is broken, that is the sensor break alarm's business.
  Input type, SV limits and alarm mode are set at the panel: their addresses could not be read.
Not simulated: cooling, multi-SV, ramps, digital inputs, alarm 2, heater current, manual reset.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Final

from simulators.furnace import Furnace
from simulators.heating_loop import FURNACE, OVEN, Installation
from simulators.modbus_registers import Cell, ExceptionCode, Refusal, RegisterMap

__all__ = ["FURNACE", "OVEN", "Alarm", "Installation", "Tk4"]

FUNCTIONS: Final = frozenset({1, 2, 3, 4, 5, 6, 16})
OPEN: Final = 31000
HHHH: Final = 30000
LLLL: Final = -30000
STEP: Final = 0.1
"""Seconds between two looks at the sensor; the device is faster, and the furnace far slower."""

_ALARM_HYSTERESIS: Final = 1
_ALARM_AT_DELIVERY: Final = 1550
_MODEL: Final = re.compile(r"(TK)(4)(?:S|SP|M|W|H|L|N)-([0-9A-Z]4)([RSC][NRC])")


class Alarm(Enum):
    """What alarm 1 watches, with a hysteresis of one digit."""

    OFF = "off"
    DEVIATION_HIGH = "deviation high"
    ABSOLUTE_HIGH = "absolute high"
    SENSOR_BREAK = "sensor break"


class Tk4:
    """One controller: a `Unit` for a bus, running with a set value of 0 as it comes from the box.

    `sensor_broken` is for the experimenter to set, and `furnace` to spoil. A `model` that is
    not one of the TK4 ordering codes, and an address outside 1 to 99, is a ValueError.
    """

    takes_broadcast = False

    def __init__(
        self,
        address: int = 1,
        model: str = "TK4S-T4RR",
        *,
        serial_number: int = 10_001,
        installation: Installation = FURNACE,
        alarm_1: Alarm = Alarm.DEVIATION_HIGH,
    ) -> None:
        if not 1 <= address <= 99:
            raise ValueError(f"a TK4 has an address from 1 to 99, not {address}")
        self.address = address
        self.sensor_broken = False
        self._panel = installation
        self._loop = installation.loop()
        self._alarm_1 = alarm_1
        self._alarm_1_on = False
        self._alarm_1_levels = {0x0035: _ALARM_AT_DELIVERY, 0x0036: _ALARM_AT_DELIVERY}
        self._due = 0.0
        self._registers = RegisterMap(
            coils={0x0000: self._run_stop(), 0x0001: self._auto_tuning()},
            discrete_inputs={i: Cell(partial(self._indicator, i)) for i in range(14)},
            input_registers=_identity(model, serial_number) | self._monitor(),
            holding_registers=self._control_settings() | self._other_settings(),
            functions=FUNCTIONS,
        )

    @property
    def furnace(self) -> Furnace:
        """The furnace that this controller heats."""
        return self._loop.furnace

    def answer(self, pdu: bytes) -> bytes:
        """Carry out one request PDU."""
        return self._registers.answer(pdu)

    def advance(self, dt: float) -> None:
        """Let the controller and its furnace go on for `dt` seconds, in steps of `STEP`."""
        self._due += dt
        while self._due >= STEP:
            self._due -= STEP
            self._loop.step(STEP, sensor_works=self._present_value() not in (OPEN, HHHH, LLLL))
            self._alarm_1_on = self._watch()

    def _present_value(self) -> int:
        """The temperature in digits, or the number that stands for OPEN, HHHH or LLLL."""
        if self.sensor_broken:
            return OPEN
        if self.furnace.temperature > self._panel.sensor_high:
            return HHHH
        if self.furnace.temperature < self._panel.sensor_low:
            return LLLL
        return self._panel.digits(self.furnace.temperature)

    def _watch(self) -> bool:
        value = self._present_value()
        if self._alarm_1 is Alarm.SENSOR_BREAK:
            return value == OPEN
        if self._alarm_1 is Alarm.OFF or value == OPEN:
            return False
        level = self._alarm_1_levels[0x0036]
        if self._alarm_1 is Alarm.DEVIATION_HIGH:
            level += self._panel.digits(self._loop.set_value)
        return value >= level - (_ALARM_HYSTERESIS if self._alarm_1_on else 0)

    def _indicators(self) -> int:
        """Bits from 0: °C, °F, %, OUT1, OUT2, AT, SV1, SV2, SV3, AL1, AL2, MAN, DI-1, DI-2."""
        lit = {
            0: True,
            3: self._loop.power > 0,
            5: self._loop.tuning,
            9: self._alarm_1_on,
            11: self._loop.manual,
        }
        return sum(1 << bit for bit, on in lit.items() if on)

    def _indicator(self, bit: int) -> int:
        return self._indicators() >> bit & 1

    def _set_value(self) -> int:
        return self._panel.digits(self._loop.set_value) & 0xFFFF

    def _output(self) -> int:
        return round(self._loop.power * 1000)

    def _monitor(self) -> dict[int, Cell]:
        return {
            0x03E8: Cell(lambda: self._present_value() & 0xFFFF),
            0x03E9: _constant(self._panel.decimals),
            0x03EA: _constant(0),
            0x03EB: Cell(self._set_value),
            0x03EC: Cell(self._output),
            0x03ED: _constant(0),
            0x03EE: Cell(self._indicators),
            0x03EF: _constant(0),
        }

    def _control_settings(self) -> dict[int, Cell]:
        return {
            0x0000: Cell(self._set_value, self._write_set_value),
            0x0001: Cell(self._output, self._write_output),
            0x0002: Cell(lambda: 0, _refuse),
            0x0003: _switch(
                lambda: self._loop.manual,
                lambda on: self._loop.by_hand() if on else self._loop.automatic(),
            ),
            0x0032: self._run_stop(),
            0x0064: self._auto_tuning(),
        }

    def _other_settings(self) -> dict[int, Cell]:
        level = self._alarm_1_levels
        return {
            0x0035: Cell(lambda: level[0x0035] & 0xFFFF, partial(self._write_level, 0x0035)),
            0x0036: Cell(lambda: level[0x0036] & 0xFFFF, partial(self._write_level, 0x0036)),
            0x0065: Cell(lambda: round(self._loop.pid.band * 10), self._write_band),
            0x0067: Cell(lambda: round(self._loop.pid.integral), self._write_integral),
            0x0069: Cell(lambda: round(self._loop.pid.derivative), self._write_derivative),
        }

    def _run_stop(self) -> Cell:
        return _switch(
            lambda: self._loop.stopped,
            lambda stop: self._loop.stop() if stop else self._loop.run(),
        )

    def _auto_tuning(self) -> Cell:
        return _switch(lambda: self._loop.tuning, self._write_tuning)

    def _write_tuning(self, on: bool) -> None:
        if not on:
            self._loop.leave_tuning()
        elif self._loop.stopped or self._loop.manual:
            _refuse(on)
        else:
            self._loop.tune()

    def _write_set_value(self, word: int) -> None:
        low, high = self._panel.digits(self._panel.sv_low), self._panel.digits(self._panel.sv_high)
        self._loop.set_value = _within(_signed(word), low, high) / 10.0**self._panel.decimals

    def _write_output(self, word: int) -> None:
        if self._loop.stopped or not self._loop.manual:
            _refuse(word)
        self._loop.power = _within(word, 0, 1000) / 1000

    def _write_level(self, address: int, word: int) -> None:
        self._alarm_1_levels[address] = _within(_signed(word), -1999, 9999)

    def _write_band(self, word: int) -> None:
        self._loop.pid.band = _within(word, 1, 9999) / 10

    def _write_integral(self, word: int) -> None:
        self._loop.pid.integral = _within(word, 0, 9999)

    def _write_derivative(self, word: int) -> None:
        self._loop.pid.derivative = _within(word, 0, 9999)


def _identity(model: str, serial_number: int) -> dict[int, Cell]:
    ordered = _MODEL.fullmatch(model)
    if ordered is None:
        raise ValueError(f"{model!r} is not an ordering code of the TK4 series")
    high, low = divmod(serial_number, 0x10000)
    name = [int.from_bytes(part.ljust(2).encode("ascii"), "big") for part in ordered.groups()]
    blank = int.from_bytes(b"  ", "big")
    values = [high, low, 100, 100, *name, *[blank] * 6]
    return {0x0064 + i: _constant(value) for i, value in enumerate(values)}


def _switch(read: Callable[[], bool], write: Callable[[bool], None]) -> Cell:
    return Cell(lambda: int(read()), lambda word: write(bool(_within(word, 0, 1))))


def _constant(value: int) -> Cell:
    return Cell(lambda: value)


def _within(value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE)
    return value


def _refuse(_word: int) -> None:
    raise Refusal(ExceptionCode.SERVER_DEVICE_FAILURE)


def _signed(word: int) -> int:
    return word - 0x10000 if word & 0x8000 else word

"""Siglent SPD1000X: programmable supplies with one output, 16 V and 8 A, or 30 V and 5 A.

Source: SPD1000X Series User Manual, chapter "Remote Control" (syntax conventions, command list,
the table of SYSTem:STATus? bits), and the chapter on specifications for ranges and resolution,
as pages of sister models and public drivers render them: the manual itself was not at hand.
It has neither *RST, *CLS nor *OPC?, and no query of the output: its state is a bit of
SYSTem:STATus?. It shows `0 No Error` as what SYSTem:ERRor? returns and lists no other code;
the codes here are those of SCPI-1999 21.8.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from simulators.scpi import (
    Answer,
    Command,
    Parser,
    ScpiError,
    Status,
    at_most,
    boolean,
    number,
)

RANGES: Final = {"SPD1168X": (16.0, 8.0), "SPD1305X": (30.0, 5.0)}
"""Highest volts and amperes that each model can be set to."""
SETTLING_S: Final = 0.015
"""Time constant with which the terminals follow a change."""


class SiglentSpd1000x:
    """The supply with a resistor of `load_ohm` on its terminals; `math.inf` means nothing.

    `model`, `serial` and `firmware` are what *IDN? and SYSTem:VERSion? tell.
    """

    def __init__(
        self,
        *,
        load_ohm: float = 10.0,
        model: str = "SPD1168X",
        serial: str = "SPD1XHBD3R1168",
        firmware: str = "1.01.01.02",
    ) -> None:
        if not load_ohm > 0:
            raise ValueError(f"load_ohm must be above 0 Ohm, not {load_ohm}")
        self.load_ohm = load_ohm
        self.identity = f"Siglent Technologies,{model},{serial},{firmware},V3.0"
        self.firmware = firmware
        self.max_volts, self.max_amps = RANGES[model]
        self.power_cycle()

    def power_cycle(self) -> None:
        """Start with the output off and 0 V, and forget what is half received."""
        self.voltage = 0.0
        self.current_limit = 1.0
        self.output = False
        self.four_wire = False
        self.waveform_display = False
        self.panel_locked = False
        self.terminal_volts = 0.0
        self.status = Status()
        self._parser = Parser(self._commands(), self.status)

    def opened(self) -> bytes:
        """Forget a half-received line; settings and output stay as they are."""
        self._parser.forget()
        return b""

    def handle(self, data: bytes) -> bytes:
        """Execute commands and return the answers of queries."""
        return self._parser.feed(data)

    def advance(self, dt: float) -> bytes:
        """Let the terminals follow the regulation for `dt` seconds; a supply never speaks first."""
        aim = self._regulated_volts() if self.output else 0.0
        self.terminal_volts += (aim - self.terminal_volts) * -math.expm1(-dt / SETTLING_S)
        return b""

    @property
    def amps(self) -> float:
        """Current into the load, in A."""
        return self.terminal_volts / self.load_ohm

    @property
    def constant_current(self) -> bool:
        """Whether the load would draw more than the limit, so that the current is regulated."""
        return self.output and self.voltage / self.load_ohm > self.current_limit

    def _regulated_volts(self) -> float:
        if self.constant_current:
            return self.current_limit * self.load_ohm
        return self.voltage

    def _commands(self) -> Mapping[str, Command]:
        return {
            "*IDN?": lambda p: self._tell(self.identity, p),
            "*LOCK": lambda p: self._lock(True, p),
            "*UNLOCK": lambda p: self._lock(False, p),
            "INSTrument": self._select,
            "INSTrument?": lambda p: self._tell("CH1", p),
            "MEASure:VOLTage?": lambda p: self._measured(self.terminal_volts, p),
            "MEASure:CURRent?": lambda p: self._measured(self.amps, p),
            "MEASure:POWEr?": lambda p: self._measured(self.terminal_volts * self.amps, p),
            "[CH1:]VOLTage": self._set_voltage,
            "[CH1:]VOLTage?": lambda p: self._tell(f"{self.voltage:.3f}", p),
            "[CH1:]CURRent": self._set_current,
            "[CH1:]CURRent?": lambda p: self._tell(f"{self.current_limit:.3f}", p),
            "OUTPut": self._set_output,
            "OUTPut:WAVE": self._set_waveform_display,
            "MODE:SET": self._set_wires,
            "SYSTem:ERRor?": self._error,
            "SYSTem:VERSion?": lambda p: self._tell(self.firmware, p),
            "SYSTem:STATus?": lambda p: self._tell(f"0x{self._status_bits():x}", p),
        }

    def _status_bits(self) -> int:
        """Bit 0 CC, bit 4 output on, bit 5 4-wire, bit 8 waveform display (SYSTem:STATus?)."""
        bits = {0: self.constant_current, 4: self.output, 5: self.four_wire}
        bits[8] = self.waveform_display
        return sum(1 << bit for bit, is_set in bits.items() if is_set)

    def _tell(self, answer: str, parameters: Sequence[str]) -> str:
        at_most(parameters, 0)
        return answer

    def _lock(self, locked: bool, parameters: Sequence[str]) -> None:
        at_most(parameters, 0)
        self.panel_locked = locked

    def _select(self, parameters: Sequence[str]) -> None:
        _channel(at_most(parameters, 1, 1)[0])

    def _measured(self, value: float, parameters: Sequence[str]) -> str:
        for parameter in at_most(parameters, 1):
            _channel(parameter)
        return f"{value:.3f}"

    def _set_voltage(self, parameters: Sequence[str]) -> None:
        self.voltage = round(_plain(parameters, self.max_volts), 3)

    def _set_current(self, parameters: Sequence[str]) -> None:
        self.current_limit = round(_plain(parameters, self.max_amps), 3)

    def _set_output(self, parameters: Sequence[str]) -> None:
        channel, state = at_most(parameters, 2, 2)
        _channel(channel)
        self.output = _on_or_off(state)

    def _set_waveform_display(self, parameters: Sequence[str]) -> None:
        channel, state = at_most(parameters, 2, 2)
        _channel(channel)
        self.waveform_display = _on_or_off(state)

    def _set_wires(self, parameters: Sequence[str]) -> None:
        wires = at_most(parameters, 1, 1)[0].upper()
        if wires not in ("2W", "4W"):
            raise ScpiError(-224)
        self.four_wire = wires == "4W"

    def _error(self, parameters: Sequence[str]) -> Answer:
        at_most(parameters, 0)
        code, text = self.status.next_error()
        return f"{code} {text or 'No Error'}"


def _channel(text: str) -> None:
    if text.upper() != "CH1":
        raise ScpiError(-224)


def _on_or_off(text: str) -> bool:
    if text in ("0", "1"):
        raise ScpiError(-224)  # the manual knows the words only
    return boolean(text)


def _plain(parameters: Sequence[str], high: float) -> float:
    return number(at_most(parameters, 1, 1)[0], 0.0, high)

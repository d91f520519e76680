"""Keysight 34460A: a bench multimeter of the Truevolt family, 6 1/2 digits.

Source: Truevolt Series DMM Operating and Service Guide, chapters "SCPI Programming Reference"
(CONFigure, MEASure, READ?, INITiate, FETCh?, SENSe, SYSTem, IEEE-488 Common Commands) and
"Output Data Format".
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from simulators.ieee488 import Common
from simulators.keysight_functions import (
    FUNCTIONS,
    LINE_HZ,
    Function,
    Setup,
    integration,
    integration_for,
    number_or_word,
)
from simulators.scpi import (
    Answer,
    Command,
    Parser,
    ScpiError,
    Status,
    WhenIdle,
    at_most,
    boolean,
    header,
    number,
)

OVERLOAD: Final = 9.9e37
"""What a reading is when the input is beyond the range."""


class Keysight34460a:
    """The meter with something on its terminals; readings have noise from `rng`.

    `inputs` gives for `VOLT`, `CURR`, `RES` and `FRES` what lies on the terminals, in V, A and
    Ohm, asked at the end of each integration. What is not given reads 0 V, 0 A or open leads.
    """

    def __init__(
        self,
        rng: random.Random,
        inputs: Mapping[str, Callable[[], float]] | None = None,
        *,
        serial: str = "MY53200460",
        firmware: str = "A.02.14-02.40-02.14-00.49-03-01",
    ) -> None:
        self._rng = rng
        self.inputs: dict[str, Callable[[], float]] = {
            "VOLT": lambda: 0.0,
            "CURR": lambda: 0.0,
            "RES": lambda: float("inf"),
            "FRES": lambda: float("inf"),
        } | dict(inputs or {})
        self.status = Status()
        self._common = Common(
            identity=f"Keysight Technologies,34460A,{serial},{firmware}",
            status=self.status,
            reset=self._reset,
        )
        self._reset()
        self._parser = Parser(self._commands(), self.status, lambda: self._left is None)

    def power_cycle(self) -> None:
        """Start with the settings of *RST and PON set, and forget what is half received."""
        self._reset()
        self.status.clear()
        self.status.events = 128
        self._parser.forget()

    def _reset(self) -> None:
        self.setups = {f.name: Setup(f.initial) for f in FUNCTIONS}
        self.function = FUNCTIONS[0]
        self._changed()

    def _changed(self) -> None:
        """A changed configuration ends a measurement and clears the reading memory."""
        self._left: float | None = None
        self._reading: float | None = None

    def opened(self) -> bytes:
        """Forget half-received lines and answers; set-up and a running measurement stay."""
        self._parser.forget()
        return b""

    def handle(self, data: bytes) -> bytes:
        """Execute commands; the answer of READ? comes out of `advance` when the aperture is over."""
        return self._parser.feed(data)

    def advance(self, dt: float) -> bytes:
        """Integrate for `dt` seconds, and answer what was waiting for the end of it."""
        if self._left is not None:
            self._left -= dt
            if self._left <= 0:
                self._left = None
                self._reading = self._measure()
        return self._parser.proceed()

    @property
    def setup(self) -> Setup:
        """The set-up of the function in use."""
        return self.setups[self.function.name]

    def _measure(self) -> float:
        """Take one reading: choose the range if that is automatic, see overload, add noise."""
        value, setup = self.inputs[self.function.name](), self.setup
        if setup.auto:
            setup.full_scale = self.function.autorange(abs(value), setup.full_scale)
        if abs(value) > self.function.reach(setup.full_scale):
            return math.copysign(OVERLOAD, value)
        return value + self._rng.gauss(0.0, setup.resolution)

    def _commands(self) -> Mapping[str, Command]:
        table: dict[str, Command] = {
            **self._common.commands(),
            "CONFigure?": self._configuration,
            "READ?": self._read,
            "INITiate[:IMMediate]": self._initiate,
            "FETCh?": self._fetch,
            "ABORt": self._abort,
            "[SENSe:]FUNCtion[:ON]": self._select,
            "[SENSe:]FUNCtion[:ON]?": lambda p: _only(f'"{self.function.name}"', p),
            "SYSTem:ERRor[:NEXT]?": self._error,
            "SYSTem:VERSion?": lambda p: _only("1994.0", p),
        }
        for function in FUNCTIONS:
            table |= self._commands_of(function)
        return table

    def _commands_of(self, function: Function) -> Mapping[str, Command]:
        sense = f"[SENSe:]{function.header}"

        def setup() -> Setup:
            return self.setups[function.name]

        return {
            f"CONFigure{function.short}": lambda p: self._configure(function, p),
            f"MEASure{function.short}?": lambda p: self._configure_and_read(function, p),
            f"{sense}:NPLC": lambda p: self._set_nplc(setup(), p),
            f"{sense}:NPLC?": lambda p: _only(real(setup().nplc), p),
            f"{sense}:RANGe[:UPPer]": lambda p: self._set_range(function, p),
            f"{sense}:RANGe[:UPPer]?": lambda p: _only(real(setup().full_scale), p),
            f"{sense}:RANGe:AUTO": lambda p: self._set_auto(setup(), p),
            f"{sense}:RANGe:AUTO?": lambda p: _only(str(int(setup().auto)), p),
        }

    def _configure(self, function: Function, parameters: Sequence[str]) -> None:
        """CONFigure: the function with default values, then the range and resolution asked for."""
        setup = Setup(function.initial)
        given = at_most(parameters, 2)
        asked_range, asked_resolution = [*given, *("AUTO", "DEF")[len(given) :]]
        if asked_range.upper() not in ("AUTO", "DEF", "DEFAULT"):
            setup.auto = False
            setup.full_scale = _range(function, asked_range)
            setup.nplc = integration_for(asked_resolution, setup.full_scale)
        elif asked_resolution.upper() not in ("DEF", "DEFAULT"):
            raise ScpiError(-221)
        self.function, self.setups[function.name] = function, setup
        self._changed()

    def _configure_and_read(self, function: Function, parameters: Sequence[str]) -> Answer:
        self._configure(function, parameters)
        return self._read([])

    def _configuration(self, parameters: Sequence[str]) -> str:
        setup = self.setup
        text = f'"{self.function.name} {real(setup.full_scale)},{real(setup.resolution)}"'
        return _only(text, parameters)

    def _initiate(self, parameters: Sequence[str]) -> None:
        at_most(parameters, 0)
        if self._left is not None:
            raise ScpiError(-213)
        self._reading = None
        self._left = self.setup.nplc / LINE_HZ

    def _read(self, parameters: Sequence[str]) -> Answer:
        self._initiate(parameters)
        return WhenIdle(self._fetched)

    def _fetch(self, parameters: Sequence[str]) -> Answer:
        at_most(parameters, 0)
        return WhenIdle(self._fetched)

    def _fetched(self) -> str:
        if self._reading is None:
            raise ScpiError(-230)
        return real(self._reading)

    def _abort(self, parameters: Sequence[str]) -> None:
        at_most(parameters, 0)
        self._left = None

    def _select(self, parameters: Sequence[str]) -> None:
        """Take the function from its quoted header, such as "VOLT:DC" (SENSe:FUNCtion)."""
        quoted = at_most(parameters, 1, 1)[0]
        if quoted[:1] not in ("'", '"'):
            raise ScpiError(-104)
        for function in FUNCTIONS:
            if header(function.header).fullmatch(quoted[1:-1]):
                self.function = function
                return self._changed()
        raise ScpiError(-224)

    def _set_nplc(self, setup: Setup, parameters: Sequence[str]) -> None:
        setup.nplc = integration(at_most(parameters, 1, 1)[0])
        self._changed()

    def _set_range(self, function: Function, parameters: Sequence[str]) -> None:
        setup = self.setups[function.name]
        setup.full_scale = _range(function, at_most(parameters, 1, 1)[0])
        setup.auto = False
        self._changed()

    def _set_auto(self, setup: Setup, parameters: Sequence[str]) -> None:
        setup.auto = boolean(at_most(parameters, 1, 1)[0])
        self._changed()

    def _error(self, parameters: Sequence[str]) -> str:
        code, text = self.status.next_error()
        return _only(f'{code:+d},"{text or "No error"}"', parameters)


def real(value: float) -> str:
    """Write a number as every reading and real setting of the family is written."""
    return f"{value:+.8E}"


def _range(function: Function, text: str) -> float:
    low, high = function.ranges[0], function.ranges[-1]
    words = ("MIN", "MINIMUM", "MAX", "MAXIMUM", "DEF", "DEFAULT")
    if text.upper() in words:
        return number_or_word(text, low, high, function.initial)
    return function.fitting(number(text, -high, high))


def _only(answer: str, parameters: Sequence[str]) -> str:
    at_most(parameters, 0)
    return answer

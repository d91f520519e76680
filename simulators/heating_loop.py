"""A furnace under control: automatic, by hand, tuning itself, or stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simulators.furnace import Furnace, Pid, RelayTuner

__all__ = ["FURNACE", "OVEN", "HeatingLoop", "Installation"]


class HeatingLoop:
    """What a one-loop controller does with its furnace; powers are 0 to 1, temperatures °C.

    It begins in automatic control with a set value of 0 °C.
    """

    def __init__(self, furnace: Furnace, pid: Pid) -> None:
        self.furnace = furnace
        self.pid = pid
        self.set_value = 0.0
        self.power = 0.0
        self.stopped = False
        self.manual = False
        self._tuner: RelayTuner | None = None

    @property
    def tuning(self) -> bool:
        """Whether auto-tuning is running."""
        return self._tuner is not None

    def step(self, dt: float, *, sensor_works: bool) -> None:
        """Heat for `dt` seconds, then decide the power for the next."""
        self.furnace.advance(dt, self.power)
        self.power = self._decide(dt, sensor_works=sensor_works)

    def stop(self) -> None:
        """Switch the heating off, and leave it off."""
        self._tuner = None
        self.stopped = True
        self.power = 0.0

    def run(self) -> None:
        """Go on after `stop`."""
        if self.stopped:
            self.pid.reset()
        self.stopped = False

    def by_hand(self) -> None:
        """Keep the present power from now on, whatever the temperature."""
        self._tuner = None
        self.manual = True

    def automatic(self) -> None:
        """Let the PID controller go on from the present power."""
        if self.manual:
            self.pid.take_over(self.set_value, self.furnace.temperature, self.power)
        self.manual = False

    def tune(self) -> None:
        """Begin auto-tuning, if it is not running; at its end the controller has new parameters."""
        if self._tuner is None:
            self._tuner = RelayTuner()

    def leave_tuning(self) -> None:
        """Go back to the parameters there were before `tune`."""
        self._tuner = None

    def _decide(self, dt: float, *, sensor_works: bool) -> float:
        if self.stopped:
            return 0.0
        if self.manual:
            return self.power
        if not sensor_works:
            self.pid.reset()
            return 0.0
        if self._tuner is None:
            return self.pid.output(self.set_value, self.furnace.temperature, dt)
        power = self._tuner.output(self.set_value, self.furnace.temperature, dt)
        if (tuned := self._tuner.result()) is not None:
            self._tuner, self.pid = None, tuned
        return power


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A controller's sensor and limits as set at its panel, and the furnace it is wired to.

    Temperatures are in °C, times in s. `decimals` is the place of the decimal point in every
    temperature register; `band`, `integral` and `derivative` are the PID parameters.
    """

    sensor_low: float
    sensor_high: float
    decimals: int
    sv_low: float
    sv_high: float
    rise: float
    time_constant: float
    dead_time: float
    band: float
    integral: float
    derivative: float

    def digits(self, temperature: float) -> int:
        """A temperature as its register has it: an integer, the decimal point left out."""
        return round(temperature * 10.0**self.decimals)

    def loop(self) -> HeatingLoop:
        """A cold furnace with its controller."""
        return HeatingLoop(
            Furnace(rise=self.rise, time_constant=self.time_constant, dead_time=self.dead_time),
            Pid(band=self.band, integral=self.integral, derivative=self.derivative),
        )


FURNACE: Final = Installation(
    sensor_low=-200, sensor_high=1350, decimals=0, sv_low=0, sv_high=1200,
    rise=1400, time_constant=300, dead_time=8, band=112, integral=96, derivative=4,
)  # fmt: skip
"""A chamber furnace to 1200 °C with a K(CA).H thermocouple, whole degrees."""

OVEN: Final = Installation(
    sensor_low=-199.9, sensor_high=999.9, decimals=1, sv_low=0, sv_high=300,
    rise=350, time_constant=120, dead_time=4, band=35, integral=48, derivative=2,
)  # fmt: skip
"""A drying oven to 300 °C with a K(CA).L thermocouple, tenths of a degree."""

"""An electric furnace, and what is in a controller that heats it: PID and auto-tuning.

The furnace is the textbook plant for temperature control: first-order lag plus dead time
(Åström and Hägglund, "Advanced PID Control", 2006, section 2.3).
"""

from __future__ import annotations

import math
from collections import deque

__all__ = ["AMBIENT", "Furnace", "Pid", "RelayTuner"]

AMBIENT = 23.0
"""Temperature of the room, °C."""


class Furnace:
    """A chamber whose temperature follows the heating power late and slowly.

    `rise` is how far above ambient full power brings it in the end (K), `time_constant` the
    lag and `dead_time` the delay before power is felt (s).
    """

    def __init__(self, *, rise: float, time_constant: float, dead_time: float) -> None:
        self.temperature = AMBIENT
        self.stuck_power: float | None = None
        """Power that the heater gets whatever is asked: 0 burnt out, 1 a welded contact."""
        self._rise = rise
        self._time_constant = time_constant
        self._dead_time = dead_time
        self._on_its_way: deque[tuple[float, float]] = deque()
        self._delayed = 0.0
        self._felt = 0.0

    def advance(self, dt: float, power: float) -> None:
        """Heat with `power` (0 to 1) for `dt` seconds, which should be short beside the dead time."""
        self._on_its_way.append((dt, power if self.stuck_power is None else self.stuck_power))
        self._delayed += dt
        while self._on_its_way and self._delayed - self._on_its_way[0][0] >= self._dead_time:
            arrived, self._felt = self._on_its_way.popleft()
            self._delayed -= arrived
        settled = AMBIENT + self._rise * self._felt
        decay = math.exp(-dt / self._time_constant)
        self.temperature = settled + (self.temperature - settled) * decay


class Pid:
    """A PID controller of the kind on a front panel: proportional band, integral and derivative time.

    `band` is the deviation that alone asks for full power (K); `integral` and `derivative` are
    times (s), and 0 switches that part off. The derivative acts on the measured value, so that a
    new set value does not kick, and the integral waits while the output is at its limit.
    """

    def __init__(self, *, band: float, integral: float, derivative: float) -> None:
        self.band = band
        self.integral = integral
        self.derivative = derivative
        self._accumulated = 0.0
        self._slope = 0.0
        self._previous: float | None = None

    def output(self, set_value: float, measured: float, dt: float) -> float:
        """Power to heat with, 0 to 1, after `dt` seconds in which `measured` came about."""
        self._follow_slope(measured, dt)
        if self.integral == 0:
            self._accumulated = 0.0
        deviation = set_value - measured
        wanted = (deviation - self.derivative * self._slope) / self.band + self._accumulated
        power = min(max(wanted, 0.0), 1.0)
        winding_up = (wanted > 1.0 and deviation > 0) or (wanted < 0.0 and deviation < 0)
        if self.integral > 0 and not winding_up:
            self._accumulated += deviation / self.band * dt / self.integral
        return power

    def reset(self) -> None:
        """Begin anew, as after a stop."""
        self._accumulated = 0.0
        self._previous = None
        self._slope = 0.0

    def take_over(self, set_value: float, measured: float, power: float) -> None:
        """Go on from `power` without a bump, after somebody else has had the heater."""
        self.reset()
        if self.integral > 0:
            self._accumulated = power - (set_value - measured) / self.band

    def _follow_slope(self, measured: float, dt: float) -> None:
        if self._previous is not None:
            smoothing = dt / (dt + self.derivative / 8)
            self._slope += smoothing * ((measured - self._previous) / dt - self._slope)
        self._previous = measured


class RelayTuner:
    """Finds PID parameters by full-power ON/OFF control around the set value.

    The second whole oscillation gives ultimate gain and period (Åström and Hägglund 1984); from
    them come the parameters by Tyreus and Luyben's rule for PI. Their rule for PID is not used:
    far below half power the oscillation is lopsided and its period too long to derive by.
    """

    _OSCILLATIONS = 2

    def __init__(self) -> None:
        self._heating = True
        self._elapsed = 0.0
        self._switched_on: list[float] = []
        self._highest = -math.inf
        self._lowest = math.inf

    def output(self, set_value: float, measured: float, dt: float) -> float:
        """Power to heat with, 0 or 1."""
        self._elapsed += dt
        if len(self._switched_on) >= self._OSCILLATIONS:
            self._highest = max(self._highest, measured)
            self._lowest = min(self._lowest, measured)
        if self._heating and measured > set_value:
            self._heating = False
        elif not self._heating and measured < set_value:
            self._heating = True
            self._switched_on.append(self._elapsed)
        return float(self._heating)

    def result(self) -> Pid | None:
        """A controller with what was found, or None while the oscillations go on."""
        if len(self._switched_on) <= self._OSCILLATIONS:
            return None
        period = self._switched_on[-1] - self._switched_on[-2]
        amplitude = (self._highest - self._lowest) / 2
        ultimate_gain = 4 * 0.5 / (math.pi * amplitude)
        return Pid(band=3.2 / ultimate_gain, integral=2.2 * period, derivative=0.0)

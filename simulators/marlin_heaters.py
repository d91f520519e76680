"""A heater, its load and its sensor, with the thermal protection of the firmware.

Source: marlinfw.org, Configuration, "Temperature" and "Thermal Protection" (maximum
temperatures, watch period, hysteresis), and the pages of M104, M105 and M109.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

TICK = 0.1
"""Seconds between two corrections of the heater's duty."""

_GAIN = 0.1
"""Duty per degree of error, on top of the duty that holds the target."""

_WATCH_RISE = 2.0
_RUNAWAY_FALL = 4.0


@dataclass(frozen=True, kw_only=True)
class HeaterSpec:
    """What a heater is made of: W, J/K and W/K, its limit in degrees Celsius, its guards in s."""

    label: str
    power: float
    heat_capacity: float
    loss: float
    max_temperature: float
    overshoot: float
    watch_period: float
    runaway_period: float


NOZZLE = HeaterSpec(
    label="0",
    power=40.0,
    heat_capacity=12.0,
    loss=0.14,
    max_temperature=275.0,
    overshoot=15.0,
    watch_period=20.0,
    runaway_period=40.0,
)
BED = HeaterSpec(
    label="bed",
    power=220.0,
    heat_capacity=700.0,
    loss=1.6,
    max_temperature=125.0,
    overshoot=10.0,
    watch_period=60.0,
    runaway_period=20.0,
)


@dataclass
class Heater:
    """One heating loop of first order: C dT/dt = duty P - loss (T - ambient).

    `broken` is a heater that gives no heat; `welded` is a switch that no longer opens.
    """

    spec: HeaterSpec
    ambient: float
    protected: bool = True
    temperature: float = field(init=False)
    target: float = 0.0
    duty: float = 0.0
    broken: bool = False
    welded: bool = False
    _reached: bool = False
    _watch_goal: float = 0.0
    _unwell_for: float = 0.0

    def __post_init__(self) -> None:
        """Start at the temperature of the room."""
        self.temperature = self.ambient

    def aim(self, celsius: float) -> None:
        """Set the target. Like the firmware, cut it to the highest that it may be asked for."""
        self.target = max(0.0, min(celsius, self.spec.max_temperature - self.spec.overshoot))
        self._reached = self.temperature >= self.target
        self._watch_goal = self.temperature + _WATCH_RISE
        self._unwell_for = 0.0
        self._correct()

    def advance(self, dt: float) -> str | None:
        """Let time pass; return the fault that the firmware's protection found, if any.

        The duty is that of the beginning: `dt` is at most `TICK` while the heater is at work.
        """
        settles_at = self.ambient + self._heat() / self.spec.loss
        if settles_at != self.temperature:
            decay = math.exp(-dt * self.spec.loss / self.spec.heat_capacity)
            self.temperature = settles_at + (self.temperature - settles_at) * decay
        self._correct()
        if not self.protected:
            return None
        if self.temperature > self.spec.max_temperature:
            return "MAXTEMP triggered"
        return self._watch(dt) if self.target > 0 else None

    def _heat(self) -> float:
        if self.broken:
            return 0.0
        return self.spec.power * (1.0 if self.welded else self.duty)

    def _correct(self) -> None:
        if self.target <= 0:
            self.duty = 0.0
            return
        holding = self.spec.loss * (self.target - self.ambient) / self.spec.power
        self.duty = min(1.0, max(0.0, holding + _GAIN * (self.target - self.temperature)))

    def _watch(self, dt: float) -> str | None:
        self._reached = self._reached or self.temperature >= self.target - 0.5
        if self._reached:
            well = self.temperature >= self.target - _RUNAWAY_FALL
            patience, fault = self.spec.runaway_period, "Thermal Runaway"
        else:
            well = self.temperature >= self._watch_goal
            patience, fault = self.spec.watch_period, "Heating failed"
        if well:
            self._watch_goal = min(self.temperature + _WATCH_RISE, self.target)
            self._unwell_for = 0.0
            return None
        self._unwell_for += dt
        return fault if self._unwell_for > patience else None


@dataclass
class Settling:
    """Whether a heater has been near its target for long enough (TEMP_RESIDENCY_TIME)."""

    heater: Heater
    cooling_too: bool
    residency: float = 10.0
    window: float = 1.0
    hysteresis: float = 3.0
    _near_since: float | None = None

    def done(self, now: float) -> bool:
        """Look at the heater at time `now`, in s; True once the wait is over."""
        error = abs(self.heater.temperature - self.heater.target)
        if not self.cooling_too and self.heater.temperature > self.heater.target + self.window:
            return True
        if self._near_since is None and error <= self.window:
            self._near_since = now
        elif error > self.hysteresis:
            self._near_since = None
        return self._near_since is not None and now - self._near_since >= self.residency

    def remaining(self, now: float) -> str:
        """What the report calls `W:`: whole seconds still to wait, or `?`."""
        if self._near_since is None:
            return "?"
        return f"{max(0.0, self.residency - (now - self._near_since)):.0f}"

"""Does a reading hold what it must? What can't be believed does not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.fleet.samples import Quality, Sample, Snapshot, Value
from agent.settings import Condition
from drivers import UNITS

BELIEVED: Final = frozenset({Quality.GOOD, Quality.SIMULATED, Quality.MANUAL})
AHEAD_S: Final = 1.0
"""How far ahead of the station's clock a value may be dated: it was set back, or is not believed."""


class Watched:
    """One condition, and whether its value was right when last looked at: hysteresis needs that."""

    def __init__(self, condition: Condition, max_age: float) -> None:
        self.condition = condition
        self._max_age = max_age
        self._was_right = True
        self._name = f"{condition.device}.{condition.reading}"

    def doubt(self, latest: Mapping[str, Snapshot], now: float) -> str:
        """Why it does not hold at `now` (seconds UTC), as a sentence; "" when it does."""
        snapshot = latest.get(self.condition.device)
        sample = snapshot.samples.get(self.condition.reading) if snapshot else None
        if sample is None:
            return f"{self._name} has not been read"
        return self._disbelief(sample, now) or self._wrong(sample.value)

    def _disbelief(self, sample: Sample, now: float) -> str:
        """Why the sample says nothing of how things are now; "" when it does."""
        if sample.quality not in BELIEVED or sample.value is None:
            why = f": {sample.reason}" if sample.reason else ""
            return f"{self._name} is {sample.quality}{why}"
        age = now - sample.time
        if age > self._max_age:
            return f"{self._name} was read {age:.3g} s ago, and may be {self._max_age:g} s old"
        if age < -AHEAD_S:
            return f"{self._name} was read before the station's clock was set back"
        return ""

    def _wrong(self, value: Value | None) -> str:
        """What the value is instead of what it must be; "" when it is right."""
        needed = self._needed(value)
        self._was_right = not needed
        if not needed:
            return ""
        return f"{self._name} is {self._shown(value)} and must be {needed}"

    def _needed(self, value: Value | None) -> str:
        it = self.condition
        if it.equals is not None:
            return "" if value == it.equals else self._shown(it.equals)
        margin = 0.0 if self._was_right else it.hysteresis
        if not isinstance(value, int | float) or isinstance(value, bool):
            return "a number"
        if it.below is not None and not value < it.below - margin:
            return f"below {self._shown(it.below - margin)}"
        if it.above is not None and not value > it.above + margin:
            return f"above {self._shown(it.above + margin)}"
        return ""

    def _shown(self, value: Value | None) -> str:
        match value:
            case bool():
                return "on" if value else "off"
            case int() | float():
                return f"{value:.6g} {UNITS[self.condition.unit].symbol}".rstrip()
        return str(value)

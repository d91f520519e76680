"""Does a reading hold what it must? What can't be believed does not. Ages are monotonic. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Final

from agent.fleet.samples import Quality, Sample, Snapshot, Value
from agent.languages.message import Message
from agent.settings import Condition
from drivers import UNITS

BELIEVED: Final = frozenset({Quality.GOOD, Quality.SIMULATED, Quality.MANUAL})
REAL: Final = BELIEVED - {Quality.SIMULATED}
"""What is believed of a reading that something real depends on: no simulator knows how that is."""


class Watched:
    """One condition, and whether its value was right before this one: hysteresis needs that.

    Each sample is judged once, when it comes, whoever asks and how often.
    """

    def __init__(
        self, condition: Condition, max_age: float, believed: Set[Quality] = BELIEVED
    ) -> None:
        self.condition = condition
        self._max_age, self._believed = max_age, believed
        self._feigned = BELIEVED - believed
        self._noted: Sample | None = None
        self._needed = ""
        self._name = f"{condition.device}.{condition.reading}"

    def sample(self, latest: Mapping[str, Snapshot]) -> Sample | None:
        """The latest sample of the reading, if there is one."""
        snapshot = latest.get(self.condition.device)
        return snapshot.samples.get(self.condition.reading) if snapshot else None

    def note(self, latest: Mapping[str, Snapshot]) -> None:
        """Judge the latest sample, if it is a new one that is believed."""
        sample = self.sample(latest)
        if sample is None or sample is self._noted:
            return
        self._noted = sample
        if self.is_believed(sample):
            self._needed = self._lacking(sample.value)

    def doubt(self, latest: Mapping[str, Snapshot], now: float) -> str:
        """Why it does not hold at `now` (seconds, monotonic), as a sentence; "" when it does."""
        self.note(latest)
        sample = self.sample(latest)
        if sample is None:
            return Message("{name} has not been read", name=self._name)
        return self.disbelief(sample, now) or self._wrong(sample.value)

    def is_believed(self, sample: Sample) -> bool:
        """Whether the sample says something, apart from its age."""
        return sample.quality in self._believed and sample.value is not None

    def disbelief(self, sample: Sample, now: float) -> str:
        """Why the sample says nothing of how things are at `now`; "" when it does."""
        if sample.quality in self._feigned:
            return Message(
                "{name} is {quality}, and what depends on it is real",
                name=self._name,
                quality=sample.quality,
            )
        if not self.is_believed(sample):
            why = Message(": {reason}", reason=sample.reason) if sample.reason else ""
            return Message(
                "{name} is {quality}{why}", name=self._name, quality=sample.quality, why=why
            )
        age = now - sample.mono
        if age > self._max_age:
            return Message(
                "{name} is {age:.3g} s old, and believed for {max_age:g} s",
                name=self._name,
                age=age,
                max_age=self._max_age,
            )
        return ""

    def _wrong(self, value: Value | None) -> str:
        """What the value is instead of what it must be; "" when it is right."""
        if not self._needed:
            return ""
        return Message(
            "{name} is {shown} and must be {needed}",
            name=self._name,
            shown=self._shown(value),
            needed=self._needed,
        )

    def _lacking(self, value: Value | None) -> str:
        """What the value must be and is not; "" when it is right."""
        it = self.condition
        if it.equals is not None:
            return "" if value == it.equals else self._shown(it.equals)
        if it.differs is not None:
            return (
                ""
                if value != it.differs
                else Message("anything but {shown}", shown=self._shown(it.differs))
            )
        margin = it.hysteresis if self._needed else 0.0
        if not isinstance(value, int | float) or isinstance(value, bool):
            return Message("a number")
        if it.below is not None and not value < it.below - margin:
            return Message("below {shown}", shown=self._shown(it.below - margin))
        if it.above is not None and not value > it.above + margin:
            return Message("above {shown}", shown=self._shown(it.above + margin))
        return ""

    def _shown(self, value: Value | None) -> str:
        match value:
            case bool():
                return Message("on") if value else Message("off")
            case int() | float():
                return f"{value:.6g} {UNITS[self.condition.unit].symbol}".rstrip()
        return str(value)

"""What every simulated instrument on a test bench has: a true state, known and changed by hand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Final

from drivers.errors import NotMeasured
from simulators.instrument import Instrument

Truth = dict[str, object]

ABSENT: Final = "absent"
"""The truth of a reading that does not exist now: the driver must say NotMeasured."""


class Bench(ABC):
    """One instrument. `schemes` are the kinds of address that reach it, the usual one first."""

    schemes: ClassVar[tuple[str, ...]]

    quick: ClassVar[Mapping[str, float]]
    """Time-outs for tests in real time, s."""

    tolerance: ClassVar[float] = 0.0
    """Relative error of a right number: the noise of the instrument."""

    local: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Readings that the instrument does not know, and why."""

    lateness: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Schemes over which nothing can tell a reply later than `Timeouts.whole`, and why."""

    unasked: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Faults under which callers that wait for their turn may get an older value, and why."""

    values: ClassVar[Mapping[str, tuple[tuple[Any, ...], str]]] = MappingProxyType({})
    """Settings that can't be set over their whole range: low, middle and high here, and why."""

    act: ClassVar[tuple[str, Mapping[str, Any]] | None] = None
    """A command, with its arguments, that does something each time it is carried out."""

    @abstractmethod
    def instrument(self, scheme: str) -> Instrument:
        """Return what stands at the other end of a link of this kind."""

    @abstractmethod
    def impostor(self, scheme: str) -> Instrument:
        """Return an instrument of another model."""

    @abstractmethod
    def stir(self, step: int) -> None:
        """Bring every value, as far as it can be, to one that no step near this one has."""

    @abstractmethod
    def truth(self) -> Truth:
        """Return what every reading and setting should be, but for the `local` ones."""

    @abstractmethod
    def energise(self) -> None:
        """Bring the instrument to a state that is not safe to leave alone."""

    @abstractmethod
    def is_safe(self) -> bool:
        """Return whether it may be left alone."""

    @abstractmethod
    def writes(self, heard: Sequence[bytes]) -> int:
        """Count the settings and acts that the instrument was told, by what it heard, message by message."""

    def size(self, heard: Sequence[bytes]) -> int:
        """Measure what it heard so that the same question has the same size."""
        return sum(map(len, heard))

    def resembles(self, name: str, got: object) -> bool:
        """Return whether a value is that of this moment."""
        wanted = self.truth()[name]
        if isinstance(got, NotMeasured):
            return wanted is ABSENT
        if type(got) is not type(wanted):
            return False
        if isinstance(wanted, float) and isinstance(got, float):
            return abs(got - wanted) <= abs(wanted) * self.tolerance + 1e-9
        return got == wanted


class Recorder:
    """An instrument that keeps what it hears, message by message, and may answer as another."""

    def __init__(
        self, instrument: Instrument, instead: Mapping[bytes, bytes] = MappingProxyType({})
    ) -> None:
        self._instrument, self._instead = instrument, instead
        self.heard: list[bytes] = []

    def opened(self) -> bytes:
        return self._said(self._instrument.opened())

    def handle(self, data: bytes) -> bytes:
        self.heard.append(data)
        return self._said(self._instrument.handle(data))

    def advance(self, dt: float) -> bytes:
        return self._said(self._instrument.advance(dt))

    def _said(self, data: bytes) -> bytes:
        for own, other in self._instead.items():
            data = data.replace(own, other)
        return data


class Still:
    """An instrument whose physics stands still, so that what it measures is what a test set."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    def opened(self) -> bytes:
        return self._instrument.opened()

    def handle(self, data: bytes) -> bytes:
        return self._instrument.handle(data)

    def advance(self, dt: float) -> bytes:
        return b""

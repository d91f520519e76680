"""What is said of a metric: type, labels, unit, meaning, and when there is no series of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from drivers import UNITS

Kind = Literal["gauge", "counter", "histogram", "info"]
SUFFIX: Final[Mapping[str, str]] = {"counter": "_total", "info": "_info"}


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `name` is as samples bear it, of a histogram without `_bucket`, `_sum` and `_count`."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    about: str
    absent: str = ""
    """When there is no series although there could be one, for the reference page."""

    @property
    def family(self) -> str:
        """What OpenMetrics calls it: without `_total` and `_info`."""
        return self.name.removesuffix(SUFFIX.get(self.kind, ""))

    @property
    def unit(self) -> str:
        """The base unit, which is the end of the family's name; "" where it has none."""
        return next((it for it in BASES if self.family.endswith(f"_{it}")), "")


BASES: Final = (
    "volts_per_second",
    "meters_per_second",
    *sorted({row.base for row in UNITS.values()} - {"", "volts_per_second", "meters_per_second"}),
    "ratio",
)
"""The base units, those first whose end is another one."""


@dataclass(frozen=True, slots=True)
class Group:
    """Metrics of one idea, with the heading and the first words that the reference page gives them."""

    title: str
    about: str
    metrics: tuple[Metric, ...]


def metric(kind: Kind, name: str, labels: str, about: str, absent: str = "") -> Metric:
    """A metric of this name without `labkeeper_`, with these labels, which blanks separate."""
    return Metric(f"labkeeper_{name}", kind, tuple(labels.split()), about, absent)

"""Families in slices: a page of 30,000 samples is made and sent a few samples at a time."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from prometheus_client.metrics_core import Metric

SLICE: Final = 20
"""Samples that are made and written at once, in 0.2 ms, after which the polls have their turn."""

AnyFamily = TypeVar("AnyFamily", bound=Metric)
Row = tuple[Any, ...]
"""What a family's add_metric takes: labels first."""
Source = Callable[[], Iterable[Metric]]
"""Yields the families of one idea as they are now: those of one name follow each other."""


def sliced(new: Callable[[], AnyFamily], rows: Iterable[Row]) -> Iterator[AnyFamily]:
    """Yield one family at least, and another of the same name whenever one has SLICE samples."""
    family: Any = new()
    for row in rows:
        if len(family.samples) >= SLICE:
            yield family
            family = new()
        family.add_metric(*row)
    yield family


def cumulated(bounds: Iterable[float], counts: Iterable[int]) -> list[tuple[str, float]]:
    """Rows of a histogram: how many lay at or below each bound.

    `counts` has each bucket's own, and one more than there are bounds: what lay above the last.
    """
    total, rows = 0, []
    for bound, count in zip((*map(str, bounds), "+Inf"), counts, strict=True):
        total += count
        rows.append((bound, float(total)))
    return rows

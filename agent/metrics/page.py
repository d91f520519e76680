"""Everything there is to scrape of a station, in pieces: what is counted, the readings, the devices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.jobs.jobs import Jobs
from agent.metrics.devices import DeviceLines
from agent.metrics.lines import END, Form, head
from agent.metrics.metric import Metric
from agent.metrics.readings import ReadingLines
from agent.metrics.slices import Source


class StationPage:
    """Follows the board from when it is made. `sources`: what prometheus-client writes, an idea each."""

    def __init__(
        self,
        board: Board,
        workers: Mapping[str, DeviceWorker],
        sources: Iterable[Source] = (),
        jobs: Jobs | None = None,
    ) -> None:
        self._sources = tuple(sources)
        self._readings = ReadingLines(board, workers)
        self._devices = DeviceLines(board, workers, jobs)

    def pieces(self, form: Form) -> Iterator[bytes]:
        """Yield the page as it is now, in pieces of less than a millisecond's work.

        Who takes them may let others have their turn in between: of each metric there is one
        stretch of lines, and each line is true when it is written.
        """
        yield from _counted(self._sources, form)
        for source in (self._readings, self._devices):
            for metric, lines in source.families():
                yield from _whole(metric, lines, form)
        yield END[form]

    def text(self, form: Form = "text") -> bytes:
        """The page as a whole."""
        return b"".join(self.pieces(form))


def _whole(metric: Metric, lines: Iterator[bytes], form: Form) -> Iterator[bytes]:
    """The lines of a metric with its head in front; empty pieces, as many, where it has none."""
    start = head(metric, form)
    for piece in lines:
        yield start + piece if piece else b""
        start = b"" if piece else start


def _counted(sources: Iterable[Source], form: Form) -> Iterator[bytes]:
    """What prometheus-client writes, slice by slice: a family's head stands before its first alone."""
    latest = ""
    for source in sources:
        for family in source():
            page = _encoded(family, form).removesuffix(END[form])
            if family.name == latest:
                page = b"".join(it for it in page.splitlines(True) if not it.startswith(b"#"))
            latest = family.name
            yield page


def _encoded(family: Family, form: Form) -> bytes:
    registry: Any = SimpleNamespace(collect=partial(iter, (family,)))
    write: Callable[[Any], bytes] = generate_latest if form == "text" else generate_openmetrics
    return write(registry)

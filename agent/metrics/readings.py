"""The lines of all readings, written when a value changes: a scrape only puts them together.

A device that does not answer has no line, and a value that is stale or bad has none either: a
missing series is honest, an old number is not. Labels are bounded: devices and readings come from
config and drivers, never from what a device or a person writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.metrics.definitions import METRICS
from agent.metrics.device_metrics import READINGS, VALUES
from agent.metrics.metric import Metric
from agent.metrics.parts import TIME, Layout, Part, Samples, layout_of
from drivers import Driver

BLOCKS: Final = 400
"""Devices whose lines are put together at once, in a tenth of a millisecond."""
AT_ONCE: Final = 50
"""Devices whose times are written at once, in the same."""


class ReadingLines:
    """Follows the board: each worker that puts up a snapshot has the lines written that it changes."""

    def __init__(self, board: Board, workers: Mapping[str, DeviceWorker]) -> None:
        self._board, self._workers = board, workers
        self._blocks: dict[str, dict[str, bytes]] = {
            it.name: {} for it in (*VALUES.metrics, *READINGS.metrics) if it is not TIME
        }
        """By metric and device."""
        self._seen: dict[str, tuple[Layout, Samples]] = {}
        """Of each device that answers: whose lines stand in the blocks."""
        self._layouts: dict[type[Driver[Any]], Layout] = {}
        for device in board.latest:
            self.look(device)
        board.follow(self.look)

    def look(self, device: str) -> None:
        """Write the lines of a device anew whose values have changed."""
        snapshot, worker = self._board.latest.get(device), self._workers.get(device)
        if snapshot is None or worker is None or not snapshot.state.online:
            self._forget(device)
            return
        layout, samples = self._layout(worker.plan.driver_class), snapshot.samples
        before, was = self._seen.get(device, (layout, {}))
        if layout is not before:
            self._forget(device)
            was = {}
        self._seen[device] = layout, samples
        for part in _changed(layout, was, samples):
            if text := part.lines(device, samples):
                self._blocks[part.metric.name][device] = text.encode()
            else:
                self._blocks[part.metric.name].pop(device, None)

    def families(self) -> Iterator[tuple[Metric, Iterator[bytes]]]:
        """Yield each metric that has lines, with its lines in some pieces.

        The time of a reading changes with every poll, a hundred times between two scrapes: it alone
        is written now.
        """
        for name, blocks in self._blocks.items():
            if blocks:
                yield METRICS[name], _pieces(list(blocks.values()))
        yield TIME, _times(iter(list(self._seen.items())))

    def _layout(self, driver: type[Driver[Any]]) -> Layout:
        if driver not in self._layouts:
            self._layouts[driver] = layout_of(driver)
        return self._layouts[driver]

    def _forget(self, device: str) -> None:
        if self._seen.pop(device, None) is not None:
            for blocks in self._blocks.values():
                blocks.pop(device, None)


def _changed(layout: Layout, was: Samples, samples: Samples) -> Iterable[Part]:
    """The parts whose lines another value or quality has changed."""
    if len(was) != len(samples):
        return layout.parts
    changed: dict[Part, None] = {}
    for name, sample in samples.items():
        old = was.get(name)
        if old is sample:
            continue
        if old is None:
            return layout.parts
        if old[1] is not sample[1]:
            changed[layout.qualities] = None
        elif old[0] == sample[0]:
            continue
        for part in layout.of.get(name, ()):
            changed[part] = None
    return changed


def _times(seen: Iterator[tuple[str, tuple[Layout, Samples]]]) -> Iterator[bytes]:
    while some := [*islice(seen, AT_ONCE)]:
        yield "".join(layout.times.lines(device, its) for device, (layout, its) in some).encode()


def _pieces(blocks: list[bytes]) -> Iterator[bytes]:
    for first in range(0, len(blocks), BLOCKS):
        yield b"".join(blocks[first : first + BLOCKS])

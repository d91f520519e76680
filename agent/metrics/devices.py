"""Of each device: whether it answers, its state, its polls. Written when they are asked for.

What is counted changes with every poll, a hundred times between two scrapes; so its lines are not
kept, but they are cheap: 0.3 µs each, and some devices at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate, islice
from typing import Final, NamedTuple

from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.samples import Snapshot
from agent.fleet.tally import BUCKETS, Tally
from agent.jobs.jobs import Jobs
from agent.metrics.definitions import of
from agent.metrics.jobs import claims
from agent.metrics.lines import label, line
from agent.metrics.metric import Metric
from agent.metrics.printing import left_of, progress_of

AT_ONCE: Final = 50
"""Devices whose lines are written at once, in 20 µs, those of a histogram in 0.2 ms."""
SHARED: Final = "modbus"
DURATION: Final = of("poll_duration_seconds")
_ROWS: Final = "".join(
    f'{DURATION.name}_bucket{{device="%s",le="{bound}"}} %d.0\n' for bound in (*BUCKETS, "+Inf")
)
_HISTOGRAM: Final = (
    f'{_ROWS}{DURATION.name}_count{{device="%s"}} %d.0\n{DURATION.name}_sum{{device="%s"}} %r\n'
)


class Row(NamedTuple):
    """One device as it is now; `worker` is None for one that has just gone."""

    name: str
    snapshot: Snapshot
    worker: DeviceWorker | None
    jobs: int


Write = Callable[[Metric, Row], str]


class DeviceLines:
    """What is told of devices beside their readings."""

    def __init__(
        self, board: Board, workers: Mapping[str, DeviceWorker], jobs: Jobs | None
    ) -> None:
        self._board, self._workers, self._jobs = board, workers, jobs

    def families(self) -> Iterator[tuple[Metric, Iterator[bytes]]]:
        """Yield each metric, with its lines in some pieces."""
        rows: list[Row] = []
        for name, write in WRITTEN.items():
            if name != "device_jobs" or self._jobs is not None:
                yield of(name), _pieces(of(name), iter(rows) if rows else self._seen(rows), write)

    def _seen(self, rows: list[Row]) -> Iterator[Row]:
        """Yield the devices as they are now, and keep them: a thousand take half a millisecond."""
        latest, jobs = self._board.latest, claims(self._jobs)
        for name in sorted(latest):
            if snapshot := latest.get(name):
                rows.append(Row(name, snapshot, self._workers.get(name), jobs[name]))
                yield rows[-1]


def _pieces(metric: Metric, rows: Iterator[Row], write: Write) -> Iterator[bytes]:
    while some := [*islice(rows, AT_ONCE)]:
        yield "".join(write(metric, row) for row in some).encode()


def _number(value: Callable[[Row], float | None]) -> Write:
    def write(metric: Metric, row: Row) -> str:
        found = value(row)
        return (
            ""
            if found is None
            else f'{metric.name}{{device="{label(row.name)}"}} {float(found)!r}\n'
        )

    return write


def _count(value: Callable[[Tally], int]) -> Write:
    return _number(lambda row: value(row.worker.tally) if row.worker else None)


def _state(metric: Metric, row: Row) -> str:
    return line(metric.name, (("device", row.name), ("state", row.snapshot.state)), 1.0)


def _info(metric: Metric, row: Row) -> str:
    if row.worker is None:
        return ""
    plan = row.worker.plan
    package, *folders = plan.driver_class.__module__.split(".")
    kind = folders[0] if package == "drivers" and folders else "other"
    facts = (row.name, plan.driver_name, kind, str(plan.simulated).lower())
    return line(metric.name, zip(metric.labels, facts, strict=True), 1.0)


def _unit(metric: Metric, row: Row) -> str:
    address = row.worker.plan.address if row.worker else None
    if address is None or not address.scheme.startswith(SHARED):
        return ""
    facts = (address.bus_label, address.unit, row.name)
    return line(metric.name, zip(metric.labels, facts, strict=True), 1.0)


def _failures(metric: Metric, row: Row) -> str:
    failures = row.worker.tally.failures if row.worker else {}
    return "".join(
        line(metric.name, (("device", row.name), ("kind", kind)), count)
        for kind, count in sorted(failures.items())
    )


def _durations(_: Metric, row: Row) -> str:
    if row.worker is None:
        return ""
    device, tally = label(row.name), row.worker.tally
    counts = [*accumulate(tally.buckets)]
    pairs = [it for count in (*counts, counts[-1]) for it in (device, count)]
    return _HISTOGRAM % (*pairs, device, tally.seconds)


WRITTEN: Final[Mapping[str, Write]] = {
    "device_up": _number(lambda row: row.snapshot.state.online),
    "device_state": _state,
    "device_state_timestamp_seconds": _number(lambda row: row.snapshot.since),
    "device_info": _info,
    "device_jobs": _number(lambda row: row.jobs),
    "device_connects_total": _count(lambda tally: tally.connects),
    "polls_total": _count(lambda tally: tally.polls),
    "polls_late_total": _count(lambda tally: tally.late),
    "polls_skipped_total": _count(lambda tally: tally.skipped),
    "poll_duration_seconds": _durations,
    "failures_total": _failures,
    "bus_unit_info": _unit,
    "print_progress_ratio": _number(lambda row: progress_of(row.snapshot)),
    "print_left_seconds": _number(lambda row: left_of(row.snapshot)),
}
"""How the lines of each metric are written, by its name without `labkeeper_`."""

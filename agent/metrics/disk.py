"""Whether the disk of the state folder takes anything, and how much of it is free."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from agent.metrics.families import one
from agent.store.disk_watch import DiskWatch


def disk_families(disk: DiskWatch | None) -> Iterator[Metric]:
    """Yield since when it is silent, and what is free where that is known; nothing without a disk."""
    if disk is None:
        return
    yield one("disk_silent_seconds", disk.probe.silent)
    if (room := disk.room) is not None:
        yield one("disk_free_bytes", room.free)
        yield one("disk_free_ratio", room.ratio)

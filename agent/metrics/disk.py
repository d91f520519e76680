"""How much of the disk of the state folder is free."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from agent.metrics.families import one
from agent.store.disk_watch import Room


def disk_families(room: Room | None) -> Iterator[Metric]:
    """Yield what is free, in bytes and as a part of the disk; nothing where that is not known."""
    if room is not None:
        yield one("disk_free_bytes", room.free)
        yield one("disk_free_ratio", room.ratio)

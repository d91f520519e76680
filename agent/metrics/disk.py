"""How much of the disk of the state folder is free."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from agent.store.disk_watch import Room


def disk_families(room: Room | None) -> Iterator[Metric]:
    """Yield what is free, in bytes and as a part of the disk; nothing where that is not known."""
    if room is None:
        return
    yield GaugeMetricFamily(
        "labkeeper_disk_free_bytes",
        "What the agent may still write on the disk of its state folder.",
        value=room.free,
    )
    yield GaugeMetricFamily(
        "labkeeper_disk_free_ratio", "The same as a part of the disk.", value=room.ratio
    )

"""What the session with the broker counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from prometheus_client.metrics_core import Metric

from agent.metrics.families import one, total


class BrokerCounts(Protocol):
    """What the broker session counts."""

    connected: bool
    connects: int
    published: int
    refused: int

    @property
    def waiting(self) -> int:
        """Messages that wait for the broker."""
        ...

    @property
    def dropped(self) -> int:
        """Messages that had no room, since the agent started."""
        ...


def broker_families(broker: BrokerCounts | None) -> Iterable[Metric]:
    """Yield whether there is a broker, and what was said and heard; nothing where none is configured."""
    if broker is None:
        return
    yield one("mqtt_connected", broker.connected)
    yield total("mqtt_connects_total", broker.connects)
    yield total("mqtt_published_total", broker.published)
    yield total("mqtt_refused_total", broker.refused)
    yield one("mqtt_outbox_messages", broker.waiting)
    yield total("mqtt_dropped_total", broker.dropped)

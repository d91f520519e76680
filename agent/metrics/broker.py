"""What the session with the broker counts."""

from collections.abc import Iterable
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric


class BrokerCounts(Protocol):
    """What the broker session counts."""

    connected: bool
    connects: int
    published: int
    refused: int


def broker_families(broker: BrokerCounts | None) -> Iterable[Metric]:
    """Yield whether there is a broker, and what was said and heard; nothing where none is configured."""
    if broker is None:
        return
    yield GaugeMetricFamily(
        "labkeeper_mqtt_connected", "Whether the broker is connected.", value=broker.connected
    )
    for name, doc, count in (
        ("mqtt_connects", "Times the broker was connected.", broker.connects),
        ("mqtt_published", "Messages published.", broker.published),
        ("mqtt_refused", "Requests over MQTT that were refused.", broker.refused),
    ):
        yield CounterMetricFamily(f"labkeeper_{name}", doc, value=count)

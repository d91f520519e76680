"""How long the ledger is."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric

from agent.store.ledger import Ledger


def ledger_rows(ledger: Ledger | None) -> Iterator[Metric]:
    """Yield how many rows are on the disk; nothing where there is no ledger."""
    if ledger is not None:
        yield CounterMetricFamily(
            "labkeeper_ledger_rows", "Rows of the ledger on the disk.", value=ledger.head.seq
        )

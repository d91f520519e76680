"""How long the ledger is, and how long the disk takes for what goes into it."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from agent.metrics.slices import cumulated
from agent.store.ledger import Ledger


def ledger_rows(ledger: Ledger | None) -> Iterator[Metric]:
    """Yield how many rows are on the disk; nothing where there is no ledger."""
    if ledger is not None:
        yield CounterMetricFamily(
            "labkeeper_ledger_rows", "Rows of the ledger on the disk.", value=ledger.head.seq
        )


def ledger_commits(ledger: Ledger | None) -> Iterator[Metric]:
    """Yield how long commits took; nothing where there is no ledger."""
    if ledger is not None:
        its = ledger.commits
        yield HistogramMetricFamily(
            "labkeeper_ledger_commit_seconds",
            "Time until what shares a commit was on the disk.",
            buckets=cumulated(its.bounds, its.counts),
            sum_value=its.seconds,
        )

"""How long the ledger is, and how long the disk takes for what goes into it."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from agent.metrics.families import histogram, total
from agent.metrics.slices import cumulated
from agent.store.ledger import Ledger


def ledger_rows(ledger: Ledger | None) -> Iterator[Metric]:
    """Yield how many rows are on the disk; nothing where there is no ledger."""
    if ledger is not None:
        yield total("ledger_rows_total", ledger.head.seq)


def ledger_commits(ledger: Ledger | None) -> Iterator[Metric]:
    """Yield how long commits took; nothing where there is no ledger."""
    if ledger is not None:
        its, family = ledger.commits, histogram("ledger_commit_seconds")
        family.add_metric((), cumulated(its.bounds, its.counts), its.seconds)
        yield family

"""What Prometheus scrapes: values in base units, states, and what the agent counts of itself.

The only package that imports prometheus_client. Each idea has a file with a `Source` of families,
and a line in `collector.py`.
"""

from agent.metrics.broker import BrokerCounts
from agent.metrics.collector import StationCollector, collector_of
from agent.metrics.exposition import metrics_app

__all__ = ["BrokerCounts", "StationCollector", "collector_of", "metrics_app"]

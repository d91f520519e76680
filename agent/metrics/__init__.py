"""What Prometheus scrapes: values in base units, states, and what the agent counts of itself.

The only package that imports prometheus_client. Every metric stands in a table (`definitions`). What
is few has a file with a `Source` of families, and a line in `station_page`; what there is of each
device and reading is written as text at once (`readings`, `devices`).
"""

from agent.metrics.broker import BrokerCounts
from agent.metrics.exposition import metrics_app
from agent.metrics.page import StationPage
from agent.metrics.station_page import page_of

__all__ = ["BrokerCounts", "StationPage", "metrics_app", "page_of"]

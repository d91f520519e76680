"""What is served where: the API behind two doors, the metrics page behind a third."""

from collections.abc import Coroutine, Iterator
from dataclasses import replace
from typing import Any

from agent.metrics import BrokerCounts, collector_of, metrics_app
from agent.settings import Station as Settings
from agent.station import Station
from agent.web.api import api_of, doors_of
from agent.web.metrics_site import build_metrics_site
from agent.web.ports import Ports
from agent.web.server import serve


def sites(
    station: Station, settings: Settings, ports: Ports, token: str, broker: BrokerCounts | None
) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
    """Yield the name and the serving of each site, what its plots need, and who may sign in there."""
    if station.people is not None:
        yield "people", station.people.run()
    station = replace(station, broker=broker)
    api = api_of(station, settings.api)
    inside = doors_of(api, station, settings.api, token)
    yield "command line", serve(inside, ports.command_line)
    yield "api", serve(inside, ports.api)
    if ports.network is not None and ports.tls is not None and settings.api.network is not None:
        hosts = settings.api.network.hosts
        outside = doors_of(api, station, settings.api, token, network=hosts)
        yield "network", serve(outside, ports.network, ports.tls.context)
        yield "certificate", ports.tls.run(station.events)
    if station.trends is not None:
        yield "trends", station.trends.run()
    if ports.metrics is not None:
        site = build_metrics_site(station, metrics_app(collector_of(station, broker)), broker)
        yield "metrics", serve(site, ports.metrics)

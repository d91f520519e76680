"""What is served where: the API behind three doors, the metrics page behind one of them and its own."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp

from agent.metrics import metrics_app, page_of
from agent.people.people import People
from agent.people.session import Rules
from agent.settings import Station as Settings
from agent.station import Station
from agent.web.api import api_of, doors_of
from agent.web.metrics_site import build_metrics_site
from agent.web.ports import Ports
from agent.web.scrapes import ScraperToken, open_to_scrapers, with_metrics
from agent.web.server import serve

if TYPE_CHECKING:
    from agent.mqtt.session import BrokerSession


def sites(
    station: Station, settings: Settings, ports: Ports, token: str, broker: BrokerSession | None
) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
    """Yield the name and the serving of each site, what its plots need, and who may sign in there."""
    people = _people(station, settings)
    yield "people", people.run()
    station = replace(station, people=people, broker=broker)
    api = api_of(station, settings.api)
    inside = doors_of(api, station, settings.api, token)
    yield "command line", serve(inside, ports.command_line)
    yield "api", serve(inside, ports.api)
    metrics: ASGIApp | None = None
    if ports.metrics is not None:
        scraped = page_of(station, broker)
        metrics = metrics_app(scraped.page, scraped.itself.look)
        yield "loop lag", scraped.lag.run()
        yield "metrics", serve(build_metrics_site(station, metrics, broker), ports.metrics)
    if ports.network is not None and ports.tls is not None and settings.api.network is not None:
        hosts = settings.api.network.hosts
        outer = with_metrics(api, metrics) if metrics else api
        outside: ASGIApp = doors_of(outer, station, settings.api, token, network=hosts)
        if metrics and settings.metrics and settings.metrics.token_file:
            its = ScraperToken(settings.metrics.token_file)
            outside = open_to_scrapers(outside, metrics, its, hosts)
        yield "network", serve(outside, ports.network, ports.tls.context)
        yield "certificate", ports.tls.run(station.events)
    if station.trends is not None:
        yield "trends", station.trends.run()


def _people(station: Station, settings: Settings) -> People:
    """The people of this station, who are kept where the record is."""
    its = settings.api.sessions
    rules = Rules(lock_after=its.lock_after, idle=its.idle, longest=its.longest)
    return People(station.ledger, station.clock, station.events, rules, oidc=settings.api.oidc)

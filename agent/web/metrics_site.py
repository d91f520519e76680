"""The page that Prometheus reads, and the one that says whether the agent is well."""

from typing import Any, Final, Protocol

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.languages.message import Message
from agent.station import Station
from agent.web.hosts import check_host, tcp_hosts
from agent.web.problems import Problem

METHODS: Final = frozenset({"GET", "HEAD"})
PATHS: Final = ("/metrics", "/health")


class Broker(Protocol):
    """What the session with the broker says of itself."""

    connected: bool


def build_metrics_site(station: Station, metrics: ASGIApp, broker: Broker | None) -> ASGIApp:
    """An application with `/metrics`, which `metrics` answers, and `/health`, and nothing else."""

    async def site(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            page = _page(scope)
        except Problem as problem:
            await problem.response()(scope, receive, send)
            return
        answer = metrics if page == "/metrics" else JSONResponse(health(station, broker))
        await answer(scope, receive, send)

    return site


def health(station: Station, broker: Broker | None) -> dict[str, Any]:
    """That the agent answers, how many of its devices do, and how it stands with the broker."""
    up = sum(snapshot.state.online for snapshot in station.board.latest.values())
    mqtt = "off" if broker is None else "connected" if broker.connected else "disconnected"
    return {
        "status": "ok",
        "station": station.name,
        "version": station.version,
        "devices": {"total": len(station.workers), "up": up},
        "mqtt": mqtt,
    }


def _page(scope: Scope) -> str:
    """The path that is asked for. Raises Problem."""
    check_host(Headers(scope=scope), tcp_hosts(scope))
    path: str = scope["path"]
    if path not in PATHS:
        raise Problem(
            "no-such",
            Message(
                "there is no page {path}; pages: {paths}",
                path=ascii(path)[:80],
                paths=", ".join(PATHS),
            ),
        )
    if scope["method"] not in METHODS:
        allowed = {"Allow": ", ".join(sorted(METHODS))}
        raise Problem(
            "wrong-method",
            Message("{method} is not done here", method=scope["method"]),
            headers=allowed,
        )
    return path

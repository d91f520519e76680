"""A client of the API of a station, without a socket between them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.types import Receive, Scope, Send

from agent.settings import Api
from agent.station import Station
from agent.web.api import build_api
from tests.agent.web_bench import SETTINGS, TOKEN

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@asynccontextmanager
async def client_of(station: Station, settings: Api = SETTINGS) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the token."""
    api = build_api(station, settings, TOKEN)

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await api({**scope, "state": {}}, receive, send)

    over = httpx.ASGITransport(app=served)
    base = "http://127.0.0.1:8080/api/v1"
    async with httpx.AsyncClient(transport=over, base_url=base, headers=BEARER) as client:
        yield client


@asynccontextmanager
async def looking(station: Station) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the station's pages, which likes English."""
    async with client_of(station) as client:
        client.base_url = httpx.URL("http://127.0.0.1:8080")
        client.headers["Accept-Language"] = "en"
        yield client

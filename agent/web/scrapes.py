"""The metrics page at the door to other machines: for scrapers, and for whoever is known there anyway.

A scraper shows the token of a file, which many stations may share: one Prometheus has one secret for
all of them. It opens this page and nothing else. Tokens of the station and people who have signed in
may read the page as they may read everything.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import logging
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.errors import ConfigError
from agent.settings import read_secret
from agent.web.hosts import check_host, tcp_hosts
from agent.web.problems import Problem

PAGE: Final = "/metrics"
SHORTEST: Final = 16
"""Letters of a token; who may guess as often as they like guesses a shorter one."""

log = logging.getLogger("labkeeper")


class ScraperToken:
    """The first line of a file, read at each scrape: a new one counts at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._said = ""
        """What was told of the file last; "" while it is as it should be."""

    async def is_shown(self, headers: Headers) -> bool:
        """Whether a request bears it."""
        shown = _shown(headers)
        if not shown:
            return False
        token = await asyncio.to_thread(self._read)
        return bool(token) and hmac.compare_digest(shown, token.encode())

    def _read(self) -> str:
        """The token; "" where the file has none that counts, which is told once."""
        token, why = "", ""
        try:
            token = read_secret(self._path)
        except ConfigError as error:
            why = str(error)
        if token and len(token) < SHORTEST:
            token = ""
            why = f"{self._path}: the token has fewer than {SHORTEST} letters, and lets nobody in"
        if why and why != self._said:
            log.warning("metrics.token_file: %s", why)
        self._said = why
        return token


def with_metrics(api: ASGIApp, metrics: ASGIApp) -> ASGIApp:
    """The API with the page beside it, for within the doors."""

    async def site(scope: Scope, receive: Receive, send: Send) -> None:
        await (metrics if _is_for_page(scope) else api)(scope, receive, send)

    return site


def open_to_scrapers(
    doors: ASGIApp, metrics: ASGIApp, token: ScraperToken, hosts: tuple[str, ...]
) -> ASGIApp:
    """The doors, and past them the page for a scraper with the token, by the right name."""

    async def site(scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if not _is_for_page(scope) or not await token.is_shown(headers):
            await doors(scope, receive, send)
            return
        try:
            check_host(headers, tcp_hosts(scope, hosts, ()))
        except Problem as problem:
            await problem.response()(scope, receive, send)
            return
        await metrics(scope, receive, send)

    return site


def _is_for_page(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["path"] == PAGE and scope["method"] in {"GET", "HEAD"}


def _shown(headers: Headers) -> bytes:
    """The token of a request: as Bearer, or as the password of Basic, whatever the name."""
    given = headers.getlist("authorization")
    scheme, _, shown = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    match scheme.lower():
        case "bearer":
            return shown.strip().encode("latin-1")
        case "basic":
            try:
                pair = base64.b64decode(shown.strip(), validate=True)
            except (binascii.Error, ValueError):
                return b""
            return pair.partition(b":")[2]
    return b""

"""Following the agent's server-sent events over its Unix socket, for as long as they come."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from typing import Any, Final

import httpx

from agent.cli.client import api_path, nobody
from agent.cli.problems import error_from
from agent.cli.words import language
from agent.errors import NoAgent
from agent.languages.message import Message

SILENCE_S: Final = 25.0
"""The agent says something every 10 s; who hears nothing for twice as long has lost it."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a stream: its kind and what it carries."""

    kind: str
    form: dict[str, Any]


def over(socket: Path) -> httpx.AsyncHTTPTransport:
    """HTTP over the agent's socket. Without TLS there, nobody's certificates are read: 20 ms saved."""
    return httpx.AsyncHTTPTransport(uds=str(socket), verify=SSLContext(PROTOCOL_TLS_CLIENT))


async def follow(socket: Path, *parts: str, **query: str) -> AsyncIterator[Told]:
    """Yield what a stream tells. Raises NoAgent when it ends: only a stopping agent ends one."""
    spoken = {"Accept-Language": language(os.environ)}
    async with httpx.AsyncClient(
        transport=over(socket), base_url="http://localhost", timeout=SILENCE_S
    ) as client:
        try:
            async with client.stream(
                "GET", api_path(*parts), params=query, headers=spoken
            ) as answer:
                if answer.is_error:
                    raise error_from(answer.status_code, json.loads(await answer.aread()))
                async for told in _told(answer.aiter_lines()):
                    yield told
        except httpx.ConnectError as error:
            raise nobody(socket) from error
        except httpx.TransportError as error:
            raise _gone(socket) from error
    raise _gone(socket)


async def _told(lines: AsyncIterator[str]) -> AsyncIterator[Told]:
    """Put the lines of a stream together: `event:` and `data:` until an empty line."""
    kind, data = "", ""
    async for line in lines:
        name, _, value = line.partition(": ")
        match name:
            case "event":
                kind = value
            case "data":
                data += value
            case "" if data:
                yield Told(kind, json.loads(data))
                kind, data = "", ""


def _gone(socket: Path) -> NoAgent:
    return NoAgent(Message("the agent on {path} went away: was it stopped?", path=str(socket)))

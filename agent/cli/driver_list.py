"""The drivers' own descriptions, straight from the catalogue: no agent is asked."""

from __future__ import annotations

from typing import Any

from agent.cli.names import unknown
from agent.cli.words import said
from agent.errors import Refused
from agent.languages.message import Message
from drivers import describe
from drivers.catalogue import load, names
from drivers.errors import UnknownName


def catalogue() -> list[tuple[str, str]]:
    """Every driver's name and what it drives, or why it can't be used."""
    return [(name, _title(name)) for name in names()]


def description(name: str) -> dict[str, Any]:
    """What a driver offers. Raises Refused."""
    if name not in names():
        raise unknown("driver", name, names())
    try:
        return describe(name, load(name)).as_dict()
    except (UnknownName, ImportError) as error:
        raise Refused(
            Message("driver {name} can't be loaded: {error}", name=name, error=str(error))
        ) from error


def _title(name: str) -> str:
    try:
        return load(name).title()
    except (UnknownName, ImportError) as error:
        return said(Message("can't be loaded: {error}", error=str(error)))

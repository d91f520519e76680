"""A config as a list of keys and values: what the ledger compares, and says of a change.

Secrets are in files of their own, of which the config has the names alone; so there is none here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

from pydantic import BaseModel

from agent.settings.station import Device, Station
from drivers import Limits

Flat: TypeAlias = dict[str, Any]
"""Values are what JSON has."""

SOURCES: Final = frozenset({"source", "low_source", "high_source", "warnings"})
"""Fields that say where something was read: a line that has moved is no change."""


def flat(station: Station) -> Flat:
    """Every value that is given or has a default, by its path, such as `devices.psu1.driver`."""
    return dict(sorted(_leaves("", station)))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if (parts := _parts(value)) is not None:
        for name, part in parts:
            yield from _leaves(f"{path}.{name}" if path else name, part)
    elif value is not None and value != "":
        yield path, _plain(value)


def _parts(value: Any) -> list[tuple[str, Any]] | None:
    """What a value consists of, by name or by place in a list; None where it is one value."""
    match value:
        case Limits():
            return [*value.spans.items()]
        case BaseModel():
            return [(name, getattr(value, name)) for name in type(value).model_fields]
        case Mapping():
            return [(str(name), part) for name, part in value.items()]
        case tuple() | list() if any(map(is_dataclass, value)):
            return [(str(number), part) for number, part in enumerate(value)]
        case _ if is_dataclass(value):
            hidden = {*SOURCES, "place"} if isinstance(value, Device) else SOURCES
            names = [field.name for field in fields(value) if field.name not in hidden]
            return [(name, getattr(value, name)) for name in names]
        case tuple() | list() | AbstractSet() if not value:
            return []
    return None


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.name.lower()
        case bool() | int() | float() | str():
            return value
        case tuple() | list():
            return [_plain(item) for item in value]
        case AbstractSet():
            return sorted(map(str, value))
    return str(value)

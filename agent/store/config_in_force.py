"""The config that the ledger knows of, key by key, and how it changes. Part of a transaction."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from agent.store.database import Connection
from agent.store.entries import ConfigEntry, Entry, Json

Flat: TypeAlias = Mapping[str, Json]
"""A config by key path, such as `devices.psu1.limits.voltage.high`, without a single secret."""

BEGAN: Final = "begin"
ACTIONS: Final = {(False, True): "add", (True, False): "remove", (True, True): "change"}
"""By whether the key was there before, and whether it is now."""


def adopt(
    connection: Connection, *, now: Flat, write: Callable[[Connection, Entry], object]
) -> None:
    """Record each key that differs from the config before, or the whole where there was none."""
    before = dict(_before(connection))
    if not before:
        write(connection, ConfigEntry(action=BEGAN, target="config", after=dict(now)))
    else:
        for entry in changes(before, now):
            write(connection, entry)
    connection.execute("DELETE FROM config_in_force")
    rows = [(key, json.dumps(value)) for key, value in now.items()]
    connection.executemany("INSERT INTO config_in_force (key, value) VALUES (?, ?)", rows)


def changes(before: Flat, now: Flat) -> Iterator[ConfigEntry]:
    """An entry for each key that was added, removed or changed, in the order of the keys."""
    for key in sorted(before.keys() | now.keys()):
        action = ACTIONS[key in before, key in now]
        if action == "change" and before[key] == now[key]:
            continue
        yield ConfigEntry(action=action, target=key, before=before.get(key), after=now.get(key))


def _before(connection: Connection) -> Iterator[tuple[str, Json]]:
    for key, value in connection.execute("SELECT key, value FROM config_in_force"):
        yield key, json.loads(value)

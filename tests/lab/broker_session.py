"""A session with a broker, for as long as a test needs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from agent.mqtt.session import BrokerSession
from agent.settings import Mqtt
from tests.agent.bench import Bench

STATUS = "lab/v1/bench-1/status"
STATE = "lab/v1/bench-1/device/psu1/state"
DESCRIPTION = "lab/v1/bench-1/device/psu1/description"
EVENT = "lab/v1/bench-1/event"
COMMAND = "lab/v1/bench-1/command/"
REPLY = "lab/v1/bench-1/reply/"


class HasPlace(Protocol):
    """Anything that an agent can be told to connect to."""

    host: str
    port: int


@dataclass
class Place:
    host: str
    port: int


@asynccontextmanager
async def session(bench: Bench, broker: HasPlace, **more: Any) -> AsyncIterator[BrokerSession]:
    """A session that runs until the context ends, and then says farewell."""
    settings = Mqtt(host=broker.host, port=broker.port, **more)
    running = BrokerSession(bench.station, settings, Random(1))
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(running.run(), name="mqtt")
        yield running
        task.cancel()


def kinds(bench: Bench) -> list[str]:
    """The kinds of the events that the session made, in order."""
    return [event.kind for event in bench.events.kept if event.kind.startswith("mqtt.")]

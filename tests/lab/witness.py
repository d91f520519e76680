"""A client that hears everything on a broker and remembers it, and can ask as programs do."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.clock import SystemClock
from agent.public import utc_text
from tests.lab.broker import Broker


@dataclass(frozen=True)
class Heard:
    """One message; `form` is its JSON, None where it is empty."""

    topic: str
    payload: bytes
    retained: bool
    correlation: bytes | None

    @property
    def form(self) -> Any:
        return json.loads(self.payload) if self.payload else None


class Witness:
    """Everything that was heard, in order; `latest` has the last of each topic."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.heard: list[Heard] = []
        self.latest: dict[str, Heard] = {}
        self._client = client
        self._news = asyncio.Condition()

    async def listen(self) -> None:
        """Remember until cancelled."""
        async for message in self._client.messages:
            correlation = getattr(message.properties, "CorrelationData", None)
            heard = Heard(str(message.topic), bytes(message.payload), message.retain, correlation)
            async with self._news:
                self.heard.append(heard)
                self.latest[heard.topic] = heard
                self._news.notify_all()

    async def until(
        self, topic: str, holds: Callable[[Any], Any] = lambda _: True, seconds: float = 20.0
    ) -> Heard:
        """Wait until the last message of a topic is such."""
        try:
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait_for(
                    lambda: topic in self.latest and holds(self.latest[topic].form)
                )
        except TimeoutError:
            raise AssertionError(f"{topic}: only {self.latest.get(topic)}") from None
        return self.latest[topic]

    async def until_any(self, holds: Callable[[Heard], Any], seconds: float = 20.0) -> Heard:
        """Wait until some message was such, also one of the past."""
        async with asyncio.timeout(seconds), self._news:
            while True:
                for heard in self.heard:
                    if holds(heard):
                        return heard
                await self._news.wait()

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish as it stands."""
        await self._client.publish(topic, payload, qos=1, retain=retain)

    async def ask(
        self, topic: str, *, response_topic: str, correlation: bytes = b"", **body: Any
    ) -> Heard:
        """Send a request of MQTT 5, and wait for its answer on the response topic."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic = response_topic
        properties.CorrelationData = correlation
        before = len(self.heard)
        await self._client.publish(topic, encoded(body), qos=1, properties=properties)
        return await self.until_any(
            lambda heard: heard.topic == response_topic and heard in self.heard[before:]
        )


def encoded(body: dict[str, Any]) -> bytes:
    """A request's JSON, with the `not_after` of someone who waits half a minute."""
    return json.dumps({"not_after": soon()} | body).encode()


def soon(seconds: float = 30.0) -> str:
    """A time so many seconds from now, as requests write it."""
    return utc_text(SystemClock().utc() + seconds)


@asynccontextmanager
async def witness(
    broker: Broker, protocol: str = "5", everything: str = "#", **client_options: Any
) -> AsyncIterator[Witness]:
    """A client that is subscribed to everything until the context ends."""
    version = aiomqtt.ProtocolVersion.V5 if protocol == "5" else aiomqtt.ProtocolVersion.V311
    nodelay = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
    async with aiomqtt.Client(
        broker.host, broker.port, protocol=version, socket_options=nodelay, **client_options
    ) as client:
        seen = Witness(client)
        await client.subscribe(everything, qos=1)
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(seen.listen(), name="witness")
            yield seen
            listening.cancel()

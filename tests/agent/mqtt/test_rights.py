"""What is said of a trial message where the broker answers it, throws it away, or says nothing."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from agent.mqtt import rights
from agent.mqtt.rights import Rights

TOPIC = "lab/v1/bench-1/reply/doctor"
DENIED = ReasonCode(PacketTypes.PUBACK, "Not authorized")
TAKEN = ReasonCode(PacketTypes.PUBACK, "Success")


class Line:
    """A client whose broker answers each message with a code, or not at all."""

    def __init__(self, answer: ReasonCode | None) -> None:
        self._answer, self._mid = answer, 0
        self.on_publish: Any = lambda *_: None

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> SimpleNamespace:
        assert (topic, payload, qos, retain) == (TOPIC, b"", 1, False)
        self._mid += 1
        if self._answer is not None:
            told = (self, None, self._mid, self._answer, None)
            asyncio.get_running_loop().call_soon(lambda: self.on_publish(*told))
        return SimpleNamespace(mid=self._mid)


@pytest.mark.parametrize(
    ("answer", "tells", "denied"),
    [
        (TAKEN, True, ""),
        (DENIED, True, "Not authorized"),
        (TAKEN, False, None),
        (None, True, None),
        (None, False, None),
    ],
)
async def test_only_what_the_broker_said_counts(
    monkeypatch: pytest.MonkeyPatch, answer: ReasonCode | None, tells: bool, denied: str | None
) -> None:
    if answer is None:
        monkeypatch.setattr(rights, "WITHIN_S", 0.01)
    its = Rights(TOPIC, lambda _: None, tells=tells)
    its.begin(Line(answer))
    assert await its.tried() == (TOPIC, denied)


async def test_before_the_first_connection_nobody_knows() -> None:
    assert await Rights(TOPIC, lambda _: None, tells=True).tried() == (TOPIC, None)


async def test_what_is_thrown_away_is_told_once_for_each_connection() -> None:
    told: list[str] = []
    its = Rights(TOPIC, told.append, tells=True)
    for _ in range(2):
        its.begin(Line(DENIED))
        for _ in range(3):
            await its.tried()
    assert told == ["Not authorized"] * 2

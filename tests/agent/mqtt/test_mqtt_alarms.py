"""Alarms over MQTT and as metrics: what is said of them, when, and that nothing old stays."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import jsonschema

from agent.fleet.events import EventLog
from agent.metrics.alarms import alarm_families
from agent.mqtt.alarms import AlarmTopics
from agent.mqtt.topics import Topics
from agent.safety.alarm import Notice
from agent.safety.alarms import Alarms
from tests.agent.alarms_bench import Time
from tests.golden import assert_golden

SCHEMA = Path(__file__).parents[3] / "docs" / "schemas" / "alarm.json"
HOT = Notice(
    name="oven-too-hot",
    priority="high",
    group="oven1",
    device="oven1",
    titles={"ko": "오븐 과열", "en": "Oven too hot"},
    todo={"en": "Open the oven's door"},
)


class Broker:
    """Keeps the last message of each topic, as a broker does."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def retain(self, topic: str, payload: bytes) -> None:
        """See Outbox."""
        self.kept.pop(topic, None)
        if payload:
            self.kept[topic] = payload


def made() -> tuple[Alarms, Broker, AlarmTopics]:
    alarms, broker = Alarms(Time(), EventLog(Time())), Broker()
    return alarms, broker, AlarmTopics("bench-1", alarms, Topics("bench-1"), broker)  # type: ignore[arg-type]


async def test_the_broker_keeps_every_alarm_as_it_stands() -> None:
    alarms, broker, topics = made()
    signal = alarms.signal(HOT)
    topics.announce()
    said = json.loads(broker.kept["lab/v1/bench-1/alarm/oven-too-hot"])
    assert said["state"] == "normal"
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(topics.follow())
        await asyncio.sleep(0)
        signal.on("oven1.temperature is 161 °C and must be below 160 °C")
        async with asyncio.timeout(2):
            while said["state"] == "normal":
                await asyncio.sleep(0)
                said = json.loads(broker.kept["lab/v1/bench-1/alarm/oven-too-hot"])
        following.cancel()
    jsonschema.validate(said, json.loads(await asyncio.to_thread(SCHEMA.read_text, "utf-8")))
    shown = json.dumps(said, indent=2, ensure_ascii=False) + "\n"
    await asyncio.to_thread(assert_golden, "mqtt/alarm.json", shown)


def test_what_the_broker_keeps_of_an_alarm_that_is_no_more_is_cleared() -> None:
    alarms, broker, topics = made()
    old = "lab/v1/bench-1/alarm/of-last-year"
    broker.kept[old] = b"{}"
    alarms.signal(HOT)
    topics.announce()
    topics.see_kept(old)
    alarms.forget("oven-too-hot")
    topics.catch_up()
    assert broker.kept == {}


def test_metrics_tell_of_each_alarm_whether_it_is_so_and_waits_for_somebody() -> None:
    alarms, _, _ = made()
    signal = alarms.signal(HOT)
    signal.on("hot")
    signal.off()
    samples = [it for family in alarm_families(alarms.all.values()) for it in family.samples]
    labels = {"alarm": "oven-too-hot", "priority": "high"}
    assert [(it.name, it.labels, it.value) for it in samples] == [
        ("labkeeper_alarm_active", labels, 0.0),
        ("labkeeper_alarm_unacknowledged", labels, 1.0),
    ]


def test_an_alarm_that_somebody_has_put_aside_waits_for_nobody_until_it_is_taken_up_again() -> None:
    alarms, _, _ = made()
    alarms.signal(HOT).on("hot")
    alarm = alarms.all["oven-too-hot"]

    def waits() -> list[float]:
        *_, family = alarm_families([alarm])
        return [it.value for it in family.samples]

    assert waits() == [1.0]
    alarm.shelve("kim", until=1e10)
    assert waits() == [0.0]
    alarm.unshelve()
    assert waits() == [1.0]

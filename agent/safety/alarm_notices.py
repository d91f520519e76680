"""What the alarms are called that config has and that the agent has of its own, and what to do. Pure.

The agent's own have a dot in their names, which config can't give.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from agent.safety.alarm import Notice
from agent.settings import AlarmRule, Device, Interlock, Title, Todo

URGENCY: Final = ("low", "medium", "high", "critical")
"""The priorities, the least urgent first."""


def of_rule(rule: AlarmRule) -> Notice:
    """An alarm of config."""
    return Notice(
        name=rule.name,
        priority=rule.priority,
        group=rule.group,
        device=rule.condition.device,
        titles=_said(rule.title),
        todo=_said(rule.todo),
    )


def of_reading(device: str, reading: str, rules: Iterable[AlarmRule]) -> Notice:
    """That a reading fails which alarms depend on: as urgent as the most urgent of them."""
    name = f"{device}.{reading}"
    return Notice(
        name=f"reading.{name}",
        priority=max((it.priority for it in rules), key=URGENCY.index),
        group=device,
        device=device,
        titles={"ko": f"{name} 값을 믿을 수 없음", "en": f"{name} can't be believed"},
        todo={
            "ko": "센서와 배선을 확인하십시오. 이 값의 알람은 작동하지 않습니다.",
            "en": "Check the sensor and its wiring: until then no alarm on it can come.",
        },
    )


def of_offline(device: Device) -> Notice:
    """That a device stays away."""
    name = device.name
    return Notice(
        name=f"offline.{name}",
        group=name,
        device=name,
        titles={
            "ko": f"{device.title.ko or name} 응답 없음",
            "en": f"{device.title.en or name} does not answer",
        },
        todo={
            "ko": f"전원과 케이블을 확인한 뒤: labkeeper reconnect {name}",
            "en": f"Check its power and its cable, then: labkeeper reconnect {name}",
        },
    )


def of_trip(interlock: Interlock) -> Notice:
    """That an interlock has tripped. It is grouped with what else may happen to what it looks at."""
    name = interlock.name
    return Notice(
        name=trip_name(name),
        priority="high",
        group=interlock.requires[0].device,
        titles={
            "ko": f"인터록 작동: {interlock.title.ko or name}",
            "en": f"Interlock tripped: {interlock.title.en or name}",
        },
        todo={
            "ko": "장치를 확인하십시오. 확인(ack)한 뒤에야 다시 조작할 수 있습니다.",
            "en": "Look at the devices: they take nothing again before this is acknowledged.",
        },
    )


def trip_name(interlock: str) -> str:
    """What the alarm of an interlock's trip is called."""
    return f"interlock.{interlock}"


def _said(texts: Title | Todo) -> Mapping[str, str]:
    return {language: text for language, text in (("ko", texts.ko), ("en", texts.en)) if text}

"""The demo's station file and its file to print, as text. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from agent.cli.demo.ports import HOST, DemoPorts

STATION: Final = "demo"
MARK: Final = "# Written by `labkeeper demo`, and written anew each time."


@dataclass(frozen=True, slots=True)
class DemoDevice:
    """One of the five: driver, address with `{port}` or `{path}` to fill in, titles, what its end means."""

    driver: str
    address: str
    en: str
    ko: str
    on_shutdown: str = "leave"


DEVICES: Final[Mapping[str, DemoDevice]] = {
    "psu1": DemoDevice(
        "siglent.spd1000x", "tcp://{host}:{port}", "Bench supply", "전원 공급기", "make_safe"
    ),
    "dmm1": DemoDevice(
        "keysight.34460a", "visa://TCPIP0::{host}::{port}::SOCKET", "Multimeter", "멀티미터"
    ),
    "oven1": DemoDevice(
        "autonics.tk4", "modbus+tcp://{host}:{port}?unit=1", "Oven", "오븐", "make_safe"
    ),
    "printer1": DemoDevice(
        "printers.marlin", "serial://{path}?baudrate=115200", "3D printer", "3D 프린터"
    ),
    "stage1": DemoDevice(
        "motion.grbl", "serial://{path}?baudrate=115200", "Motion stage", "이송 스테이지"
    ),
}

WATCHED: Final = """\
alarms:
  supply-high:
    title: {ko: 전원 전압이 높음, en: Supply voltage is high}
    reading: psu1.measured_voltage
    high: 10
    priority: high
    todo: {ko: 시료를 분리하고 전원 공급기의 출력을 끄십시오, en: Disconnect the sample and switch the output off}
  oven-hot:
    title: {ko: 오븐 과열, en: Oven too hot}
    reading: oven1.temperature
    high: 160
    priority: critical
    todo: {ko: 오븐 문을 열지 말고 식을 때까지 기다리십시오, en: Leave the door shut until it has cooled down}
schedules:
  nightly-check:
    title: {ko: 야간 자가 점검, en: Nightly self-check}
    recipe: nightly_check
    cron: 0 2 * * *
"""
"""What looks at the devices when nobody does, so that the pages about it have something to show."""


def station_file(
    folder: Path, room: Mapping[str, Mapping[str, Any]], ports: DemoPorts, *, broker: bool
) -> str:
    """The YAML of a station whose devices are those of the room of simulators."""
    lines = [
        MARK,
        f"name: {STATION}",
        "title: {ko: 시연 작업대, en: Demo bench}",
        f"state: {_quoted(folder)}",
        "files: files",
        "recipes: recipes",
        *(["mqtt:", f"  host: {HOST}", f"  port: {ports.broker}"] if broker else []),
        f"metrics: {{listen: '{HOST}:{ports.metrics}'}}",
        f"api: {{listen: '{HOST}:{ports.api}', socket: agent.sock}}",
        "log: {format: console}",
        "devices:",
    ]
    for name, device in DEVICES.items():
        lines += _device(name, device, room[name])
    return "\n".join(lines) + "\n" + WATCHED


def broker_file(folder: Path, port: int, user: str) -> str:
    """The configuration of mosquitto: loopback only, and what it keeps in the folder.

    Without `set_tcp_nodelay` a reply takes 40 ms. As root mosquitto would become another user,
    who may not write here; for others `user` means nothing.
    """
    return (
        f"listener {port} {HOST}\n"
        "allow_anonymous true\n"
        "set_tcp_nodelay true\n"
        "max_queued_messages 10000\n"
        "persistence true\n"
        f"persistence_location {folder}/\n"
        f"user {user}\n"
    )


def _device(name: str, device: DemoDevice, where: Mapping[str, Any]) -> list[str]:
    host, port = where.get("tcp", (HOST, 0))
    address = device.address.format(host=host, port=port, path=quote(where.get("pty", "")))
    return [
        f"  {name}:",
        f"    driver: {device.driver}",
        f"    address: {_quoted(address)}",
        f"    title: {{ko: {device.ko}, en: {device.en}}}",
        "    simulated: true",
        f"    on_shutdown: {device.on_shutdown}",
    ]


def _quoted(text: object) -> str:
    """A text as YAML takes it whatever it holds: JSON's strings are YAML's."""
    return json.dumps(str(text), ensure_ascii=False)

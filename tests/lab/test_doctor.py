"""The doctor at a real station: a real agent, simulators, and the broker of config/mosquitto."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.doctor.broker import broker as of_broker
from agent.doctor.patient import Patient
from tests.agent.doctor_bench import patient
from tests.lab.broker import Broker
from tests.lab.locked_broker import Authority, LockedBroker, locked_broker
from tests.lab.processes import (
    LABKEEPER,
    Agent,
    Room,
    agent,
    child,
    free_port,
    short_folder,
    station,
)

pytestmark = pytest.mark.lab

MQTT = """\
mqtt:
  host: 127.0.0.1
  port: {port}
  {more}
"""
TLS = "tls: {{authority: {0}/authority.crt, certificate: {0}/{1}.crt, key: {0}/{1}.key}}"


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    folder = short_folder()
    made = Authority(folder / "authority")
    made.client("bench-1")
    yield made
    shutil.rmtree(folder)


@dataclass
class Locked:
    """The locked broker, and the part of a config that names it."""

    broker: LockedBroker
    authority: Authority

    def mqtt(self, client: str = "bench-1", more: str = "") -> str:
        self.authority.client(client)
        tls = TLS.format(self.authority.folder, client)
        return MQTT.format(port=self.broker.port, more=f"{tls}\n  {more}")

    @property
    def log(self) -> str:
        return (self.broker._folder / "mosquitto.log").read_text("utf-8", "replace")


@pytest.fixture
async def locked(folder: Path, authority: Authority) -> AsyncIterator[Locked]:
    async with locked_broker(folder / "broker", authority) as running:
        yield Locked(running, authority)


async def told(folder: Path, config: str, **more: Any) -> list[str]:
    """What the examination of the broker says of a station with this config."""

    def examined() -> list[str]:
        who: Patient = patient(folder, config, **more)
        return [f"{it.verdict}: {it.text} → {it.todo}" for it in of_broker(who)]

    return await asyncio.to_thread(examined)


async def test_a_broker_that_lets_the_station_in_and_write_is_right(
    locked: Locked, folder: Path
) -> None:
    said = [it.partition(" → ")[0] for it in await told(folder, await mqtt_of(locked))]
    said[1] = re.sub(r"\d+", "N", said[1])
    assert said == [
        f"right: something listens at 127.0.0.1:{locked.broker.port}",
        "right: the broker's certificate is good for N days",
        "right: the broker lets the station in",
        "right: the broker lets the station write lab/v1/bench-1/reply/doctor",
    ]


async def mqtt_of(locked: Locked, client: str = "bench-1", more: str = "") -> str:
    return await asyncio.to_thread(locked.mqtt, client, more)


async def test_a_certificate_of_another_station_may_not_write_as_this_one(
    locked: Locked, folder: Path
) -> None:
    said = (await told(folder, await mqtt_of(locked, "bench-2")))[-1]
    assert said.startswith("wrong: the broker does not let the station write lab/v1/bench-1/reply/")
    assert "Not authorized → ask who manages the broker" in said


async def test_an_old_protocol_does_not_tell_and_that_is_said(locked: Locked, folder: Path) -> None:
    said = (await told(folder, await mqtt_of(locked, more='protocol: "3.1.1"')))[-1]
    assert said.startswith("unknown: whether it takes what the station says was not told")


async def test_a_certificate_that_the_broker_does_not_know_is_wrong(
    locked: Locked, folder: Path
) -> None:
    foreign = await asyncio.to_thread(Authority, folder / "foreign")
    await asyncio.to_thread(foreign.client, "bench-1")
    mine = f"{{authority: {locked.authority.folder}/authority.crt, "
    files = f"certificate: {foreign.folder}/bench-1.crt, key: {foreign.folder}/bench-1.key}}"
    config = MQTT.format(port=locked.broker.port, more=f"tls: {mine}{files}")
    said = (await told(folder, config))[-1]
    assert said.startswith(
        "wrong: the broker and the station do not believe each other: it does not"
    )


async def test_where_an_agent_may_run_nobody_logs_in(locked: Locked, folder: Path) -> None:
    said = (await told(folder, await mqtt_of(locked), runs=None))[-1]
    assert said.startswith("unknown: whether an agent runs is not known, so nobody logs in")
    assert "as bench-1" not in locked.log


class Strict(Broker):
    """A broker that knows nobody's password."""

    def _config(self) -> str:
        (self._folder / "passwords").touch(mode=0o600)
        known = f"allow_anonymous false\npassword_file {self._folder}/passwords"
        return super()._config().replace("allow_anonymous true", known)

    async def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(self.host, self.port)
            writer.close()
            return True
        return False


async def test_a_password_that_the_broker_does_not_take_is_wrong(folder: Path) -> None:
    (folder / "password").write_text("a password")
    broker = Strict(folder / "broker")
    await broker.start()
    who = f"username: bench-1\n  password_file: {folder}/password"
    said = (await told(folder, MQTT.format(port=broker.port, more=who)))[-1]
    await broker.stop()
    assert said.startswith("wrong: the broker turned the station away: Not authorized → check mqtt")


async def test_no_broker_at_all_is_wrong(folder: Path) -> None:
    [said] = await told(folder, MQTT.format(port=free_port(), more="keepalive: 15"))
    assert "connection refused → see that the broker runs" in said


@dataclass
class Examined:
    """What `labkeeper doctor --json` says."""

    code: int
    report: dict[str, Any]

    def of(self, name: str) -> list[str]:
        return [
            f"{it['verdict']}: {it['text']}"
            for it in self.report["findings"]
            if it["examination"] == name
        ]


async def doctor(running: Agent) -> Examined:
    out, code = await said(running, "--json")
    return Examined(code, json.loads(out))


async def said(running: Agent, *words: str, **environment: str) -> tuple[str, int]:
    """What `labkeeper doctor` prints of a station, and its exit code."""
    line = (*LABKEEPER, "doctor", "--config", str(running.config), *words)
    async with child(*line, environment=environment) as process:
        out, _ = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode is not None
        return out.decode(), process.returncode


async def test_a_station_is_examined_while_it_works_and_feels_nothing(
    lab: Room, folder: Path, locked: Locked
) -> None:
    config = station(folder, lab.five(), more=await mqtt_of(locked))
    config = config.replace(
        'api: {listen: "127.0.0.1:0"}', f"api: {{listen: '127.0.0.1:{free_port()}'}}"
    )
    async with agent(folder, config) as running:
        await running.until_ready("psu1", "dmm1", "oven1", "printer1", "stage1")
        await running.until_said("mqtt.connected")
        before = await running.devices()
        right_in_all(await doctor(running))
        page, _ = await said(running, LABKEEPER_LANGUAGE="ko")
        assert "✓ 정상" in page
        assert not re.search(r"✓ right|! doubtful|is ready", page)
        after = await running.devices()
        assert [it["since"] for it in after.values()] == [it["since"] for it in before.values()]
        assert not running.events("mqtt.lost")
    found = await doctor(running)
    assert found.report["agent"] == "stopped"
    assert found.of("broker")[-1].startswith("right: the broker lets the station write ")
    assert found.of("ports")[0].endswith("is there, and free")


async def test_an_agent_that_the_broker_lets_in_and_not_write_hears_that_and_so_does_who_examines_it(
    folder: Path, locked: Locked
) -> None:
    config = station(folder, "devices: {}", more=await mqtt_of(locked, "bench-2"))
    async with agent(folder, config) as running:
        await running.until_said("mqtt.denied")
        await running.until_said("agent.started")
        found = await doctor(running)
        await doctor(running)
        assert len(running.events("mqtt.denied")) == 1
        assert not running.events("mqtt.lost")
    assert "does not take all that the agent publishes (Not authorized)" in running.log
    assert found.code == 3
    assert found.of("broker")[-2:] == [
        "right: the agent is connected to it",
        "wrong: the broker does not let the station write lab/v1/bench-1/reply/doctor: "
        "Not authorized",
    ]


async def test_of_an_agent_that_speaks_an_old_protocol_it_is_said_that_nobody_tells(
    folder: Path, locked: Locked
) -> None:
    config = station(folder, "devices: {}", more=await mqtt_of(locked, more='protocol: "3.1.1"'))
    async with agent(folder, config) as running:
        await running.until_said("mqtt.connected")
        await running.until_said("agent.started")
        found = await doctor(running)
    assert found.of("broker")[-1].startswith("unknown: whether it takes what the station says was")


def right_in_all(found: Examined) -> None:
    """Every examination that has to do with this station, and not with the machine, is right."""
    assert found.of("broker")[-2:] == [
        "right: the agent is connected to it",
        "right: the broker lets the station write lab/v1/bench-1/reply/doctor",
    ]
    assert [it.partition(":")[0] for it in found.of("devices")] == ["right"] * 5
    assert {it.rpartition(", ")[2] for it in found.of("ports")} == {"and the agent has it"}
    for name in ("config", "database", "web", "disk"):
        assert all(it.startswith("right: ") for it in found.of(name)), found.of(name)
    assert "nobody is an administrator here" in found.of("people")[0]
    assert (found.report["station"], found.report["agent"]) == ("bench-1", "running")
    assert found.code == (3 if found.report["counts"]["wrong"] else 0)

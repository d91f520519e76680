"""Every way in to a device leads through the gate: what an interlock guards is refused on each."""

from __future__ import annotations

import ast
import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.mqtt.verbs import KEYS
from tests.lab.broker import running_broker
from tests.lab.processes import LABKEEPER, Agent, Room, agent, child, station
from tests.lab.witness import Witness, soon, witness

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]

AGENT = Path(__file__).resolve().parents[2] / "agent"
NEVER = """\
interlocks:
  never:
    requires: {oven1.temperature: {above: 1000}}
    guards: [psu1.output, psu1.voltage, psu1.ramp]
"""
RECIPE = """\
name: door
version: "1"
devices: {supply: {driver: siglent.spd1000x, device: psu1}}
steps:
  - set: {supply.voltage: 5}
"""
WHY = "refused by the interlock never: oven1.temperature is"
Way = Callable[[Agent, Witness], Awaitable[str]]


def typed(*words: str) -> Way:
    async def way(running: Agent, _: Witness) -> str:
        arguments = (*LABKEEPER, "--socket", str(running.socket), *words)
        async with child(*arguments, stderr=asyncio.subprocess.STDOUT) as process:
            said = (await process.communicate())[0].decode()
            assert process.returncode == 2
            return said

    return way


async def api_of(running: Agent) -> str:
    """Where the API listens over TCP, as the agent's log says when it has started."""
    async with asyncio.timeout(10):
        while not (started := running.events("agent.started")):
            await asyncio.sleep(0.05)
    found = re.search(r"API (http://[^,]+),", started[0]["text"])
    assert found
    return found[1]


@asynccontextmanager
async def client_of(running: Agent, *, by_socket: bool) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API, over the Unix socket or over TCP with the token."""
    token = (running.folder / "state" / "api-token").read_text().strip()
    uds = str(running.socket) if by_socket else None
    base = "http://labkeeper" if by_socket else await api_of(running)
    async with httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(uds=uds),
        base_url=base,
        headers={"Authorization": f"Bearer {token}"},
    ) as client:
        yield client


def requested(method: str, path: str, body: dict[str, Any], *, by_socket: bool) -> Way:
    async def way(running: Agent, _: Witness) -> str:
        async with client_of(running, by_socket=by_socket) as client:
            answer = await client.request(method, f"/api/v1/devices/psu1/{path}", json=body)
        assert answer.status_code == 409
        assert answer.json()["type"].endswith(":interlocked")
        return str(answer.json()["detail"])

    return way


def published(verb: str, **body: Any) -> Way:
    async def way(_: Agent, heard: Witness) -> str:
        answer = await heard.ask(
            f"lab/v1/bench-1/command/{verb}",
            response_topic="test/answers",
            id=f"way-{verb}",
            **body,
        )
        assert answer.form["status"] == "refused"
        return str(answer.form["message"])

    return way


async def failed(running: Agent, job: str) -> str:
    """Why a job failed."""
    async with asyncio.timeout(10):
        while not (found := await running.get(f"/jobs/{job}"))["ended"]:
            await asyncio.sleep(0.05)
    assert found["state"] == "failed", found
    return str(found["why"])


def job_typed() -> Way:
    async def way(running: Agent, _: Witness) -> str:
        words = ("--socket", str(running.socket), "--json", "job", "start", "door")
        async with child(*LABKEEPER, *words) as process:
            said = (await process.communicate())[0].decode()
        return await failed(running, json.loads(said)["job"])

    return way


def job_requested(*, by_socket: bool) -> Way:
    async def way(running: Agent, _: Witness) -> str:
        async with client_of(running, by_socket=by_socket) as client:
            answer = await client.post("/api/v1/jobs", json={"recipe": "door"})
        assert answer.status_code == 200, answer.text
        return await failed(running, answer.json()["job"])

    return way


def job_published() -> Way:
    async def way(running: Agent, heard: Witness) -> str:
        answer = await heard.ask(
            "lab/v1/bench-1/command/job.start",
            response_topic="test/jobs",
            id="way-job",
            not_after=soon(),
            recipe="door",
        )
        assert answer.form["status"] == "done", answer.form
        return await failed(running, answer.form["value"]["job"])

    return way


SET, DO = "settings/voltage", "commands/ramp"
WAYS = {
    "command line, a setting": typed("set", "psu1.voltage", "5"),
    "command line, a command": typed("do", "psu1.ramp", "to=5", "rate=1"),
    "socket, a setting": requested("PUT", SET, {"value": 5.0}, by_socket=True),
    "socket, a command": requested(
        "POST", DO, {"arguments": {"to": 5.0, "rate": 1.0}}, by_socket=True
    ),
    "TCP, a setting": requested("PUT", SET, {"value": 5.0}, by_socket=False),
    "TCP, a command": requested(
        "POST", DO, {"arguments": {"to": 5.0, "rate": 1.0}}, by_socket=False
    ),
    "MQTT, a setting": published("set", device="psu1", name="voltage", value=5.0),
    "MQTT, a command": published(
        "do", device="psu1", name="ramp", arguments={"to": 5.0, "rate": 1.0}
    ),
    "command line, a job": job_typed(),
    "socket, a job": job_requested(by_socket=True),
    "TCP, a job": job_requested(by_socket=False),
    "MQTT, a job": job_published(),
}
ASKING = {"read"}
ABOUT_JOBS = {"job.pause", "job.resume", "job.hold", "job.release", "job.answer"}
"""What lets a job go on or not; each of its own requests passes the gate in the name of the job."""
STOPPING = {"stop", "job.stop"}


async def test_what_an_interlock_guards_is_refused_on_every_way_in(lab: Room, folder: Path) -> None:
    async with running_broker(folder / "broker") as broker:
        covered = (
            "spd1000x, safe_by: {output: {by: hardware}},"  # so that jobs may be asked for by MQTT
        )
        devices = lab.five().replace("spd1000x,", covered)
        config = station(folder, devices, broker_port=broker.port, more=NEVER)
        (folder / "recipes").mkdir(parents=True)
        (folder / "recipes" / "door.yaml").write_text(RECIPE, "utf-8")
        async with agent(folder, config) as running, witness(broker) as heard:
            await running.until_ready("psu1", "oven1")
            for name, way in WAYS.items():
                assert WHY in await way(running, heard), name
            wire = await running.get("/devices/psu1/wire")
            sent = [it["text"] for it in wire["entries"] if it["kind"] == "sent"]
            assert sent
            assert not [text for text in sent if text.startswith("VOLT ")]


def test_every_request_over_mqtt_that_moves_something_is_among_the_ways_in() -> None:
    moving = {*KEYS} - ASKING - ABOUT_JOBS - STOPPING
    assert moving == {"set", "do", "job.start"}
    assert len([name for name in WAYS if name.startswith("MQTT")]) == len(moving)


def calls(path: Path) -> Iterator[str]:
    """What is called in a file under the names by which a device is changed, with its receiver."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=receiver, attr="set" | "do"), args=[_, *_]):
                yield ast.unparse(receiver)


def test_nothing_but_the_gate_has_a_device_changed() -> None:
    found = {
        (path.relative_to(AGENT).as_posix(), receiver)
        for path in AGENT.rglob("*.py")
        for receiver in calls(path)
        # A job's hands have the gate behind them, and a context variable is no device.
        if not receiver.endswith(("gate", "hands", "_TELL"))
    }
    assert found == {("safety/gate.py", "worker"), ("fleet/device.py", "requests")}

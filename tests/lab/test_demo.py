"""The demo as a newcomer runs it: real processes that come up, show something, and end."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.cli.client import AgentClient
from agent.cli.demo.folder import prepared
from agent.cli.demo.parts import broker_on
from agent.cli.demo.ports import DemoPorts
from agent.cli.demo.station import DEVICES, station_file
from agent.errors import AlreadyRunning
from agent.settings import load
from agent.store.folder import owned
from tests.lab.processes import LABKEEPER, child, free_port

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]

UP_S = 40.0
END_S = 15.0


@asynccontextmanager
async def demo(*options: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    """A demo that is up, and what it says of itself."""
    async with child(*LABKEEPER, "demo", "--json", *options) as process:
        assert process.stdout is not None
        async with asyncio.timeout(UP_S):
            line = await process.stdout.readline()
        yield process, json.loads(line)


async def ended(process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(END_S):
        return await process.wait()


async def spoken(*options: str) -> tuple[int, str, str]:
    """Run a demo to its end: exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        *LABKEEPER,
        "demo",
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(UP_S + END_S):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def test_five_devices_are_up_moving_and_gone_at_the_end_with_all_that_was_started() -> None:
    async with demo("--speed", "3") as (process, place):
        room = Path(f"/proc/{place['pids']['simulators']}/cmdline").read_bytes()
        assert room.split(b"\0")[-3:] == [b"--speed", b"3.0", b""]
        devices = await asyncio.to_thread(_devices, place)
        assert sorted(devices) == sorted(DEVICES)
        assert {device["state"] for device in devices.values()} <= {"ready", "busy"}
        async with asyncio.timeout(UP_S):
            while _qualities(devices) != {"simulated"}:  # a busy machine may read one late
                devices = await asyncio.to_thread(_devices, place)
        assert devices["oven1"]["values"]["running"]["value"] is True
        assert devices["psu1"]["values"]["output"]["value"] is True
        await _warmer(place)
        async with httpx.AsyncClient() as client:
            page = (await client.get(place["metrics"]["url"])).text
            over_tcp = (await client.get(f"{place['api']['url']}/devices")).json()
        assert 'labkeeper_temperature_celsius{device="oven1",reading="temperature"}' in page
        assert len(over_tcp) == len(DEVICES)
        if shutil.which("mosquitto", path="/usr/sbin:/usr/bin"):
            assert await listens(place["broker"]["port"])
        process.send_signal(signal.SIGTERM)
        assert await ended(process) == 0
        assert not [name for name, pid in place["pids"].items() if lives(pid)]
        assert not Path(place["folder"]).exists()


def _devices(place: dict[str, Any]) -> dict[str, Any]:
    with AgentClient(Path(place["socket"])) as client:
        return {device["device"]: device for device in client.get("devices")}


async def _warmer(place: dict[str, Any]) -> None:
    """Wait until the oven is hotter than at first, as a newcomer would."""
    first = (await asyncio.to_thread(_devices, place))["oven1"]["values"]["temperature"]["value"]
    async with asyncio.timeout(30):
        while (await asyncio.to_thread(_devices, place))["oven1"]["values"]["temperature"][
            "value"
        ] <= first:
            await asyncio.sleep(0.2)


async def test_a_person_is_told_where_to_look_sees_the_table_and_it_ends_after_its_time(
    tmp_path: Path,
) -> None:
    code, out, err = await spoken("--seconds", "4", "--state", str(tmp_path / "d"))
    assert (code, err) == (0, "")
    for word in ("/api/v1/devices", "/metrics", "agent.sock", "oven1.setpoint: ", "Ctrl-C ends"):
        assert word in out
    assert f"export LABKEEPER_SOCKET={tmp_path / 'd' / 'agent.sock'}\n" in out
    assert max(len(line) for line in out.partition("Try, in")[2].splitlines()[4:14]) < 60
    table = out.strip().split("\n\n")[-1].splitlines()
    assert [line.split()[0] for line in table] == sorted(DEVICES)
    assert "temperature " in out
    assert (tmp_path / "d" / "agent.log").read_text().count("is stopping") == 1


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGHUP], ids=["Ctrl-C", "terminal closed"])
async def test_the_end_of_the_demo_is_the_end_of_all_that_it_started(
    end: signal.Signals, tmp_path: Path
) -> None:
    async with demo("--state", str(tmp_path / "d")) as (process, place):
        process.send_signal(end)
        assert await ended(process) == 0
        assert not [name for name, pid in place["pids"].items() if lives(pid)]


async def test_a_terminal_that_goes_away_ends_the_demo_and_is_no_defect(tmp_path: Path) -> None:
    terminal, inside = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(*LABKEEPER, "demo", "--state", str(tmp_path / "d")),
        stdout=inside,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TERM": "xterm", "TMPDIR": str(tmp_path)},
    )
    os.close(inside)
    await asyncio.to_thread(_read_until, terminal, b"dmm1")  # a title may not fit
    os.close(terminal)
    process.send_signal(signal.SIGHUP)  # as a system does to the programs of a closed terminal
    assert await ended(process) == 1
    assert process.stderr is not None
    assert b"the answer can't be written: input/output error" in await process.stderr.read()
    assert not list(tmp_path.glob("labkeeper-defect-*"))
    assert (tmp_path / "d" / "agent.log").read_text().count("is stopping") == 1


def _qualities(devices: dict[str, Any]) -> set[str]:
    """How far the values of these devices are to be believed."""
    return {it["quality"] for device in devices.values() for it in device["values"].values()}


def _read_until(terminal: int, words: bytes) -> None:
    """Read what a terminal shows until these words are there."""
    seen = b""
    while words not in seen:
        seen += os.read(terminal, 65536)


async def test_a_child_that_dies_ends_the_demo_with_the_end_of_its_log(tmp_path: Path) -> None:
    arguments = [*LABKEEPER, "demo", "--json", "--state", str(tmp_path / "d")]
    process = await asyncio.create_subprocess_exec(
        *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(UP_S):
        place = json.loads(await process.stdout.readline())
    os.kill(place["pids"]["agent"], signal.SIGKILL)
    async with asyncio.timeout(END_S):
        _, err = await process.communicate()
    assert process.returncode == 2
    assert "the demo's agent ended with -9" in err.decode()
    assert "runs: 5 of 5 devices answer" in err.decode()
    assert not [name for name, pid in place["pids"].items() if lives(pid)]


@pytest.mark.parametrize("option", ["--broker-port", "--metrics-port", "--api-port"])
async def test_a_port_in_use_is_a_sentence_and_nothing_is_started(
    option: str, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, out, err = await spoken(option, port, "--state", str(tmp_path / "d"))
    assert (code, out) == (2, "")
    assert f"{option} {port}: another program listens there" in err
    assert not (tmp_path / "d").exists()


async def test_one_port_for_two_purposes_is_refused() -> None:
    port = str(free_port())
    code, _, err = await spoken("--api-port", port, "--metrics-port", port)
    assert code == 2
    assert "another program listens there" in err


async def test_a_folder_with_a_station_of_somebodys_own_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "station.yaml").write_text("name: mine\n")
    code, _, err = await spoken("--state", str(tmp_path))
    assert code == 2
    assert "is not the demo's" in err
    assert (tmp_path / "station.yaml").read_text() == "name: mine\n"


async def test_a_folder_where_another_demo_works_is_left_alone_with_its_devices(
    tmp_path: Path,
) -> None:
    async with demo("--state", str(tmp_path / "d")) as (_, place):
        before = await asyncio.to_thread(_events, place)
        config = Path(place["config"]).read_text()
        code, out, err = await spoken("--seconds", "4", "--state", str(tmp_path / "d"))
        assert (code, out) == (2, "")
        assert f"another demo works with {tmp_path / 'd'}: end it first" in err
        assert await asyncio.to_thread(_events, place) == before  # nothing was set there
        assert Path(place["config"]).read_text() == config


def _events(place: dict[str, Any]) -> list[str]:
    with AgentClient(Path(place["socket"])) as client:
        return [event["text"] for event in client.get("events")]


def test_a_folder_where_an_agent_works_is_left_alone(tmp_path: Path) -> None:
    refused = pytest.raises(AlreadyRunning, match="an agent works with")
    with owned(tmp_path), refused, prepared(tmp_path):
        pass
    assert not (tmp_path / "files").exists()


async def test_an_agent_that_can_not_start_is_told_with_its_own_words(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 20)
    code, _, err = await spoken("--state", str(folder))
    assert code == 2
    assert "the demo's agent ended with 2" in err
    assert "choose a shorter one" in err


async def test_without_mosquitto_it_says_so_once_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    async with broker_on(free_port(), tmp_path) as broker:
        assert broker is None
    assert capsys.readouterr().err.count("mosquitto is not installed") == 1


@pytest.mark.parametrize("broker", [True, False])
def test_the_station_file_is_a_config_that_the_agent_takes(tmp_path: Path, broker: bool) -> None:
    room = {
        name: {"tcp": ["127.0.0.1", port]} if "{port}" in device.address else {"pty": f"/p/{name}"}
        for port, (name, device) in enumerate(DEVICES.items(), 5025)
    }
    folder = tmp_path / 'odd "name": 한글'
    folder.mkdir()
    config = folder / "station.yaml"
    ports = DemoPorts(broker=1883, metrics=9464, api=8080)
    config.write_text(station_file(folder, room, ports, broker=broker), "utf-8")
    station = load(config)
    assert sorted(station.devices) == sorted(DEVICES)
    assert all(device.simulated for device in station.devices.values())
    assert station.state == folder
    assert (station.mqtt is not None) is broker

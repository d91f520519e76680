"""The whole station in real processes: what it shows, and how it comes back from trouble."""

import asyncio
import signal
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.lab.processes import LABKEEPER, Agent, Room, agent, child, free_port, room, station

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]
FIVE = ("psu1", "dmm1", "oven1", "printer1", "stage1")
RECOVERY_S = 5.0


def _qualities(device: dict[str, Any]) -> set[str]:
    return {value["quality"] for value in device["values"].values()}


def _metrics_port(config: str) -> int:
    line = next(line for line in config.splitlines() if line.startswith("metrics:"))
    return int(line.split(":")[-1].strip('"}'))


async def _scraped(port: int) -> set[tuple[str, str]]:
    """Metric and device of every value series."""
    async with httpx.AsyncClient() as client:
        page = (await client.get(f"http://127.0.0.1:{port}/metrics", timeout=5)).text
    return {
        (sample.name, sample.labels["device"])
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if "reading" in sample.labels
    }


async def test_all_five_devices_are_live_with_believable_values(lab: Room, folder: Path) -> None:
    async with agent(folder, station(folder, lab.five())) as running:
        devices = await running.until_ready(*FIVE)
        for name in FIVE:
            assert _qualities(devices[name]) == {"simulated"}, devices[name]
            assert devices[name]["identity"]
        assert 0 < devices["oven1"]["values"]["temperature"]["value"] < 100
        assert devices["oven1"]["values"]["temperature"]["unit"] == "Cel"
        assert devices["printer1"]["values"]["nozzle"]["unit"] == "Cel"


@pytest.mark.parametrize(
    ("name", "gone", "back"),
    [
        ("psu1", "stop", "start"),
        ("dmm1", "stop", "start"),
        ("oven1", "stop", "start"),
        ("printer1", "unplug", "plug"),
        ("stage1", "unplug", "plug"),
    ],
)
async def test_a_device_that_goes_and_returns_is_never_shown_as_good_meanwhile(
    lab: Room, folder: Path, name: str, gone: str, back: str
) -> None:
    config = station(folder, lab.five())
    async with agent(folder, config) as running:
        await running.until_ready(*FIVE)
        await lab.control.ask(name, do=gone)
        devices = await running.until(lambda found: found[name]["state"] == "offline")
        assert _qualities(devices[name]) <= {"stale", "bad"}
        series = await _scraped(_metrics_port(config))
        assert not [metric for metric, device in series if device == name]
        assert {device for _, device in series} == set(FIVE) - {name}
        assert all(devices[other]["state"] == "ready" for other in FIVE if other != name)
        await lab.control.ask(name, do=back)
        await running.until_ready(name, seconds=RECOVERY_S)
        # Each value is believed again when it has been read again, the slow ones later.
        await running.until(lambda found: _qualities(found[name]) == {"simulated"}, RECOVERY_S)


async def test_killed_simulators_on_ptys_are_found_again_under_their_stable_names(
    folder: Path,
) -> None:
    async with room(folder / "room") as first:
        config = station(folder, first.five())
        async with agent(folder, config) as running:
            await running.until_ready(*FIVE)
            # As the system does for a port that has gone: else the name soon leads to another's.
            for name in ("printer1", "stage1"):
                Path(first.pty(name)).unlink()
            first.process.kill()
            await first.process.wait()
            await running.until(lambda found: all(d["state"] == "offline" for d in found.values()))
            async with room(folder / "room"):
                await running.until_ready("printer1", "stage1", seconds=RECOVERY_S)


async def test_sigterm_makes_safe_what_is_configured_so_and_ends_in_time(
    lab: Room, folder: Path
) -> None:
    host, port = lab.tcp("psu1")
    devices = lab.five().replace("spd1000x,", "spd1000x, on_shutdown: make_safe,")
    async with agent(folder, station(folder, devices)) as running:
        await running.until_ready(*FIVE)
        await _put(running, "/devices/psu1/settings/output", True)
        assert await _asked(host, port, b"SYST:STAT?") & 0x10
        # the supply takes one connection, and ours has ended the agent's: let it come back
        await running.until_ready("psu1")
        running.signal(signal.SIGTERM)
        assert await running.ended(5.0) == 0
        assert not await _asked(host, port, b"SYST:STAT?") & 0x10


async def _put(running: Agent, path: str, value: object) -> None:
    transport = httpx.AsyncHTTPTransport(uds=str(running.socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://labkeeper") as client:
        reply = await client.put(f"/api/v1{path}", json={"value": value}, timeout=5)
        assert reply.status_code == 200, reply.text


async def _asked(host: str, port: int, query: bytes) -> int:
    """Ask the supply's status word past the agent."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(query + b"\n")
    async with asyncio.timeout(3):
        word = int(await reader.readline(), 16)
    writer.close()
    await writer.wait_closed()
    return word


async def test_sighup_applies_only_what_changed(lab: Room, folder: Path) -> None:
    async with agent(folder, station(folder, lab.five())) as running:
        before = await running.until_ready(*FIVE)
        text = running.config.read_text()
        lines = [line for line in text.splitlines() if not line.startswith("  dmm1")]
        changed = "\n".join(lines).replace("spd1000x,", "spd1000x, limits: {voltage: {high: 5}},")
        running.config.write_text(changed + "\n")
        running.signal(signal.SIGHUP)
        after = await running.until(
            lambda d: "dmm1" not in d and d["psu1"]["since"] != before["psu1"]["since"]
        )
        await running.until_ready("psu1")
        assert after["oven1"]["since"] == before["oven1"]["since"]
        description = await running.get("/devices/psu1/description")
        (voltage,) = [s for s in description["settings"] if s["name"] == "voltage"]
        assert voltage["value"]["high"] == 5


async def test_sighup_with_a_wrong_config_keeps_the_old_and_says_why(
    lab: Room, folder: Path
) -> None:
    async with agent(folder, station(folder, lab.five())) as running:
        before = await running.until_ready(*FIVE)
        running.config.write_text(running.config.read_text().replace("tk4", "tk5"))
        running.signal(signal.SIGHUP)
        async with asyncio.timeout(5):
            while not running.events("config.refused"):
                await asyncio.sleep(0.05)
        assert "autonics.tk5" in running.events("config.refused")[0]["text"]
        after = await running.devices()
        assert {n: d["since"] for n, d in after.items()} == {
            n: d["since"] for n, d in before.items()
        }


async def test_ready_comes_after_the_first_round_and_the_watchdog_is_fed(
    lab: Room, folder: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.setblocking(False)
        environment = {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "300000"}
        async with agent(folder, station(folder, lab.five()), **environment) as running:
            loop = asyncio.get_running_loop()
            said = []
            async with asyncio.timeout(20):
                while "READY=1" not in said:
                    said.append((await loop.sock_recv(manager, 200)).decode())
                assert {d["state"] for d in (await running.devices()).values()} == {"ready"}
                while said.count("WATCHDOG=1") < 3:
                    said.append((await loop.sock_recv(manager, 200)).decode())
                running.signal(signal.SIGTERM)
                while "STOPPING=1" not in said:
                    said.append((await loop.sock_recv(manager, 200)).decode())


async def _refused_start(*arguments: str) -> tuple[int, str]:
    async with child(*LABKEEPER, *arguments, stderr=asyncio.subprocess.PIPE) as process:
        async with asyncio.timeout(15):
            out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, (out + err).decode()


@pytest.mark.parametrize("key", ["api", "metrics"])
async def test_a_port_in_use_is_said_in_a_sentence(folder: Path, key: str) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        config = station(folder, "devices: {}\n")
        lines = [line for line in config.splitlines() if not line.startswith(key)]
        (folder / "station.yaml").write_text(
            "\n".join([*lines, f'{key}: {{listen: "127.0.0.1:{port}"}}'])
        )
        code, said = await _refused_start("run", "--config", str(folder / "station.yaml"))
    assert code == 2
    assert f"{key}.listen" in said
    assert str(port) in said
    assert "Traceback" not in said


async def test_a_second_agent_on_the_same_station_is_refused(lab: Room, folder: Path) -> None:
    async with agent(folder, station(folder, lab.five())) as running:
        await running.until_ready(*FIVE)
        code, said = await _refused_start("run", "--config", str(running.config))
        assert code == 2
        assert "another agent" in said
        assert str(running.process.pid) in said
        await running.until_ready(*FIVE, seconds=1)


async def test_wrong_or_unreadable_config_is_refused_without_a_traceback(folder: Path) -> None:
    missing = await _refused_start("run", "--config", str(folder / "none.yaml"))
    (folder / "bad.yaml").write_text("name: bench-1\ndevices:\n  psu1: {driver: nonsense}\n")
    bad = await _refused_start("run", "--config", str(folder / "bad.yaml"))
    for code, said in (missing, bad):
        assert code == 2
        assert "Traceback" not in said
    assert "none.yaml" in missing[1]
    assert "bad.yaml:3:" in bad[1]


async def test_a_station_without_a_broker_does_everything_else_and_says_so_once(
    lab: Room, folder: Path
) -> None:
    config = station(folder, lab.five(), broker_port=free_port())
    async with agent(folder, config) as running:
        await running.until_ready(*FIVE)
        await _put(running, "/devices/oven1/settings/setpoint", 60)
        polls = 0
        while polls < 3:  # some attempts later it has still been said only once
            await asyncio.sleep(1)
            polls += 1
        assert len(running.events("mqtt.lost")) == 1

"""The end of the agent, whatever it is doing when it is told to end."""

import asyncio
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.lab.processes import Agent, Room, agent, child, station

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]
IN_TIME_S = 5.0


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port whose connections are taken and never answered."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        port: int = listener.getsockname()[1]
        yield port


async def _told(running: Agent, text: str) -> None:
    async with asyncio.timeout(15):
        while text not in running.log:
            await asyncio.sleep(0.02)


async def test_told_to_end_while_it_starts_it_does_not_wait_for_a_device_that_hangs(
    folder: Path, deaf: int
) -> None:
    slow = "timeouts: {first_byte: 60, whole: 60}"
    devices = f"""\
devices:
  psu1: {{driver: siglent.spd1000x, address: "tcp://127.0.0.1:{deaf}", {slow}}}
"""
    async with agent(folder, station(folder, devices)) as running:
        await running.until(lambda found: found["psu1"]["state"] == "connecting")
        assert not running.events("agent.started")
        running.signal(signal.SIGTERM)
        assert await running.ended(IN_TIME_S) == 0


async def test_ready_does_not_wait_for_ever_for_a_device_that_hangs(
    folder: Path, deaf: int
) -> None:
    slow = "timeouts: {first_byte: 60, whole: 60}"
    devices = f"""\
devices:
  psu1: {{driver: siglent.spd1000x, address: "tcp://127.0.0.1:{deaf}", {slow}}}
"""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.setblocking(False)
        notify = {"NOTIFY_SOCKET": str(folder / "notify")}
        async with agent(folder, station(folder, devices), **notify):
            async with asyncio.timeout(20):
                said = await asyncio.get_running_loop().sock_recv(manager, 200)
            assert said == b"READY=1"


async def test_told_to_end_while_a_printer_homes_it_ends_in_time(lab: Room, folder: Path) -> None:
    async with agent(folder, station(folder, lab.five())) as running:
        await running.until_ready("printer1")
        async with asyncio.TaskGroup() as tasks:
            homing = tasks.create_task(_begin(running, "/devices/printer1/commands/home"))
            await running.until(lambda found: found["printer1"]["state"] == "busy")
            running.signal(signal.SIGTERM)
            assert await running.ended(IN_TIME_S) == 0
            await homing


async def _begin(running: Agent, path: str) -> None:
    transport = httpx.AsyncHTTPTransport(uds=str(running.socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://labkeeper") as client:
        await client.post(f"/api/v1{path}", json={"arguments": {}}, timeout=30)


async def test_told_to_end_in_the_middle_of_a_reload_it_ends_in_time(
    lab: Room, folder: Path
) -> None:
    devices = lab.five().replace("spd1000x,", "spd1000x, on_shutdown: make_safe,")
    async with agent(folder, station(folder, devices)) as running:
        await running.until_ready("psu1", "oven1")
        await _told(running, "agent.started")
        await lab.control.ask("psu1", do="stop")
        await running.until(lambda found: found["psu1"]["state"] == "offline")
        running.config.write_text(running.config.read_text().replace("  psu1", "  psu9"))
        running.signal(signal.SIGHUP)
        await running.until(lambda found: "psu9" in found)
        running.signal(signal.SIGTERM)
        assert await running.ended(IN_TIME_S) == 0


FAILING = """\
import asyncio, sys
from agent import sites
from pathlib import Path

def broken(*_):
    async def fail():
        await asyncio.sleep(1)
        raise RuntimeError("a defect of one part")
    yield "api", fail()

sites.sites = broken
from agent.running import run
run(Path(sys.argv[1]))
"""


async def test_a_part_that_fails_ends_the_agent_in_order_and_not_with_0(
    lab: Room, folder: Path
) -> None:
    config = folder / "station.yaml"
    devices = lab.five().replace("spd1000x,", "spd1000x, on_shutdown: make_safe,")
    config.write_text(station(folder, devices))
    program = (sys.executable, "-c", FAILING, str(config))
    async with child(*program, stderr=asyncio.subprocess.PIPE) as process:
        async with asyncio.timeout(20):
            _, log = await process.communicate()
        assert process.returncode == 1
        assert b"agent.stopping" in log
        assert b"a defect of one part" in log

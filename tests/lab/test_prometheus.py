"""A real Prometheus scrapes the running agent and answers queries about the oven."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.lab.processes import Room, agent, child, free_port, station

PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(90),
    pytest.mark.skipif(
        not (PROMETHEUS and PROMTOOL), reason="Debian's prometheus is not installed"
    ),
]
TEMPERATURE = 'labkeeper_temperature_celsius{device="oven1",reading="temperature"}'


def _scrape_config(port: int) -> str:
    return json.dumps(  # JSON is YAML
        {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [
                {
                    "job_name": "labkeeper",
                    "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
                }
            ],
        }
    )


async def _query(port: int, expression: str) -> list[dict[str, Any]]:
    async with httpx.AsyncClient() as client:
        reply = await client.get(
            f"http://127.0.0.1:{port}/api/v1/query", params={"query": expression}, timeout=5
        )
    found: list[dict[str, Any]] = reply.json()["data"]["result"]
    return found


async def _until_answered(port: int, expression: str, seconds: float = 30) -> dict[str, Any]:
    async with asyncio.timeout(seconds):
        while True:
            try:
                if rows := await _query(port, expression):
                    return rows[0]
            except httpx.TransportError:
                pass  # it is still starting
            await asyncio.sleep(0.2)


async def test_prometheus_knows_the_oven_s_temperature_and_forgets_it_when_the_oven_is_gone(
    lab: Room, folder: Path
) -> None:
    config = station(folder, lab.five())
    metrics_port = int(config.split('metrics: {listen: "127.0.0.1:')[1].split('"')[0])
    port = free_port()
    (folder / "prometheus.yml").write_text(_scrape_config(metrics_port))
    assert PROMETHEUS
    arguments = [
        PROMETHEUS,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    async with (
        agent(folder, config) as running,
        child(*arguments, stderr=asyncio.subprocess.DEVNULL),
    ):
        await running.until_ready("oven1", "psu1")
        row = await _until_answered(port, TEMPERATURE)
        assert 15 < float(row["value"][1]) < 60
        assert row["metric"]["job"] == "labkeeper"
        assert (await _until_answered(port, "sum(labkeeper_device_up)"))["value"][1] == "5"
        await lab.control.ask("oven1", do="stop")
        await running.until(lambda devices: devices["oven1"]["state"] == "offline")
        await _until_answered(port, 'labkeeper_device_up{device="oven1"} == 0')
        assert await _query(port, TEMPERATURE) == []


async def test_promtool_has_nothing_to_say_against_the_page(lab: Room, folder: Path) -> None:
    config = station(folder, lab.five())
    metrics_port = int(config.split('metrics: {listen: "127.0.0.1:')[1].split('"')[0])
    async with agent(folder, config) as running:
        await running.until_ready("psu1", "dmm1", "oven1", "printer1", "stage1")
        async with httpx.AsyncClient() as client:
            page = (await client.get(f"http://127.0.0.1:{metrics_port}/metrics")).content
    assert b"labkeeper_temperature_celsius" in page
    assert PROMTOOL
    process = await asyncio.create_subprocess_exec(
        PROMTOOL,
        "check",
        "metrics",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate(page)
    assert (process.returncode, said.decode()) == (0, "")

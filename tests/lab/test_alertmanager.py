"""A real Alertmanager with the example of config/prometheus: which alerts keep which others back."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.lab.processes import child, free_port
from tests.rules_files import PROMETHEUS

PROGRAM = shutil.which("alertmanager") or shutil.which("prometheus-alertmanager")
pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(60),
    pytest.mark.skipif(not PROGRAM, reason="prometheus-alertmanager is not installed"),
]


def alert(name: str, severity: str, station: str = "bench-1", **more: str) -> dict[str, Any]:
    labels = {"alertname": name, "severity": severity, "station": station, "site": "osong"}
    return {"labels": labels | more, "annotations": {"summary_ko": "시험"}}


DOWN = alert("AgentDown", "critical")
ALERTS = {
    "of the station that is down": alert("ValueStale", "warning", device="psu1"),
    "of another station": alert("ValueStale", "warning", station="bench-2", device="psu1"),
    "said as critical as well": alert("DiskLow", "warning", station="bench-3"),
    "critical": alert("DiskLow", "critical", station="bench-3"),
    "of another alarm": alert("AlarmUnacknowledged", "warning", station="bench-3", alarm="fan"),
    "of a critical alarm": alert("AlarmUnacknowledged", "critical", station="bench-3", alarm="hot"),
    "a job that an interlock failed": alert("JobFailed", "warning", station="bench-4"),
    "the interlock": alert("InterlockTripped", "critical", station="bench-4", interlock="oven"),
    "stale while it flaps": alert("ValueStale", "warning", station="bench-5", device="psu1"),
    "flapping": alert("DeviceFlapping", "warning", station="bench-5", device="psu1"),
    "stale beside it": alert("ValueStale", "warning", station="bench-5", device="dmm1"),
}
KEPT_BACK = {
    "of the station that is down",
    "said as critical as well",
    "a job that an interlock failed",
    "stale while it flaps",
}


@pytest.fixture
async def alertmanager(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The program with the example, which sends nothing in the time of a test."""
    assert PROGRAM
    port = free_port()
    arguments = (
        f"--config.file={PROMETHEUS / 'alertmanager.yml'}",
        f"--storage.path={tmp_path}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    )
    async with (
        child(PROGRAM, *arguments, stderr=asyncio.subprocess.DEVNULL),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v2") as client,
    ):
        yield client


async def until_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                if (await client.get("/status", timeout=5)).is_success:
                    return
            except httpx.TransportError:
                pass  # it is still starting
            await asyncio.sleep(0.1)


async def test_one_trouble_is_said_once_and_an_agent_that_is_down_keeps_back_its_own_alerts_alone(
    alertmanager: httpx.AsyncClient,
) -> None:
    await until_ready(alertmanager)
    posted = await alertmanager.post("/alerts", json=[DOWN, *ALERTS.values()], timeout=5)
    assert posted.is_success, posted.text
    async with asyncio.timeout(30):
        while not await kept_back(alertmanager) >= KEPT_BACK:  # it learns of sources by and by
            await asyncio.sleep(0.1)
    assert len(await shown(alertmanager)) == 1 + len(ALERTS)
    assert await kept_back(alertmanager) == KEPT_BACK


async def kept_back(client: httpx.AsyncClient) -> set[str]:
    found = await shown(client)
    return {
        name
        for name, wanted in ALERTS.items()
        for it in found
        if it["labels"] == wanted["labels"] and it["status"]["inhibitedBy"]
    }


async def shown(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get("/alerts", timeout=5)).json()
    return found

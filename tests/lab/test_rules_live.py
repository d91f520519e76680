"""A real Prometheus with the rules of config/prometheus watches a real agent: what is lost is told of."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.lab.processes import LABKEEPER, Agent, Room, agent, child, free_port, station
from tests.rules_files import PROMETHEUS, rules

PROGRAM = shutil.which("prometheus")
FAILING = """\
name: failing
version: "1"
steps:
  - fail: {en: It was meant to., ko: 일부러 실패합니다.}
"""
TRIPPING = """\
interlocks:
  cold: {requires: {oven1.temperature: {below: 5}}, trip: [psu1]}
"""
pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not PROGRAM, reason="Debian's prometheus is not installed"),
]


def hurried(text: str) -> str:
    """The same rules and config for who can't wait: all times are a second."""
    return re.sub(r"(\bfor|_interval|scrape_timeout): \w+", r"\1: 1s", text)


@asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[str]:
    """Prometheus with our files and no station yet, until the context ends; its address."""
    config = folder / "prometheus"
    shutil.copytree(PROMETHEUS, config)
    for file in (config / "prometheus.yml", *(config / "rules").iterdir()):
        file.write_text(hurried(file.read_text("utf-8")), encoding="utf-8")
    (config / "labkeeper").mkdir()
    port = free_port()
    assert PROGRAM
    arguments = (
        f"--config.file={config / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    )
    async with child(PROGRAM, *arguments, stderr=asyncio.subprocess.DEVNULL):
        yield f"http://127.0.0.1:{port}"


async def tell_of(station_file: Path, folder: Path) -> str:
    """Put a station into Prometheus's folder, as the command prints it, with its site; its target."""
    process = await asyncio.create_subprocess_exec(
        *(*LABKEEPER, "metrics", "targets", "--config", str(station_file)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    said, _ = await process.communicate()
    [entry] = json.loads(said)
    entry["labels"]["site"] = "osong"
    made = folder / "prometheus" / "labkeeper" / "bench-1.json"
    made.with_suffix(".new").write_text(json.dumps([entry]), encoding="utf-8")
    made.with_suffix(".new").rename(made)
    [target] = entry["targets"]
    return str(target)


class Watch:
    """What Prometheus says."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def asked(self, path: str, **what: str) -> Any:
        """The data that it answers with; None while it is still starting."""
        try:
            async with httpx.AsyncClient(base_url=self._address) as client:
                reply = await client.get(f"/api/v1/{path}", params=what, timeout=5)
        except httpx.TransportError:
            return None
        return reply.json().get("data")

    async def until_asked(self, expression: str, seconds: float = 60) -> None:
        """Wait until a query has an answer."""
        async with asyncio.timeout(seconds):
            while not ((await self.asked("query", query=expression)) or {}).get("result"):
                await asyncio.sleep(0.2)

    async def firing(self, **labels: str) -> list[dict[str, Any]]:
        """The alerts that fire, of these labels."""
        found = ((await self.asked("alerts")) or {"alerts": []})["alerts"]
        return [
            it for it in found if it["state"] == "firing" and labels.items() <= it["labels"].items()
        ]

    async def until_firing(self, seconds: float = 60, **labels: str) -> dict[str, Any]:
        """Wait until an alert fires."""
        async with asyncio.timeout(seconds):
            while not (found := await self.firing(**labels)):
                await asyncio.sleep(0.2)
        return found[0]


async def start(running: Agent, recipe: str) -> None:
    """Start a job, and see that it was taken."""
    process = await asyncio.create_subprocess_exec(
        *(*LABKEEPER, "--socket", str(running.socket), "job", "start", recipe),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


async def test_what_goes_wrong_at_a_station_is_told_of_and_what_does_not_is_not(
    lab: Room, folder: Path
) -> None:
    (folder / "recipes").mkdir()
    (folder / "recipes" / "failing.yaml").write_text(FAILING, encoding="utf-8")
    async with watching(folder) as address:
        prometheus = Watch(address)
        async with agent(folder, station(folder, lab.five(), more=TRIPPING)) as running:
            await running.until_ready("psu1", "dmm1", "oven1", "printer1", "stage1", seconds=60)
            target = await tell_of(running.config, folder)
            await prometheus.until_asked('labkeeper_device_up{device="oven1"} == 1')
            await start(running, "failing")
            await lab.control.ask("dmm1", do="stop")
            is_told_in_both_languages(
                await prometheus.until_firing(alertname="DeviceOffline", device="dmm1"), target
            )
            await prometheus.until_firing(alertname="JobFailed", state="failed")
            # No room is so cold as the interlock wants it.
            await prometheus.until_firing(alertname="InterlockTripped", severity="critical")
            # The simulated oven holds its temperature from the start on, by nobody's job.
            await prometheus.until_firing(alertname="OutputOnWithoutJob", device="oven1")
            await nothing_else_is_said(prometheus)
        await prometheus.until_firing(alertname="AgentDown", station="bench-1")
        await every_rule_is_reckoned(prometheus)


def is_told_in_both_languages(alert: dict[str, Any], target: str) -> None:
    assert alert["labels"] == {
        "alertname": "DeviceOffline",
        "severity": "warning",
        "device": "dmm1",
        "station": "bench-1",
        "site": "osong",
        "job": "labkeeper",
        "instance": target,
    }
    assert alert["annotations"]["summary"] == "bench-1: dmm1 does not answer"
    assert alert["annotations"]["summary_ko"] == "bench-1: dmm1 장치가 응답하지 않습니다"
    page = "https://docs.lab.example/runbooks/DeviceOffline.html"
    assert alert["annotations"]["runbook_url"] == page


async def nothing_else_is_said(prometheus: Watch) -> None:
    async with asyncio.timeout(60):  # on a crowded machine a scrape may be late for a moment
        while await told_of(prometheus) != {("DeviceOffline", "dmm1")}:
            await asyncio.sleep(0.2)
    await prometheus.until_asked("station:labkeeper_device_up:avg == 0.8")
    await prometheus.until_asked('changes(process_start_time_seconds{job="labkeeper"}[1m])')


async def told_of(prometheus: Watch) -> set[tuple[str, str]]:
    """What fires, and of which device, of the alerts that nobody has given a reason for, and the one."""
    of = {"NoStations", "AgentDown", "BrokerDown", "JobStuck", "QueueHeld", "DeviceOffline"}
    fires = [it["labels"] for it in await prometheus.firing()]
    return {(it["alertname"], it.get("device", "")) for it in fires if it["alertname"] in of}


async def every_rule_is_reckoned(prometheus: Watch) -> None:
    groups = (await prometheus.asked("rules"))["groups"]
    loaded = [it for group in groups for it in group["rules"]]
    assert len(loaded) == len(rules())
    assert [it["lastError"] for it in loaded if it["health"] != "ok"] == []

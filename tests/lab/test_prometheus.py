"""A real Prometheus scrapes the running agent and answers queries about the oven."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from agent.clock import SystemClock
from tests.lab.processes import LABKEEPER, Room, agent, child, free_port, station

PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(90),
    pytest.mark.skipif(
        not (PROMETHEUS and PROMTOOL), reason="Debian's prometheus is not installed"
    ),
]
SHORT = """\
name: short
version: "1"
steps:
  - log: {en: It is short., ko: 짧습니다.}
"""
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


def _scrape_elsewhere(folder: Path) -> str:
    """As docs/prometheus.md shows it, for a Prometheus on another machine."""
    return json.dumps(
        {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [
                {
                    "job_name": "labkeeper",
                    "file_sd_configs": [{"files": [str(folder / "targets" / "*.json")]}],
                    "authorization": {"credentials_file": str(folder / "scraper.token")},
                    "tls_config": {"ca_file": str(folder / "ca.pem")},
                }
            ],
        }
    )


def _door(folder: Path, port: int) -> tuple[str, str]:
    """The sections of a config with a door to other machines, and how the default ones begin."""
    authority = trustme.CA()
    made = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    made.private_key_pem.write_to_path(str(folder / "door.key"))
    made.cert_chain_pems[0].write_to_path(str(folder / "door.crt"))
    (folder / "door.key").chmod(0o600)
    (folder / "scraper.token").write_text("a-secret-of-all-our-scrapers\n")
    door = (
        f'{{listen: "127.0.0.1:{port}", certificate: door.crt, key: door.key, hosts: [localhost]}}'
    )
    return f'api: {{network: {door}, listen: "127.0.0.1:0"}}', 'api: {listen: "127.0.0.1:0"}'


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


async def test_a_prometheus_elsewhere_takes_the_printed_entry_comes_over_tls_and_keeps_the_jobs_exemplar(
    lab: Room, folder: Path
) -> None:
    door, plain = await asyncio.to_thread(_door, folder, free_port())
    config = station(folder, lab.five()).replace(plain, door)
    config = config.replace("metrics: {", "metrics: {token_file: scraper.token, ")
    (folder / "recipes").mkdir()
    (folder / "recipes" / "short.yaml").write_text(SHORT)
    (folder / "targets").mkdir()
    (folder / "prometheus.yml").write_text(_scrape_elsewhere(folder))
    port = free_port()
    assert PROMETHEUS
    arguments = (
        PROMETHEUS,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--enable-feature=exemplar-storage",
        "--log.level=warn",
    )
    async with (
        agent(folder, config) as running,
        child(*arguments, stderr=asyncio.subprocess.DEVNULL),
    ):
        await running.until_ready("psu1")
        entry = await _said("metrics", "targets", "--config", str(running.config))
        (folder / "targets" / "bench-1.json").write_text(entry)
        up = await _until_answered(port, "up == 1")
        assert up["metric"]["station"] == "bench-1"
        assert up["metric"]["instance"].startswith("localhost:")
        started = await _said(
            "--socket", str(running.socket), "--json", "job", "start", "short", "--wait"
        )
        job = json.loads(started)["job"]
        await _until_answered(port, 'labkeeper_jobs_ended_total{state="done"} == 1')
        for query in ("labkeeper_jobs_ended_total", "labkeeper_job_duration_seconds_bucket"):
            assert await _exemplars(port, query) == {job}
        gone = await _query(port, 'labkeeper_certificate_expiry_timestamp_seconds{door="network"}')
        assert float(gone[0]["value"][1]) > 1_700_000_000
        assert await _query(port, "{job_id!=''}") == []


async def _said(*words: str) -> str:
    """What a command prints that goes well."""
    async with child(*LABKEEPER, *words) as process:
        said = (await process.communicate())[0].decode()
        assert process.returncode == 0, said
        return said


async def _exemplars(port: int, query: str) -> set[str]:
    """The jobs that Prometheus has as exemplars of a metric."""
    now = SystemClock().utc()
    async with httpx.AsyncClient() as client:
        reply = await client.get(
            f"http://127.0.0.1:{port}/api/v1/query_exemplars",
            params={"query": query, "start": now - 3600, "end": now + 60},
            timeout=5,
        )
    found = reply.json()["data"]
    return {it["labels"]["job"] for series in found for it in series["exemplars"]}


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

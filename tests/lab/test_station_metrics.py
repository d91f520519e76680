"""What a real agent counts of its ledger and its disk is on the page that Prometheus scrapes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.lab.processes import Room, agent, station

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]


async def scraped(config: str) -> dict[str, float]:
    """The samples that have no labels, by name."""
    port = config.split('metrics: {listen: "127.0.0.1:')[1].split('"', maxsplit=1)[0]
    async with httpx.AsyncClient() as client:
        page = (await client.get(f"http://127.0.0.1:{port}/metrics", timeout=5)).text
    families = text_string_to_metric_families(page)
    return {it.name: it.value for family in families for it in family.samples if not it.labels}


async def test_commits_are_timed_and_what_is_free_on_the_disk_is_shown(
    lab: Room, folder: Path
) -> None:
    config = station(folder, lab.five())
    async with agent(folder, config) as running:
        await running.until_ready("psu1")
        found = await scraped(config)
        disk = await asyncio.to_thread(os.statvfs, folder / "state")
    assert found["labkeeper_ledger_commit_seconds_count"] > 0
    assert 0 < found["labkeeper_ledger_commit_seconds_sum"] < 60
    assert found["labkeeper_job_duration_seconds_count"] == 0
    free = disk.f_bavail * disk.f_frsize
    assert found["labkeeper_disk_free_bytes"] == pytest.approx(free, rel=0.5)
    assert 0 < found["labkeeper_disk_free_ratio"] <= 1

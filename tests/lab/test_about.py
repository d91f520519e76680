"""What a real agent says of itself, also after it has taken over another config."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.lab.processes import agent, station

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]


async def test_a_reload_changes_the_hash_of_the_config_and_when_it_was_read(folder: Path) -> None:
    async with agent(folder, station(folder, "devices: {}\n")) as running:
        await running.until_said("agent.started")
        first = await running.get("/about")
        assert first["config"]["file"] == str(running.config)
        assert first["health"]["database"] == {"recording": True, "readable": True, "why": ""}
        assert (first["health"]["broker"], first["health"]["uptime"] > 0) == ("off", True)
        running.config.write_text(running.config.read_text() + "title: {en: Bench}\n", "utf-8")
        running.signal(signal.SIGHUP)
        await running.until_said("config.reloaded")
        second = await running.get("/about")
        assert second["config"]["read"] > first["config"]["read"]
        async with asyncio.timeout(20):  # the ledger gets it after that, of which no event tells
            while (await running.get("/about"))["config"]["sha256"] == first["config"]["sha256"]:
                await asyncio.sleep(0.05)
        assert second["health"]["uptime"] > first["health"]["uptime"]

"""A VISA library that hangs: its instrument is lost and found, and nobody else notices."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.drivers.visa_bench import BACKEND, Mood, until
from tests.lab.processes import Agent, Room, agent, free_port, station

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]
OTHERS = ("psu1", "oven1", "printer1", "stage1")
MADE, SKIPPED = "labkeeper_polls_total", "labkeeper_polls_skipped_total"
END_S = 5.0


def behind_moods(lab: Room, mood: Mood) -> str:
    """The five devices, of which the multimeter is behind a library with moods."""
    quick = "timeouts: {first_byte: 0.5, whole: 1}"
    return (
        lab.five()
        .replace("::SOCKET", f"::SOCKET?library={mood.library}")
        .replace("keysight.34460a,", f"keysight.34460a, {quick},")
    )


async def polls(port: int) -> Counter[tuple[str, str]]:
    """Of every device the polls made and skipped so far."""
    async with httpx.AsyncClient() as client:
        page = (await client.get(f"http://127.0.0.1:{port}/metrics", timeout=5)).text
    return Counter(
        {
            (sample.labels["device"], sample.name): int(sample.value)
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name in {MADE, SKIPPED}
        }
    )


async def polled(port: int, before: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """Wait until every other device was polled again and again; return what came since."""
    async with asyncio.timeout(20):
        while True:
            since = await polls(port) - before
            if min(since[name, MADE] for name in OTHERS) >= 3:
                return since
            await asyncio.sleep(0.1)


async def lost(running: Agent) -> str:
    """Wait until the multimeter is offline with all its values stale; return the reason."""
    devices = await running.until(lambda found: found["dmm1"]["state"] == "offline", 20)
    assert {value["quality"] for value in devices["dmm1"]["values"].values()} == {"stale"}
    assert {name: devices[name]["state"] for name in OTHERS} == dict.fromkeys(OTHERS, "ready")
    return str(devices["dmm1"]["reason"])


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("hang", "the VISA library did not return from a call"),
        ("hold", "the VISA library did not return from a call"),
        ("crash", "the process of the VISA library ended with code 3"),
    ],
)
async def test_a_sick_library_takes_its_instrument_offline_and_gives_it_back_to_nobodys_harm(
    lab: Room, folder: Path, deed: str, reason: str
) -> None:
    mood, port = Mood(folder), free_port()
    config = station(folder, behind_moods(lab, mood), more="reconnect: {first: 0.2, most: 0.5}\n")
    config = "\n".join(
        f'metrics: {{listen: "127.0.0.1:{port}"}}' if line.startswith("metrics:") else line
        for line in config.splitlines()
    )
    async with agent(folder, config, PYTHONPATH=str(BACKEND)) as running:
        await running.until_ready("dmm1", *OTHERS, seconds=40)
        before = await polls(port)
        mood.be(f"read {deed}")
        assert reason in await lost(running)
        since = await polled(port, before)
        for name in OTHERS:
            assert since[name, SKIPPED] <= 1 + since[name, MADE] / 4
        mood.be("")
        await running.until_ready("dmm1", *OTHERS, seconds=20)
        assert len(mood.processes()) == 1


@pytest.mark.parametrize(
    ("end", "deed"),
    [
        (signal.SIGTERM, ""),
        (signal.SIGTERM, "read hang"),
        (signal.SIGTERM, "open hang"),
        (signal.SIGKILL, ""),
        (signal.SIGKILL, "read hold"),
    ],
)
async def test_the_end_of_the_agent_leaves_no_process_whatever_the_library_does(
    lab: Room, folder: Path, end: signal.Signals, deed: str
) -> None:
    mood = Mood(folder)
    config = station(folder, behind_moods(lab, mood), more="reconnect: {first: 0.2, most: 0.5}\n")
    async with agent(folder, config, PYTHONPATH=str(BACKEND)) as running:
        await running.until_ready("dmm1", seconds=40)
        mood.be(deed)
        if deed.startswith("open"):
            for process in mood.processes():
                os.kill(process, signal.SIGKILL)
        if deed:
            await until(lambda: mood.has_shown)
        running.signal(end)
        assert await running.ended(END_S) == (0 if end is signal.SIGTERM else -signal.SIGKILL)
        # One that holds the interpreter hears no end: its own alarm clock ends it.
        await until(lambda: not mood.processes(), 30)

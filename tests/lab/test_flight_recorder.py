"""A fault of a real station becomes a file, and the file a replay."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from drivers.transport.recording import recording_from
from tests.drivers.replay import Replay
from tests.drivers.virtual_time import run
from tests.lab.processes import LABKEEPER, Agent, Room, agent, child, station

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]


async def printed(running: Agent, *words: str) -> Any:
    """What a command prints as JSON."""
    arguments = (*LABKEEPER, *words, "--json", "--socket", str(running.socket))
    async with child(*arguments) as process:
        assert process.stdout is not None
        async with asyncio.timeout(20.0):
            return json.loads(await process.stdout.read())


async def until_kept(running: Agent, *names: str) -> dict[str, str]:
    """Wait until the log says of each of these devices where its recording is: files by device."""
    async with asyncio.timeout(30.0):
        while True:
            kept = {it["device"]: it["file"] for it in running.events("recording.written")}
            if kept.keys() >= set(names):
                return kept
            await asyncio.sleep(0.05)


async def test_what_was_on_the_line_before_a_fault_is_kept_and_can_be_replayed(
    lab: Room, folder: Path
) -> None:
    names = ("psu1", "oven1", "stage1")
    async with agent(folder, station(folder, lab.five())) as running:
        await running.until(lambda devices: all(has_read(devices.get(name)) for name in names))
        for name in names:
            await lab.control.ask(name, do="hang")
        kept = await until_kept(running, *names)
        found = {
            name: recording_from(await printed(running, "wire", name, "--fault", "last"))
            for name in names
        }
    for name, recording in found.items():
        assert Path(kept[name]).parent == folder / "state" / "wire"
        assert recording.reason
        kinds = [kind for _, kind, *_ in recording.entries]
        assert "received" not in kinds[_last(kinds, "sent") :]
        replay = Replay(recording)
        await asyncio.to_thread(run, replay.run())
        assert replay.seen, (name, recording.reason, recording.entries)
        assert replay.errors


def has_read(device: dict[str, Any] | None) -> bool:
    """Whether every value was read, so that there is something to replay."""
    samples = device["values"].values() if device else ()
    return bool(samples) and all(it["quality"] == "simulated" for it in samples)


def _last(kinds: Sequence[str], kind: str) -> int:
    return len(kinds) - 1 - kinds[::-1].index(kind)

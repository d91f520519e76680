"""A disk that takes nothing shows, though nobody has anything to record."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from threading import Event

import pytest

from agent.clock import SystemClock
from agent.store.disk_probe import EVERY_S, NAME, DiskProbe


class Laps(SystemClock):
    """A clock that a test sets on, and that tells when somebody begins to sleep."""

    def __init__(self) -> None:
        self.now, self.slept = 4711.5, asyncio.Queue[float]()

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.put_nowait(seconds)
        await asyncio.Event().wait()


async def test_a_disk_that_takes_the_trial_was_heard_just_now(tmp_path: Path) -> None:
    clock = Laps()
    probe = DiskProbe(tmp_path, clock)
    clock.now += 100
    assert probe.silent == 100
    await probe.look()
    assert probe.silent == 0
    clock.now += 7
    await probe.look()
    assert len((tmp_path / NAME).read_bytes().splitlines()) == 1  # it does not grow


async def test_a_disk_that_hangs_grows_silent_and_is_asked_nothing_more_until_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, asked = Event(), list[int]()

    def hangs(descriptor: int) -> None:
        asked.append(descriptor)
        goes_on.wait(30)

    clock = Laps()
    probe = DiskProbe(tmp_path, clock)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(probe.run())
        assert await clock.slept.get() == EVERY_S
        running.cancel()
    monkeypatch.setattr(os, "fsync", hangs)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(probe.run())
        while not asked:
            await asyncio.sleep(0.01)
        clock.now += 600
        assert probe.silent == 600
        assert clock.slept.empty()
        goes_on.set()
        await clock.slept.get()
        assert (probe.silent, len(asked)) == (0, 1)
        running.cancel()


async def test_a_disk_that_refuses_is_as_silent_as_one_that_hangs(tmp_path: Path) -> None:
    clock = Laps()
    probe = DiskProbe(tmp_path / "gone", clock)
    clock.now += 60
    await probe.look()
    assert probe.silent == 60
    (tmp_path / "gone").mkdir()
    await probe.look()
    assert probe.silent == 0

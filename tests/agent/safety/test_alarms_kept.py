"""Alarms over a restart, under another config, and for other parts of the agent."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.safety.alarm import Notice, State
from agent.safety.deadlines import Deadlines
from agent.safety.interlock import Interlocks
from tests.agent.alarms_bench import CONFIG, KIM, AlarmBench, settings_of
from tests.agent.settings_bench import use_toys

ACTIVE, SEEN, RETURNED = State.UNACKNOWLEDGED, State.ACKNOWLEDGED, State.RETURNED
SHELVED, SUPPRESSED = State.SHELVED, State.SUPPRESSED


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AlarmBench:
    use_toys(monkeypatch)
    bench = AlarmBench(settings_of(tmp_path))
    bench.oven(20.0)
    return bench


async def test_what_nobody_has_acknowledged_is_not_lost_by_a_restart(
    bench: AlarmBench, tmp_path: Path
) -> None:
    bench.oven(85.0)
    bench.passes(3.0)
    bench.oven(70.0)
    await bench.desk.acknowledge(KIM, "hot")
    await bench.desk.shelve(KIM, "live", 600.0, "wiring")
    again = AlarmBench(await asyncio.to_thread(settings_of, tmp_path), bench.time)
    again.time.now += 100.0
    again.alarms.begin(bench.kept.rows.values())
    assert again.state("very-hot") is RETURNED
    assert again.first("hot")
    assert again.state("live") is SHELVED
    again.oven(70.0)
    assert again.state("hot") is SEEN
    again.passes(500.0)
    assert again.state("live") is SUPPRESSED  # taken up again; psu1 does not answer


async def test_a_shelf_that_ended_while_the_agent_was_away_ends_at_the_start(
    bench: AlarmBench, tmp_path: Path
) -> None:
    bench.oven(61.0)
    await bench.desk.shelve(KIM, "hot", 60.0, "wiring")
    again = AlarmBench(await asyncio.to_thread(settings_of, tmp_path), bench.time)
    again.time.now += 61.0
    again.alarms.begin(bench.kept.rows.values())
    again.passes(0.0)
    assert again.state("hot") is ACTIVE


async def test_an_alarm_that_config_has_no_more_stays_until_it_is_acknowledged(
    bench: AlarmBench, tmp_path: Path
) -> None:
    bench.oven(61.0)
    fewer = CONFIG.replace("  very-hot: {reading: oven1.temperature, high: 80, delay: 3}\n", "")
    settings = await asyncio.to_thread(settings_of, tmp_path, fewer.replace("  hot:", "  warm:"))
    bench.watch.adopt(settings)
    assert bench.state("hot") is RETURNED
    assert bench.state("warm") is ACTIVE
    assert "very-hot" not in bench.alarms.all
    again = AlarmBench(settings, bench.time)
    again.alarms.begin(bench.kept.rows.values())
    assert again.state("hot") is RETURNED
    assert again.alarms.all["hot"].notice.titles == {"en": "Oven too hot", "ko": "오븐 과열"}
    await again.desk.acknowledge(KIM, "hot")
    assert "hot" not in again.alarms.all
    assert "hot" not in again.kept.rows


def test_a_limit_that_config_moves_is_judged_at_once_and_others_keep_what_they_know(
    bench: AlarmBench, tmp_path: Path
) -> None:
    bench.oven(85.0)
    bench.passes(1.0)
    bench.watch.adopt(settings_of(tmp_path, CONFIG.replace("high: 60", "high: 90")))
    assert bench.state("hot") is RETURNED
    bench.passes(2.0)
    assert bench.state("very-hot") is ACTIVE  # its delay went on


def test_another_part_of_the_agent_has_a_door_of_its_own(bench: AlarmBench) -> None:
    disk = bench.alarms.signal(Notice(name="disk.full", priority="critical"))
    disk.off()
    assert not bench.kept.changes
    disk.on("1 MB is left")
    disk.on("0 MB are left")
    assert bench.state("disk.full") is ACTIVE
    assert bench.first("disk.full")
    assert bench.alarms.all["disk.full"].reason == "1 MB is left"
    disk.off()
    assert bench.state("disk.full") is RETURNED
    assert [it.entry.action for it in bench.kept.changes] == ["raise", "clear"]


async def test_whoever_follows_alarms_hears_of_each_that_changes(bench: AlarmBench) -> None:
    async with bench.alarms.watch() as changes:
        bench.oven(61.0)
        heard = aiter(changes)
        assert await anext(heard) == "hot"


async def test_deadlines_are_kept_by_one_task_also_when_a_sooner_one_comes() -> None:
    clock = SystemClock()
    deadlines, done = Deadlines(clock), list[str]()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(deadlines.run())
        deadlines.put("late", 60.0, lambda: done.append("late"))
        await asyncio.sleep(0)
        deadlines.put("soon", 0.05, lambda: done.append("soon"))
        async with asyncio.timeout(2):
            while not done:
                await asyncio.sleep(0.01)
        running.cancel()
    assert done == ["soon"]
    assert "late" in deadlines


async def test_a_trip_is_an_alarm_and_holds_its_devices_until_it_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_toys(monkeypatch)
    lock = "interlocks:\n  cool: {requires: {oven1.temperature: {below: 60}}, trip: [psu1]}\n"
    bench = AlarmBench(await asyncio.to_thread(settings_of, tmp_path, CONFIG + lock))
    locks = Interlocks(
        (await asyncio.to_thread(settings_of, tmp_path, CONFIG + lock)).interlocks,
        *(bench.board, bench.time),
    )
    locks.latched = bench.watch.latched
    bench.oven(20.0)
    assert locks.refusal("psu1", "voltage", 1.0) == ""
    bench.watch.tripped("cool", "oven1.temperature is 61 °C")
    bench.watch.tripped("cool", "")
    assert bench.state("interlock.cool") is RETURNED
    assert "labkeeper alarm ack interlock.cool" in locks.refusal("psu1", "voltage", 1.0)
    assert locks.refusal("psu1", "output", False) == ""
    await bench.desk.acknowledge(KIM, "interlock.cool")
    assert locks.refusal("psu1", "voltage", 1.0) == ""

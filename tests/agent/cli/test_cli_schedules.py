"""`labkeeper schedule` against an agent that is served on a real Unix socket in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.cli import main
from agent.web.api import build_api
from agent.web.listeners import bind_unix
from tests.agent.cli_bench import Command, Ended
from tests.agent.jobs_bench import toys
from tests.agent.schedule_bench import ScheduleBench, schedule, schedules_in_memory
from tests.agent.web_bench import SETTINGS, TOKEN, serving

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScheduleBench]:
    wanted = (schedule(), schedule("daily", cron="30 2 * * *", enabled=False))
    async with schedules_in_memory(tmp_path, *wanted) as made:
        path = tmp_path / "agent.sock"
        monkeypatch.setenv("LABKEEPER_SOCKET", str(path))
        monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
        station = replace(made.jobs.station.station, schedules=made.schedules)
        api = build_api(station, SETTINGS, TOKEN)
        async with serving(api, await asyncio.to_thread(bind_unix, path)):
            yield made


@pytest.fixture
def ask(bench: ScheduleBench, capsys: pytest.CaptureFixture[str]) -> Command:
    async def command(*words: str) -> Ended:
        code = await asyncio.to_thread(main, words)
        return Ended(code, *capsys.readouterr())

    return command


async def test_schedules_are_listed_with_their_next_time_in_their_zone(
    ask: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    ended = await ask("schedule", "list")
    assert ended.code == 0, ended.err
    for said in ("hourly", "매시간", "trial", "2026-06-01T19:00:00+09:00", "off (config)"):
        assert said in ended.out
    found = (await ask("schedule", "list", "--json")).json()
    assert [it["schedule"] for it in found["schedules"]] == ["daily", "hourly"]


async def test_the_next_times_are_those_of_all_schedules_soonest_first(
    bench: ScheduleBench, ask: Command
) -> None:
    bench.wanted = {"a": schedule("a"), "b": schedule("b", cron="30 19 * * *")}
    await bench.passes(1)
    ended = await ask("schedule", "next", "-n", "3")
    assert ended.out.splitlines() == [
        "2026-06-01T19:00:00+09:00  a (trial)",
        "2026-06-01T19:30:00+09:00  b (trial)",
        "2026-06-01T20:00:00+09:00  a (trial)",
    ]
    only = (await ask("schedule", "next", "b", "--json")).json()
    assert {it["schedule"] for it in only["next"]} == {"b"}
    assert len(only["next"]) == 5
    wrong = await ask("schedule", "next", "c")
    assert (wrong.code, "no schedule" in wrong.err) == (2, True)
    assert (await ask("schedule", "next", "-n", "101")).code == 2


async def test_a_schedule_is_switched_off_and_on(bench: ScheduleBench, ask: Command) -> None:
    assert (await ask("schedule", "disable", "hourly")).out == "hourly is off\n"
    assert "nothing is due" in (await ask("schedule", "next")).out
    on = await ask("schedule", "enable", "hourly")
    assert on.out == "hourly is on, and starts trial at 2026-06-01T19:00:00+09:00\n"
    refused = await ask("schedule", "enable", "daily")
    assert (refused.code, "config has it switched off" in refused.err) == (2, True)
    assert len(bench.told("schedule.enabled")) == 1


async def test_which_command_is_asked_for_when_none_is_given(ask: Command) -> None:
    ended = await ask("schedule")
    assert (ended.code, "schedule list, next, enable or disable" in ended.err) == (2, True)

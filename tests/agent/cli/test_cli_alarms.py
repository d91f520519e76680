"""`labkeeper alarm` against an agent that is served on a real Unix socket in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.cli import main
from agent.safety.alarm import Notice
from agent.safety.alarms import Alarms
from agent.web.api import build_api
from agent.web.listeners import bind_unix
from tests.agent.bench import station_in_memory
from tests.agent.cli_bench import Command, Ended
from tests.agent.web_bench import SETTINGS, TOKEN, serving

DISK = Notice(name="disk.full", priority="high", titles={"en": "Disk full"}, todo={"en": "Tidy up"})


@pytest.fixture
async def alarms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Alarms]:
    async with station_in_memory() as bench:
        path = tmp_path / "agent.sock"
        monkeypatch.setenv("LABKEEPER_SOCKET", str(path))
        monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
        monkeypatch.setenv("COLUMNS", "200")
        api = build_api(bench.station, SETTINGS, TOKEN)
        async with serving(api, await asyncio.to_thread(bind_unix, path)):
            assert bench.station.alarms is not None
            yield bench.station.alarms


@pytest.fixture
def ask(alarms: Alarms, capsys: pytest.CaptureFixture[str]) -> Command:
    async def command(*words: str) -> Ended:
        code = await asyncio.to_thread(main, words)
        return Ended(code, *capsys.readouterr())

    return command


async def test_alarms_are_listed_acknowledged_and_shelved_by_name(
    alarms: Alarms, ask: Command
) -> None:
    assert (await ask("alarm", "list")).out == "no alarms\n"
    alarms.signal(DISK).on("1 MB is left")
    listed = await ask("alarm", "list")
    for word in ("disk.full (first)", "Disk full", "high", "unacknowledged", "1 MB is left"):
        assert word in listed.out
    acked = await ask("alarm", "ack", "disk.full", "--reason", "I tidy up")
    assert (acked.code, acked.out) == (0, "disk.full: acknowledged\n")
    assert alarms.all["disk.full"].by
    shelf = ("--minutes", "30", "--reason", "a new disk comes")
    shelved = await ask("alarm", "shelve", "disk.full", *shelf, "--json")
    assert json.loads(shelved.out)["state"] == "shelved"
    assert (await ask("alarm", "unshelve", "disk.full")).out == "disk.full: unacknowledged\n"


async def test_what_can_not_be_done_with_an_alarm_is_refused_with_a_reason(
    alarms: Alarms, ask: Command
) -> None:
    alarms.signal(DISK)
    for words, said in (
        (("ack", "disk.full"), "there is nothing to acknowledge"),
        (("ack", "fire"), "no alarm is called fire"),
        (("unshelve", "disk.full"), "not shelved"),
        (("shelve", "disk.full", "--minutes", "1441", "--reason", "x"), "seconds"),
    ):
        ended = await ask("alarm", *words)
        assert (ended.code, said in ended.err) == (2, True), ended.err


async def test_alarm_alone_says_what_may_be_asked(ask: Command) -> None:
    ended = await ask("alarm")
    assert ended.code == 2
    assert "alarm list" in ended.err

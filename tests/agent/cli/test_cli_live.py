"""Commands that go on: events that are followed, and devices that are watched."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Final

import pytest

from agent.cli.stream import Told, follow
from agent.errors import NoAgent
from agent.fleet.states import DeviceState
from tests.agent.cli_bench import Command, ask, web
from tests.agent.web_bench import Web

__all__ = ["ask", "web"]  # fixtures
pytestmark = pytest.mark.lab

STATE: Final = b'event: state\ndata: {"device": "a"}\n\n'


async def test_events_are_told_from_the_start_and_followed_on(ask: Command, web: Web) -> None:
    past = await ask("events", "--json")
    kinds = [json.loads(line)["kind"] for line in past.out.splitlines()]
    assert kinds.count("device.connected") == 2
    assert "psu1 answers: Toy,T1,S1,1.0" in (await ask("events")).out

    following = asyncio.get_running_loop().create_task(
        ask("events", "--follow", "--seconds", "1.5")
    )
    async with asyncio.timeout(5):
        while not web.bench.events._listeners:
            await asyncio.sleep(0.01)
    web.bench.events.add("test.said", "hear this once")
    ended = await following
    assert ended.code == 0
    assert ended.out.count("hear this once") == 1


async def test_watch_shows_every_change_as_a_line_of_json(ask: Command) -> None:
    ended = await ask("watch", "psu1", "--json", "--seconds", "1")
    states = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.code == 0
    assert {state["device"] for state in states} == {"psu1"}


async def test_watch_in_a_pipe_shows_the_table_first_and_last(ask: Command) -> None:
    ended = await ask("watch", "--seconds", "1")
    first, last = ended.out.strip().split("\n\n")
    assert ended.code == 0
    for table in (first, last):
        assert [line.split()[:2] for line in table.splitlines()] == [
            ["oven1", "ready:"],
            ["psu1", "ready:"],
        ]
        assert "temperature 25 °C" in table


async def test_ctrl_c_is_the_usual_end_of_watching(web: Web) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent.cli", "watch", "--socket", str(web.path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(15):
        assert b"oven1" in await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")


async def test_an_agent_that_goes_away_ends_the_watching_with_4(tmp_path: Path) -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(b"%x\r\n%b\r\n" % (len(STATE), STATE))
        await writer.drain()
        writer.close()

    path = tmp_path / "dying.sock"
    async with await asyncio.start_unix_server(break_off, path):
        stream = follow(path, "devices", "stream")
        assert await anext(stream) == Told("state", {"device": "a"})
        with pytest.raises(NoAgent, match="went away") as gone:
            await anext(stream)
    assert gone.value.exit_code == 4


async def test_watch_names_the_doubt_of_a_lost_device(ask: Command, web: Web) -> None:
    web.bench.simulators["psu1"].unplugged = True
    await web.bench.until_state("psu1", DeviceState.OFFLINE)
    ended = await ask("watch", "psu1", "--seconds", "1")
    assert "offline (" in ended.out
    assert "temperature 25 °C (stale, " in ended.out

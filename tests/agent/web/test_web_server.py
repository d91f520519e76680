"""Streams, and the end of the server."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from agent.clock import SystemClock
from agent.fleet.events import EventLog
from agent.fleet.states import DeviceState
from agent.web import server, streams
from agent.web.api import build_api
from agent.web.listeners import bind_tcp
from tests.agent.bench import PLAN, named, station_in_memory
from tests.agent.web_bench import (
    SETTINGS,
    TOKEN,
    Web,
    problem,
    said,
    served,
    serving,
    sse,
    until,
)

pytestmark = pytest.mark.lab


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with served(PLAN, named("psu2"), folder=tmp_path) as found:
        yield found


async def test_events_arrive_as_they_happen_with_their_numbers(web: Web) -> None:
    async with web.tcp.stream("GET", "/events/stream") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        web.bench.events.add("test.one", "first")
        web.bench.events.add("test.two", "two\nlines")
        stream = sse(response)
        kind, event, number = await anext(stream)
        assert (kind, event["text"], number) == ("event", "first", str(event["number"]))
        assert (await anext(stream))[1]["text"] == r"two\nlines"


async def test_a_listener_that_comes_back_misses_nothing_and_hears_nothing_twice(web: Web) -> None:
    for word in ("one", "two", "three"):
        web.bench.events.add("test", word)
    first = web.bench.events.kept[-3].number
    async with web.tcp.stream(
        "GET", "/events/stream?after=0", headers={"Last-Event-ID": str(first)}
    ) as response:
        web.bench.events.add("test", "four")
        stream = sse(response)
        heard = [(await anext(stream))[1]["text"] for _ in range(3)]
    assert heard == ["two", "three", "four"]


async def test_what_happens_while_old_events_are_told_is_told_once() -> None:
    events = EventLog(SystemClock())
    events.add("test", "one")
    async with aclosing(streams.event_pieces(events, 0, "en")) as pieces:
        assert await anext(pieces) == streams.HEARTBEAT
        events.add("test", "two")  # its listener is already there
        events.add("test", "three")
        told = [await anext(pieces) for _ in range(3)]
        events.add("test", "four")
        told.append(await anext(pieces))
    assert [b"id: %d\n" % number in piece for number, piece in enumerate(told, 1)] == [True] * 4


async def test_devices_are_streamed_whole_first_and_then_as_they_change(web: Web) -> None:
    async with web.unix.stream("GET", "/devices/stream") as response:
        stream = sse(response)
        states = [await anext(stream) for _ in range(2)]
        assert [(kind, form["device"]) for kind, form, _ in states] == [
            ("state", "psu1"),
            ("state", "psu2"),
        ]
        web.bench.simulators["psu2"].unplugged = True
        async for _, form, _ in stream:
            if form["device"] == "psu2" and form["state"] == "offline":
                break
        assert {value["quality"] for value in form["values"].values()} == {"stale"}
        await web.bench.fleet.retire("psu2")
        async for kind, form, _ in stream:
            if kind == "removed":
                assert form == {"device": "psu2"}
                break


async def test_states_are_told_no_faster_than_the_pace(web: Web) -> None:
    started, came = time.monotonic(), 0
    async with web.tcp.stream("GET", "/devices/stream") as response:
        async for _, form, _ in sse(response):
            came += form["device"] == "psu1"
            if came == 6:  # the first at once, the second at any time
                break
    assert time.monotonic() - started > 4 * streams.PACE_S


async def test_silence_is_broken_by_heartbeats_that_lose_no_event(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.01)
    async with web.tcp.stream("GET", "/events/stream") as response:
        lines = response.aiter_lines()
        beats = 0
        while beats < 4:
            beats += await anext(lines) == ": alive"
        web.bench.events.add("test", "after the silence")
        while "after the silence" not in await anext(lines):
            pass


async def test_a_listener_that_leaves_is_forgotten(web: Web) -> None:
    listeners = web.bench.events._listeners
    watches = web.bench.board._watches
    async with (
        web.tcp.stream("GET", "/events/stream") as events,
        web.tcp.stream("GET", "/devices/stream") as devices,
    ):
        await anext(events.aiter_lines())
        await anext(devices.aiter_lines())
        assert (len(listeners), len(watches)) == (1, 1)
    await until(lambda: not listeners and not watches)


async def test_the_end_closes_open_streams_properly_and_within_a_second(tmp_path: Path) -> None:
    async with station_in_memory() as bench:
        listener = bind_tcp("127.0.0.1:0", "api.listen")
        base = f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
        api = build_api(bench.station, SETTINGS, TOKEN)
        async with httpx.AsyncClient(base_url=base) as client, serving(api, listener) as task:
            async with (
                client.stream("GET", "/events/stream") as events,
                client.stream("GET", "/devices/stream") as devices,
            ):
                lines = events.aiter_lines()
                await anext(lines)
                started = time.monotonic()
                task.cancel()
                await asyncio.wait([task])
                assert time.monotonic() - started < 3.0
                assert [line async for line in lines if line] == []
                rest = [form["device"] async for _, form, _ in sse(devices)]
                assert set(rest) == {"psu1"}
        assert task.cancelled()
        assert not bench.events._listeners


async def test_a_request_under_way_at_the_end_is_told_so_and_the_command_goes_on(
    web: Web, tmp_path: Path
) -> None:
    listener = bind_tcp("127.0.0.1:0", "api.listen")
    base = f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
    api = build_api(web.bench.station, SETTINGS, TOKEN)
    ramp = {"arguments": {"to": 5, "seconds": 0.6}}
    async with (
        httpx.AsyncClient(base_url=base, headers=web.token.headers) as client,
        serving(api, listener) as task,
        asyncio.TaskGroup() as tasks,
    ):
        asked = tasks.create_task(client.post("/devices/psu1/commands/ramp", json=ramp))
        await web.bench.until_state("psu1", DeviceState.BUSY)
        task.cancel()
        assert problem(await asked, 503, "stopping")["outcome"] == "unknown"
    await web.bench.until_state("psu1", DeviceState.READY)
    assert web.bench.simulators["psu1"].values["volt"] == 5.0


async def test_a_short_request_is_still_answered_at_the_end() -> None:
    began = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        began.set()
        await asyncio.sleep(server.GRACE_S / 3)
        await PlainTextResponse("well")(scope, receive, send)

    listener = bind_tcp("127.0.0.1:0", "api.listen")
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with (
        httpx.AsyncClient(base_url=base) as client,
        serving(slow, listener) as task,
        asyncio.TaskGroup() as tasks,
    ):
        asked = tasks.create_task(client.get("/"))
        await began.wait()
        task.cancel()
        assert (await asked).text == "well"


async def test_a_listener_that_does_not_read_does_not_delay_the_end() -> None:
    flowing = asyncio.Event()

    async def flood(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            flowing.set()
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})

    listener = bind_tcp("127.0.0.1:0", "api.listen")
    port = listener.getsockname()[1]
    async with serving(flood, listener) as task:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await flowing.wait()
        started = time.monotonic()
        task.cancel()
        await asyncio.wait([task])
        assert time.monotonic() - started < 3.0
        writer.transport.abort()


async def test_the_server_leaves_signals_to_the_agent() -> None:
    heeded = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in heeded]
    listener = bind_tcp("127.0.0.1:0", "api.listen")
    async with serving(PlainTextResponse("well"), listener), httpx.AsyncClient() as client:
        await client.get(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        assert [signal.getsignal(number) for number in heeded] == before


async def test_what_is_no_http_is_a_problem_and_ends_the_connection(web: Web) -> None:
    for noise in (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET /\r\n\r\n", b"*IDN?\n\n"):
        answer = await said(web.port, noise)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"application/problem+json" in answer
        assert b'"outcome":"refused"' in answer


async def test_more_callers_than_devices_can_bear_are_hung_up_on(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
    held = [await asyncio.open_connection("127.0.0.1", web.port) for _ in range(2)]
    with pytest.raises(httpx.TransportError):
        await web.tcp.get("/station")
    assert (await web.unix.post("/stop")).status_code == 200
    for _, writer in held:
        writer.close()
        await writer.wait_closed()

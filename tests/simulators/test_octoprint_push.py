from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from simulators.networked_printer import NetworkedPrinter
from simulators.octoprint import OctoPrintServer
from simulators.octoprint_data import OctoData
from simulators.octoprint_host import OctoHost
from simulators.octoprint_orders import USER
from simulators.octoprint_push import SESSION, OctoPush
from simulators.printer_storage import PrinterStorage
from tests.simulators.octoprint_client import (
    LONG,
    admitted,
    listening,
    octo,
    order,
    requests,
    until,
    upload,
)

lab = pytest.mark.lab


@pytest.fixture
async def server() -> AsyncIterator[OctoPrintServer]:
    async with octo() as server:
        yield server


@pytest.fixture
async def http(server: OctoPrintServer) -> AsyncIterator[httpx.AsyncClient]:
    async with requests(server) as client:
        yield client


@lab
async def test_somebody_unknown_is_told_who_speaks_and_no_more(
    http: httpx.AsyncClient, server: OctoPrintServer
) -> None:
    async with listening(server) as listener:
        assert (await listener.wait_for("connected"))["version"]
        await listener.say(auth="_api:wrong")
        await upload(http, content=LONG, print="true")
        await until(http, "Printing")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.7):
                await listener.next()


@lab
async def test_a_listener_gets_the_history_then_what_is_new(
    http: httpx.AsyncClient, server: OctoPrintServer
) -> None:
    async with listening(server) as listener:
        history = await admitted(http, listener)
        assert history["state"]["text"] == "Operational"
        assert set(history) >= {"job", "progress", "currentZ", "temps", "logs", "messages"}
        await upload(http, content=LONG, print="true")
        started = await listener.wait_for("event", lambda e: e["type"] == "PrintStarted")
        assert started["payload"]["path"] == "a.gcode"
        now = await listener.wait_for("current", lambda c: c["state"]["flags"]["printing"])
        assert now["job"]["file"]["path"] == "a.gcode"
        warm = await listener.wait_for("current", lambda c: bool(c["temps"]))
        assert set(warm["temps"][0]) == {"time", "tool0", "bed"}
        assert now["busyFiles"] == [{"origin": "local", "path": "a.gcode"}]
        await order(http, "/job", command="cancel")
        failed = await listener.wait_for("event", lambda e: e["type"] == "PrintFailed")
        assert failed["payload"]["reason"] == "cancelled"


@lab
async def test_somebody_elses_print_is_announced(
    http: httpx.AsyncClient, server: OctoPrintServer
) -> None:
    async with listening(server) as listener:
        await admitted(http, listener)
        await server.play("screen", action="start", file="theirs.gcode")
        now = await listener.wait_for("current", lambda c: c["state"]["flags"]["printing"])
        assert now["job"]["file"]["path"] == "theirs.gcode"
        assert now["job"]["user"] == "operator"
        await server.play("screen", action="cancel")
        await listener.wait_for("event", lambda e: e["type"] == "PrintCancelled")


@lab
async def test_an_error_is_pushed(http: httpx.AsyncClient, server: OctoPrintServer) -> None:
    async with listening(server) as listener:
        await admitted(http, listener)
        await server.play("thermal_error")
        error = await listener.wait_for("event", lambda e: e["type"] == "Error")
        assert "heating" in error["payload"]["error"]
        now = await listener.wait_for("current", lambda c: not c["state"]["flags"]["operational"])
        assert now["state"]["flags"]["error"] is True


@lab
async def test_a_throttle_makes_messages_rarer(
    http: httpx.AsyncClient, server: OctoPrintServer
) -> None:
    await upload(http, content=LONG, print="true")
    async with listening(server) as listener:
        await listener.say(throttle=2)
        await admitted(http, listener)
        await listener.wait_for("current")
        start = time.monotonic()
        await listener.wait_for("current")
        assert time.monotonic() - start > 0.9


def test_no_message_of_a_listener_does_harm() -> None:
    push = OctoPush(OctoData(OctoHost(NetworkedPrinter(), PrinterStorage())), USER)
    listener = push.connect()
    for text in ("{", "[]", "null", '{"throttle": 0}', '{"throttle": "x"}', '{"auth": 1}'):
        push.hear(listener, text)
    assert (listener.trusted, listener.throttle) == (False, 1)
    push.hear(listener, json.dumps({"auth": f"{USER}:{SESSION}", "throttle": 3}))
    assert (listener.trusted, listener.throttle) == (True, 3)


def test_nothing_new_is_not_told() -> None:
    push = OctoPush(OctoData(OctoHost(NetworkedPrinter(), PrinterStorage())), USER)
    listener = push.connect()
    push.hear(listener, json.dumps({"auth": f"{USER}:{SESSION}"}))
    told = listener.outbox.qsize()
    for _ in range(100):
        push.advance(0.02)  # two seconds: one report of temperatures
    assert listener.outbox.qsize() - told == 1

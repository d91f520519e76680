from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from simulators.moonraker import API_KEY, MoonrakerServer
from tests.simulators.moonraker_client import DEADLINE_S, PACE, QUICK, socket

pytestmark = pytest.mark.lab


@pytest.fixture
async def server() -> AsyncIterator[MoonrakerServer]:
    async with MoonrakerServer(delays=QUICK) as server:
        server.printer.pace = PACE
        yield server


async def test_a_subscription_is_told_all_once_and_then_what_changes(
    server: MoonrakerServer,
) -> None:
    async with socket(server) as ws:
        wanted = {"extruder": ["temperature", "target"], "print_stats": None, "nothing": None}
        status = (await ws.call("printer.objects.subscribe", objects=wanted))["status"]
        assert set(status) == {"extruder", "print_stats"}
        assert set(status["extruder"]) == {"temperature", "target"}
        await ws.call("printer.gcode.script", script="M104 S100")
        changes, eventtime = await ws.notified("status_update", lambda p: "extruder" in p[0])
        assert changes["extruder"]["target"] == 100.0
        assert "print_stats" not in changes
        assert eventtime > 0
        warmer, _ = await ws.notified("status_update")
        assert set(warmer["extruder"]) == {"temperature"}


async def test_a_restart_of_klipper_ends_subscriptions(server: MoonrakerServer) -> None:
    async with socket(server) as ws:
        wanted = {"toolhead": ["print_time"]}  # changes all the time
        await ws.call("printer.objects.subscribe", objects=wanted)
        await ws.notified("status_update")
        assert await ws.call("printer.firmware_restart") == "ok"
        await ws.notified("klippy_disconnected")
        code, message = await ws.error("printer.objects.subscribe", objects=wanted)
        assert (code, message) == (503, "Klippy Host not connected")
        await ws.notified("klippy_ready")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.7):
                await ws.notified("status_update")
        await ws.call("printer.objects.subscribe", objects=wanted)
        await ws.notified("status_update")


async def test_a_shutdown_and_prints_are_announced(server: MoonrakerServer) -> None:
    async with socket(server) as ws:
        await server.play("screen", action="start", file="theirs.gcode")
        (added,) = await ws.notified("history_changed")
        assert (added["action"], added["job"]["filename"]) == ("added", "theirs.gcode")
        assert added["job"]["user"] is None  # somebody at the printer itself
        await server.play("thermal_error")
        (finished,) = await ws.notified("history_changed")
        assert finished["job"]["status"] == "klippy_shutdown"
        await ws.notified("klippy_shutdown")
        info = await ws.call("printer.info")
        assert "not heating at expected rate" in info["state_message"]


async def test_a_long_script_holds_nothing_else_up(server: MoonrakerServer) -> None:
    async with socket(server) as ws:
        script = await ws.send("printer.gcode.script", script="G4 S600")
        assert (await ws.call("server.info"))["websocket_count"] == 1
        assert await ws.call("printer.emergency_stop") == "ok"
        late = [m for m in ws.told if m.get("id") == script] or [await ws.answer(script)]
        assert late[0]["error"]["code"] == 400


async def test_idle_timeout_says_printing_of_a_script(server: MoonrakerServer) -> None:
    async with socket(server) as ws:
        script = await ws.send("printer.gcode.script", script="G28")
        async with asyncio.timeout(DEADLINE_S):
            while not server.printer.busy:
                await asyncio.sleep(0.005)
        objects = {"idle_timeout": None, "print_stats": ["state"]}
        status = (await ws.call("printer.objects.query", objects=objects))["status"]
        assert status["idle_timeout"]["state"] == "Printing"
        assert status["print_stats"]["state"] == "standby"
        if not any(m.get("id") == script for m in ws.told):
            await ws.answer(script)


async def test_somebody_without_a_key_is_told_nothing_until_they_identify() -> None:
    async with MoonrakerServer(demands_key=True) as server, socket(server) as ws:
        about = {"client_name": "t", "version": "1", "type": "agent", "url": "http://x"}
        assert await ws.error("server.info") == (-32602, "Unauthorized")
        assert (await ws.error("server.connection.identify", **about))[0] == -32602
        await server.play("restart")  # they are not told of it
        answer = await ws.call("server.connection.identify", **about, api_key=API_KEY)
        assert answer["connection_id"] > 0
        assert ws.told == []
        assert (await ws.call("server.info"))["klippy_state"] == "disconnected"
        again, _ = await ws.error("server.connection.identify", **about, api_key=API_KEY)
        assert again == 400


async def test_the_key_in_the_handshake_is_enough() -> None:
    async with (
        MoonrakerServer(demands_key=True) as server,
        socket(server, **{"X-Api-Key": API_KEY}) as ws,
    ):
        assert (await ws.call("server.info"))["klippy_state"] == "ready"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", -32700),
        ('{"id": 1}', -32600),
        ('{"jsonrpc": "2.0", "method": "no.such", "id": 1}', -32601),
        ('{"jsonrpc": "2.0", "method": "server.info", "params": [1], "id": 1}', -32602),
        ('{"jsonrpc": "2.0", "method": "printer.objects.query", "id": 1}', 400),
        ('{"jsonrpc": "2.0", "method": "printer.print.start", "id": 1}', 400),
    ],
)
async def test_a_request_that_is_none_gets_an_error_object(
    server: MoonrakerServer, message: str, code: int
) -> None:
    async with socket(server) as ws:
        await ws.socket.send(message)
        answer = json.loads(await ws.socket.recv())
        assert answer["error"]["code"] == code
        assert (await ws.call("server.info"))["klippy_state"] == "ready"

"""The tricks that a test plays on printers on the network, over the control port of the room."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import time
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import Response
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from simulators.control import RoomControl
from simulators.http_faults import HttpFault, HttpFaults
from simulators.http_server import HttpServer
from simulators.room import Room

DEADLINE_S = 10.0
NAMES = ("printer2", "printer3", "printer4")
lab = pytest.mark.lab


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with Room(tmp_path, only=NAMES) as room:
        yield room


@pytest.fixture
async def control(room: Room) -> AsyncIterator[RoomControl]:
    async with RoomControl(room.control.host, room.control.port) as control:
        yield control


@contextlib.asynccontextmanager
async def client(room: Room, name: str) -> AsyncIterator[httpx.AsyncClient]:
    host, port = tuple(room.addresses()[name]["http"])
    headers = {"X-Api-Key": room.keys()[name]}
    async with httpx.AsyncClient(
        base_url=f"http://{host}:{port}", headers=headers, timeout=DEADLINE_S, verify=False
    ) as http:
        yield http


STATUS = {"printer2": "/server/info", "printer3": "/api/v1/status", "printer4": "/api/job"}


@lab
@pytest.mark.parametrize("name", NAMES)
async def test_a_printer_goes_away_and_comes_back_with_its_print(
    room: Room, control: RoomControl, name: str
) -> None:
    async with client(room, name) as http:
        await control.ask(name, do="screen", action="start")
        await control.ask(name, do="stop")
        with pytest.raises(httpx.ConnectError):
            await http.get(STATUS[name])
        before = (await control.ask(name, do="truth"))["position"]
        await control.ask(name, do="pace", factor=50)
        async with asyncio.timeout(DEADLINE_S):
            while (await control.ask(name, do="truth"))["position"] == before:
                await asyncio.sleep(0.01)
        await control.ask(name, do="start")
        assert (await http.get(STATUS[name])).status_code == 200
        job = (await control.ask(name, do="truth"))["job"]
        assert (job["name"], job["by"]) == ("foreign.gcode", "screen")
        assert job["state"] in ("starting", "printing")


@lab
@pytest.mark.parametrize("name", NAMES)
async def test_an_answer_may_be_late_refused_or_lost(
    room: Room, control: RoomControl, name: str
) -> None:
    async with client(room, name) as http:
        await control.ask(name, do="slow", seconds=0.3, next=1)
        start = time.monotonic()
        assert (await http.get(STATUS[name])).status_code == 200
        assert time.monotonic() - start >= 0.3
        for status in (503, 409, 401):
            await control.ask(name, do="refuse", status=status, next=1)
            assert (await http.get(STATUS[name])).status_code == status
        await control.ask(name, do="drop", next=1)
        with pytest.raises(httpx.TransportError):
            await http.get(STATUS[name])
        assert (await http.get(STATUS[name])).status_code == 200
        counts = (await control.ask(name, do="counts"))["counts"]
        assert (counts["slow"], counts["refuse"], counts["drop"]) == (1, 3, 1)


@lab
async def test_a_dropped_request_has_been_done_or_not(room: Room, control: RoomControl) -> None:
    async with client(room, "printer2") as http:
        for when, sent in (("before", False), ("after", True)):
            await control.ask("printer2", do="drop", next=1, match="/upload", when=when)
            files = {"file": (f"{when}.gcode", b"G28\n")}
            with pytest.raises(httpx.TransportError):
                await http.post("/server/files/upload", files=files)
            files_there = (await control.ask("printer2", do="truth"))["files"]
            assert (f"{when}.gcode" in files_there) is sent


@lab
async def test_faults_meet_only_what_they_name(room: Room, control: RoomControl) -> None:
    async with client(room, "printer4") as http:
        await control.ask("printer4", do="refuse", status=503, match="POST")
        assert (await http.get("/api/job")).status_code == 200
        for _ in range(3):
            assert (await http.post("/api/job", json={"command": "start"})).status_code == 503
        await control.ask("printer4", do="clear")
        assert (await http.post("/api/job", json={"command": "start"})).status_code == 409


@lab
async def test_messages_get_lost_on_the_socket(room: Room, control: RoomControl) -> None:
    await control.ask("printer2", do="drop_messages", every=2)
    request = {"jsonrpc": "2.0", "method": "server.info"}
    async with connect(socket_of(room)) as socket:
        for number in range(1, 5):
            await socket.send(json.dumps(request | {"id": number}))
        async with asyncio.timeout(DEADLINE_S):
            heard = [json.loads(await socket.recv())["id"] for _ in range(2)]
        assert len(heard) == 2
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await socket.recv()
        counts = (await control.ask("printer2", do="counts"))["counts"]
        assert (counts["messages"], counts["lost messages"]) == (4, 2)


@lab
async def test_an_answer_on_the_socket_may_be_late_or_never_come(
    room: Room, control: RoomControl
) -> None:
    request = {"jsonrpc": "2.0", "method": "server.info", "id": 1}
    async with connect(socket_of(room)) as socket:
        await control.ask("printer2", do="slow", seconds=0.3, match="server.info", next=1)
        start = time.monotonic()
        await socket.send(json.dumps(request))
        assert json.loads(await socket.recv())["id"] == 1
        assert time.monotonic() - start >= 0.3
        await control.ask("printer2", do="drop", next=1, when="before")
        await socket.send(json.dumps(request))
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    async with connect(socket_of(room)) as socket:
        await control.ask("printer2", do="disconnect")
        with pytest.raises(ConnectionClosed):
            await socket.recv()


@lab
@pytest.mark.parametrize("name", NAMES)
async def test_a_reboot_loses_the_print_and_keeps_the_files(
    room: Room, control: RoomControl, name: str
) -> None:
    await control.ask(name, do="screen", action="start")
    await control.ask(name, do="reboot", seconds=0.05)
    truth = await control.ask(name, do="truth")
    assert "foreign.gcode" in truth["files"]
    assert truth["job"] is None or truth["job"]["state"] == "failed"
    async with client(room, name) as http:
        assert (await http.get(STATUS[name])).status_code == 200


@lab
@pytest.mark.parametrize("name", NAMES)
async def test_things_happen_to_the_machine(room: Room, control: RoomControl, name: str) -> None:
    await control.ask(name, do="pace", factor=50)
    await control.ask(name, do="screen", action="start", file="x.gcode")
    await control.ask(name, do="runout")
    assert await comes_to(control, name, "paused") == "filament runout"
    await control.ask(name, do="load_filament")
    await control.ask(name, do="screen", action="resume")
    await comes_to(control, name, "printing")
    await control.ask(name, do="screen", action="pause")
    await comes_to(control, name, "paused")
    await control.ask(name, do="emergency_stop")
    assert (await control.ask(name, do="truth"))["halted"]


async def comes_to(control: RoomControl, name: str, state: str) -> Any:
    async with asyncio.timeout(DEADLINE_S):
        while (truth := await control.ask(name, do="truth"))["job"]["state"] != state:
            await asyncio.sleep(0.01)
    return truth["attention"]


@lab
@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"do": "explode"}, "not 'explode'"),
        ({}, "not None"),
        ({"do": "slow"}, "seconds above 0"),
        ({"do": "refuse", "status": 200}, "from 400 to 599"),
        ({"do": "drop", "next": 0}, "at least 1"),
        ({"do": "drop", "when": "never"}, "before or after"),
        ({"do": "pace", "factor": 0}, "above 0"),
        ({"do": "screen", "action": "dance"}, "not 'dance'"),
        ({"do": "screen", "action": "pause"}, "no print to pause"),
        ({"do": "corrupt", "how": "burn"}, "not 'burn'"),
        ({"do": "runout", "colour": 3}, "unexpected keyword"),
        ({"do": "drop_messages", "every": -1}, "at least 0"),
    ],
)
async def test_a_trick_that_makes_no_sense_is_refused(
    control: RoomControl, request_: dict[str, Any], sentence: str
) -> None:
    for name in NAMES:
        with pytest.raises(ValueError, match=sentence):
            await control.ask(name, **request_)


def socket_of(room: Room) -> str:
    host, port = tuple(room.addresses()["printer2"]["http"])
    return f"ws://{host}:{port}/websocket"


def test_faults_end_when_they_have_met_their_number_of_requests() -> None:
    faults = HttpFaults()
    faults.add(HttpFault(kind="refuse", next=2, match="GET /a"))
    assert faults.take("refuse", "GET /b") is None
    assert faults.take("slow", "GET /a") is None
    assert faults.take("refuse", "GET /a") is not None
    assert faults.take("refuse", "GET /ab") is not None
    assert faults.take("refuse", "GET /a") is None


@lab
async def test_an_application_that_raises_is_told_to_the_loop() -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    refusal = functools.partial(Response, b"")
    async with HttpServer(broken, lambda _: None, refusal=refusal) as server:
        async with httpx.AsyncClient(verify=False) as http:
            answer = await http.get(f"http://127.0.0.1:{server.port}/here")
    assert answer.status_code == 500
    assert [str(failure["message"]) for failure in failures] == ["a request failed: /here"]


@lab
async def test_stopping_cuts_those_who_wait_for_an_answer(room: Room, control: RoomControl) -> None:
    await control.ask("printer3", do="slow", seconds=60)
    async with client(room, "printer3") as http, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(failure_of(http.get(STATUS["printer3"])))
        async with asyncio.timeout(DEADLINE_S):
            while "slow" not in (await control.ask("printer3", do="counts"))["counts"]:
                await asyncio.sleep(0.01)
        await control.ask("printer3", do="stop")
    assert isinstance(waiting.result(), httpx.TransportError)


async def failure_of(request: Awaitable[object]) -> Exception | None:
    try:
        await request
    except httpx.HTTPError as error:
        return error
    return None

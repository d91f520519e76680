"""The whole room as one process, talked to as the agent and the tests of others will."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from simulators.control import RoomControl
from simulators.room import Room

pytestmark = pytest.mark.lab
ALL = {"psu1", "dmm1", "oven1", "bus1", "stage1"} | {f"printer{n}" for n in (1, 2, 3, 4)}
DEADLINE_S = 15.0


@contextlib.asynccontextmanager
async def process(*options: str) -> AsyncIterator[Process]:
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators", *options, stdout=PIPE, stderr=PIPE
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def addresses(room: Process) -> dict[str, Any]:
    assert room.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        told: dict[str, Any] = json.loads(await room.stdout.readline())
    return told


async def ask(address: list[Any], message: bytes) -> bytes:
    async with asyncio.timeout(DEADLINE_S):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(message)
        answer = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return answer


async def test_the_room_starts_serves_and_ends_cleanly(tmp_path: Path) -> None:
    async with process("--json", "--dir", str(tmp_path)) as room:
        told = await addresses(room)
        devices = told["devices"]
        assert set(devices) == ALL
        assert devices["printer1"] == {"pty": str(tmp_path / "printer1")}
        assert (await ask(devices["psu1"]["tcp"], b"*IDN?\n")).startswith(b"Siglent")
        assert (await ask(devices["dmm1"]["tcp"], b"*IDN?\n")).startswith(b"Keysight")
        async with RoomControl(*told["control"]) as control:
            await control.ask("psu1", do="clear")
        room.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DEADLINE_S):
            _, errors = await room.communicate()
        assert (room.returncode, errors) == (0, b"")
    assert list(tmp_path.iterdir()) == []


async def first_line(path: Path) -> bytes:
    """What a board says when its port is opened, up to the end of the first line with words."""
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    said = b""
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not said.strip() or not said.endswith(b"\n"):
                with contextlib.suppress(BlockingIOError):
                    said += os.read(fd, 1)
                    continue
                await asyncio.sleep(0.01)
    finally:
        os.close(fd)
    return said.strip()


async def test_every_kind_of_device_answers_in_its_own_way(tmp_path: Path) -> None:
    async with Room(tmp_path) as room:
        assert await first_line(tmp_path / "printer1") == b"start"
        assert (await first_line(tmp_path / "stage1")).startswith(b"Grbl 1.1")
        reader, writer = await asyncio.open_connection(*tcp(room, "oven1"))
        writer.write(bytes.fromhex("0007 0000 0006 01 04 03e8 0001"))  # read input register 1000
        async with asyncio.timeout(DEADLINE_S):
            header = await reader.readexactly(9)
        assert header == bytes.fromhex("0007 0000 0005 01 04 02")
        writer.close()
        await writer.wait_closed()


async def test_interrupting_it_ends_it_cleanly_too() -> None:
    async with process("--json", "--only", "psu1") as room:
        assert set((await addresses(room))["devices"]) == {"psu1"}
        room.send_signal(signal.SIGINT)
        async with asyncio.timeout(DEADLINE_S):
            assert await room.wait() == 0


async def test_a_simulator_that_raises_ends_the_process_with_its_traceback() -> None:
    broken = (
        "import sys; from simulators.siglent_spd1000x import SiglentSpd1000x as Supply; "
        "Supply.advance = lambda self, dt: 1 / 0; "
        "from simulators.__main__ import main; sys.exit(main(['--only', 'psu1']))"
    )
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-c", broken, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(DEADLINE_S):
        _, errors = await started.communicate()
    assert started.returncode == 1
    assert b"ZeroDivisionError" in errors


async def test_an_unknown_device_is_refused_with_a_sentence() -> None:
    async with process("--only", "psu1,teapot") as room:
        async with asyncio.timeout(DEADLINE_S):
            _, errors = await room.communicate()
        assert room.returncode == 2
        assert b"the room has no teapot" in errors


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with Room(tmp_path, only={"psu1", "dmm1", "bus1"}) as room:
        yield room


@pytest.fixture
async def control(room: Room) -> AsyncIterator[RoomControl]:
    async with RoomControl(room.control.host, room.control.port) as control:
        yield control


def tcp(room: Room, name: str) -> list[Any]:
    return list(room.addresses()[name]["tcp"])


@contextlib.asynccontextmanager
async def supply(room: Room) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(*tcp(room, "psu1"))
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_the_meter_sees_what_the_supply_gives(room: Room) -> None:
    async with supply(room) as (reader, writer):
        writer.write(b"VOLT 5;CURR 1\nOUTP CH1,ON\nVOLT?\n")
        assert await reader.readline() == b"5.000\n"
        async with asyncio.timeout(DEADLINE_S):
            while abs(room.psu.terminal_volts - 5.0) > 1e-6:
                await asyncio.sleep(0.01)
        told = await ask(tcp(room, "dmm1"), b"CONF:VOLT 10;:READ?\n")
        assert float(told) == pytest.approx(5.0, abs=1e-3)


async def test_a_lost_reply_is_lost_and_counted(room: Room, control: RoomControl) -> None:
    await control.ask("psu1", fault="lose", next=1)
    async with supply(room) as (reader, writer):
        writer.write(b"VOLT?\nCURR?\n*IDN?\n")  # one segment is one reply, and it is lost
        async with asyncio.timeout(DEADLINE_S):
            while (await control.ask("psu1", do="counts"))["counts"] != {"lose": 1}:
                await asyncio.sleep(0.01)
        writer.write(b"CURR?\n")
        assert await reader.readline() == b"1.000\n"


async def test_a_hang_lasts_until_it_is_cleared(room: Room, control: RoomControl) -> None:
    await control.ask("psu1", do="hang")
    async with supply(room) as (reader, writer):
        writer.write(b"VOLT 3\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.readline()
        await control.ask("psu1", do="clear")
        writer.write(b"VOLT?\n")
        assert await reader.readline() == b"0.000\n"


async def test_a_stopped_device_comes_back_on_its_port(room: Room, control: RoomControl) -> None:
    async with supply(room) as (reader, _):
        await control.ask("psu1", do="stop")
        assert await reader.readline() == b""
    with pytest.raises(ConnectionRefusedError):
        async with supply(room):
            pass
    await control.ask("psu1", do="start")
    async with supply(room) as (reader, writer):
        writer.write(b"VOLT?\n")
        assert await reader.readline() == b"0.000\n"


async def test_disconnect_drops_the_client_alone(room: Room, control: RoomControl) -> None:
    async with supply(room) as (reader, writer):
        writer.write(b"VOLT?\n")
        await reader.readline()
        await control.ask("psu1", do="disconnect")
        assert await reader.readline() == b""
    async with supply(room) as (reader, writer):
        writer.write(b"VOLT?\n")
        assert await reader.readline() == b"0.000\n"


async def test_a_terminal_can_be_unplugged(
    room: Room, control: RoomControl, tmp_path: Path
) -> None:
    assert os.path.lexists(tmp_path / "bus1")
    await control.ask("bus1", do="unplug")
    assert not os.path.lexists(tmp_path / "bus1")
    await control.ask("bus1", do="plug")
    assert os.path.lexists(tmp_path / "bus1")


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"device": "teapot", "do": "hang"}, "there is no device 'teapot', only psu1"),
        ({"device": "psu1"}, "a fault or something to do"),
        ({"device": "psu1", "do": "explode"}, "not 'explode'"),
        ({"device": "psu1", "fault": "lose"}, "either next or probability"),
        ({"device": "psu1", "fault": "lose", "next": "3"}, "'<' not supported"),
        ({"device": "psu1", "fault": "lose", "next": 1, "colour": 3}, "unexpected keyword"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(
    control: RoomControl, request_: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        await control.ask(**request_)


@pytest.mark.parametrize("line", [b"no json\n", b"[]\n", b"\xff\n"])
async def test_a_line_that_is_no_request_is_answered_all_the_same(room: Room, line: bytes) -> None:
    answer = json.loads(await ask([room.control.host, room.control.port], line))
    assert answer["ok"] is False
    assert answer["error"]


async def test_extra_controllers_each_have_their_port(tmp_path: Path) -> None:
    async with Room(tmp_path, only={"controller1", "controller2"}, modbus_devices=2) as room:
        ports = {address["tcp"] for address in room.addresses().values()}
        assert len(ports) == 2

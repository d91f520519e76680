"""What systemd is told, and what the log looks like."""

import asyncio
import io
import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.logs import configure
from agent.systemd import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(path)
        listening.setblocking(False)
        yield listening, path


def test_ready_and_stopping_reach_the_manager(manager: tuple[socket.socket, str]) -> None:
    listening, path = manager
    notifier = Notifier({"NOTIFY_SOCKET": path})
    notifier.ready()
    notifier.stopping()
    assert [listening.recv(100), listening.recv(100)] == [b"READY=1", b"STOPPING=1"]


def test_an_abstract_socket_is_reached_too() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0labkeeper-test-notify")
        Notifier({"NOTIFY_SOCKET": "@labkeeper-test-notify"}).ready()
        assert listening.recv(100) == b"READY=1"


async def test_the_watchdog_is_told_again_and_again_while_the_loop_turns(
    manager: tuple[socket.socket, str],
) -> None:
    listening, path = manager
    notifier = Notifier({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "60000"})
    async with asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(notifier.watchdog(SystemClock()))
        loop = asyncio.get_running_loop()
        for _ in range(3):
            async with asyncio.timeout(2):
                assert await loop.sock_recv(listening, 100) == b"WATCHDOG=1"
        telling.cancel()


async def test_without_systemd_nothing_is_sent_and_the_watchdog_ends_at_once() -> None:
    notifier = Notifier({})
    notifier.ready()
    async with asyncio.timeout(1):
        await notifier.watchdog(SystemClock())


@pytest.fixture
def root_logger() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.mark.usefixtures("root_logger")
def test_a_json_line_has_time_level_text_and_what_was_given_besides() -> None:
    stream = io.StringIO()
    configure("auto", "info", stream)
    logging.getLogger("labkeeper").warning("오븐 offline", extra={"device": "oven1"})
    line = json.loads(stream.getvalue())
    assert line["text"] == "오븐 offline"
    assert line["level"] == "warning"
    assert line["device"] == "oven1"
    assert line["time"].endswith("+00:00")


@pytest.mark.usefixtures("root_logger")
def test_a_line_for_a_person_is_plain_and_below_the_level_there_is_none() -> None:
    stream = io.StringIO()
    configure("console", "warning", stream)
    logging.getLogger("labkeeper").info("quiet")
    logging.getLogger("labkeeper").warning("loud")
    assert stream.getvalue().split()[1:] == ["WARNING", "loud"]


@pytest.mark.usefixtures("root_logger")
def test_what_nobody_caught_in_the_loop_is_in_the_log() -> None:
    stream = io.StringIO()
    configure("json", "info", stream)

    async def fail_unheard() -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 // 0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(fail_unheard())
    assert "ZeroDivisionError" in json.loads(stream.getvalue())["exception"]

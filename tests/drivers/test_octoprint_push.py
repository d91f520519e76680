"""What OctoPrint pushes is taken when somebody looks: beginnings and ends of prints."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from drivers.errors import ConnectFailed, LinkClosed, LinkTimeout
from drivers.protocol.octoprint_push import MOST, Push

PLACE = "labkeeper/a.gcode"
DONE = {"kind": "PrintDone"}


class Socket:
    """A socket whose messages a test lays down; `None` is its end."""

    def __init__(self) -> None:
        self.lying: deque[str | None] = deque()
        self.sent: list[Any] = []
        self.closed = False

    async def send(self, text: str) -> None:
        self.sent.append(json.loads(text))

    async def receive(self, within: float) -> str:
        if not self.lying:
            await asyncio.sleep(within)
            raise LinkTimeout("nothing came")
        text = self.lying.popleft()
        if text is None:
            raise LinkClosed("gone")
        return text

    def push(self, **message: Any) -> None:
        self.lying.append(json.dumps(message))


class Host:
    """A link of which only the socket is used."""

    def __init__(self) -> None:
        self.socket_ = Socket()
        self.there = True
        self.kept: dict[str, str] = {}

    @asynccontextmanager
    async def socket(self, path: str) -> AsyncIterator[Socket]:
        if not self.there:
            raise ConnectFailed(f"no {path}")
        try:
            yield self.socket_
        finally:
            self.socket_.closed = True

    def on_close(self, close: Callable[[], Awaitable[None]]) -> None: ...


def event(kind: str, **payload: Any) -> dict[str, Any]:
    return {"type": kind, "payload": {"path": PLACE, **payload}}


async def opened() -> tuple[Push, Socket]:
    host = Host()
    push = Push(host)  # type: ignore[arg-type]
    await push.open("anna", "s3ss10n")
    return push, host.socket_


async def test_it_says_who_it_is_and_how_often_it_wants_to_be_told() -> None:
    _, socket = await opened()
    assert socket.sent == [{"auth": "anna:s3ss10n"}, {"throttle": 20}]


async def test_ends_are_kept_until_the_next_print_begins() -> None:
    push, socket = await opened()
    socket.push(event=event("PrintCancelling", firmwareError="MAXTEMP triggered"))
    socket.push(event=event("PrintCancelled"))
    socket.push(event=event("PrintFailed", reason="cancelled"))
    await push.take()
    assert push.turns == 3
    told = {"kind": "PrintFailed", "reason": "cancelled", "error": "MAXTEMP triggered"}
    assert push.end("labkeeper/a.gcode") == told
    socket.push(event=event("PrintStarted"))
    await push.take()
    assert push.end("labkeeper/a.gcode") == {}
    assert push.turns == 4


async def test_other_events_and_unknown_messages_are_passed_over() -> None:
    push, socket = await opened()
    socket.push(event={"type": "ZChange", "payload": {"new": 1, "old": 0}})
    socket.push(event={"type": "PrintDone", "payload": None})
    socket.push(plugin={"plugin": "x", "data": {}})
    await push.take()
    assert (push.turns, push.is_open) == (0, True)


async def test_many_ends_of_many_files_do_not_pile_up() -> None:
    push, socket = await opened()
    for number in range(100):
        socket.push(event=event("PrintDone", path=f"{number}.gcode"))
    await push.take()
    assert push.end("0.gcode") == {}
    assert push.end("99.gcode") == {"kind": "PrintDone"}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"event": 3}', "[" * 90_000])
async def test_what_cant_be_read_hides_nothing_of_the_rest(text: str) -> None:
    push, socket = await opened()
    socket.lying.append(text)
    socket.push(event=event("PrintDone"))
    await push.take()
    assert push.end(PLACE) == DONE
    assert push.is_open


async def test_a_session_that_is_over_closes_the_socket() -> None:
    push, socket = await opened()
    socket.push(event=event("PrintDone"))
    socket.push(reauthRequired={"reason": "stale"})
    await push.take()
    assert socket.closed
    assert not push.is_open
    assert push.end(PLACE) == DONE


async def test_a_lost_socket_is_closed() -> None:
    push, socket = await opened()
    socket.push(event=event("PrintDone"))
    socket.lying.append(None)
    await push.take()
    assert socket.closed
    assert not push.is_open


async def test_a_socket_that_has_fallen_behind_is_closed() -> None:
    push, socket = await opened()
    for _ in range(MOST + 1):
        socket.push(current={})
    await push.take()
    assert not push.is_open


async def test_two_looks_at_once_take_it_one_after_the_other() -> None:
    push, socket = await opened()
    socket.push(event=event("PrintDone"))
    await asyncio.gather(push.take(), push.take(), push.take())
    assert push.turns == 1
    assert not socket.lying


async def test_a_host_without_such_a_socket_has_no_push() -> None:
    host = Host()
    host.there = False
    push = Push(host)  # type: ignore[arg-type]
    with pytest.raises(ConnectFailed):
        await push.open("anna", "s")
    await push.take()
    await push.close()
    assert not push.is_open

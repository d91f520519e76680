"""Jogs at the edges: where the position is not known, and where the link goes with the caller."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from drivers.errors import DeviceError, LinkClosed
from drivers.motion.grbl import GrblStage
from drivers.protocol import grbl as grbl_module
from drivers.protocol.grbl import CANCEL_JOG
from drivers.protocol.grbl_lines import BANNER_S, RESET
from drivers.transport.memory import Loopback
from tests.drivers.test_grbl import BANNER, HELLO, greeted, script
from tests.drivers.virtual_time import run


@pytest.fixture(autouse=True)
def no_pause_between_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grbl_module, "STATUS_PERIOD_S", 0.0)


async def test_a_jog_from_nobody_knows_where_is_refused_before_anything_moves() -> None:
    report = b"<Idle|WPos:1.000,2.000,3.000|FS:0,0>\r\n"  # $10=0, and no WCO has come yet
    async with script((b"?", report)) as link:
        stage = GrblStage(await greeted(link))
        with pytest.raises(DeviceError, match="no position of axis X"):
            await stage.jog(600.0, x=5.0)
    link.assert_finished()


class Stage(Loopback):
    """A stage that jogs or homes for ever, and that no reset ends."""

    def __init__(self) -> None:
        super().__init__(self._obey, BANNER)
        self.pulled = False
        self.busy = asyncio.Event()

    def send_now(self, data: bytes) -> None:
        if self.pulled:
            raise LinkClosed("the cable is out")
        super().send_now(data)

    def pull(self) -> None:
        self.pulled = True
        self.inbox.fail(LinkClosed("the cable is out"))

    def _obey(self, data: bytes) -> bytes:
        if data == b"?":
            self.busy.set()
            return b"<Jog|MPos:1.000,2.000,3.000|FS:0,0>\r\n"
        if data == b"$H\n":
            self.busy.set()
            return b""
        return b"" if data in {RESET, CANCEL_JOG} else dict(HELLO).get(data, b"ok\r\n")


async def cancelled(link: Stage, name: str, *, pulled: bool) -> asyncio.Task[Any]:
    """A move, or homing, that was cancelled while it was under way; with the cable out, or not."""
    stage = GrblStage(await greeted(link))
    work: Coroutine[Any, Any, Any] = stage.home() if name == "home" else stage.move(600.0, x=5.0)
    async with asyncio.TaskGroup() as tasks:
        moving = tasks.create_task(work)
        await link.busy.wait()
        if pulled:
            link.pulled = True
            asyncio.get_running_loop().call_soon(link.pull)
        moving.cancel()
    return moving


@pytest.mark.parametrize("name", ["move", "home"])
async def test_a_cancellation_that_meets_a_lost_link_is_still_a_cancellation(name: str) -> None:
    async with Stage() as link:
        assert (await cancelled(link, name, pulled=True)).cancelled()


def test_homing_that_no_reset_ends_is_given_up_when_the_banner_should_have_come() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with Stage() as link:
            assert (await cancelled(link, "home", pulled=False)).cancelled()
        assert loop.time() < 3 * BANNER_S

    run(scenario())

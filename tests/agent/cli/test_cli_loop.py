"""The loop of a command that follows: no traceback for what comes too late, and one for a defect."""

from __future__ import annotations

import asyncio

import pytest

from agent.cli.loop import run


async def _bytes_that_come_as_the_wait_is_cancelled() -> str:
    loop = asyncio.get_running_loop()
    wait = loop.create_future()
    loop.call_soon(wait.set_result, None)
    wait.cancel()
    await asyncio.sleep(0)
    return "ended"


async def _a_defect_in_a_callback() -> str:
    asyncio.get_running_loop().call_soon(list[int]().pop)
    await asyncio.sleep(0)
    return "ended"


def test_bytes_that_come_as_a_wait_is_cancelled_are_no_trouble(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert run(_bytes_that_come_as_the_wait_is_cancelled()) == "ended"
    assert not caplog.records


def test_a_defect_in_a_callback_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    assert run(_a_defect_in_a_callback()) == "ended"
    assert "pop from empty list" in caplog.text

"""Who is at the other end: users by name, also where the directory of users does not answer."""

import asyncio
import os
import pwd
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from agent.web import peer
from agent.web.peer import UserNames


async def test_a_user_is_called_by_name_and_an_unknown_one_by_number() -> None:
    users = UserNames()
    assert await users.of(os.getuid()) == pwd.getpwuid(os.getuid()).pw_name
    assert await users.of(2**31 - 7) == f"uid {2**31 - 7}"


async def test_a_directory_that_hangs_is_asked_once_and_holds_up_no_other_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer, asked = threading.Event(), []

    def hang(uid: int) -> Any:
        asked.append(uid)
        answer.wait(10)
        return SimpleNamespace(pw_name="kim")

    monkeypatch.setattr("agent.web.peer.pwd.getpwuid", hang)
    monkeypatch.setattr(peer, "LOOK_UP_S", 0.02)
    users = UserNames()
    names = await asyncio.gather(*(users.of(1000) for _ in range(50)))
    assert set(names) == {"uid 1000"}
    assert asked == [1000]
    async with asyncio.timeout(1):
        await asyncio.to_thread(lambda: None)
        answer.set()
        while await users.of(1000) != "kim":
            await asyncio.sleep(0.01)

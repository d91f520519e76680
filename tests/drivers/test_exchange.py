"""An exchange in its caller's task: cancelled at whatever moment, it is whole, and the caller knows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import LinkTimeout
from drivers.transport.exchange import Exchange, Wait
from drivers.transport.link import Timeouts
from drivers.transport.stream import Inbox
from tests.drivers.virtual_time import VirtualLoop, run

PATIENT = Timeouts(first_byte=5.0, next_byte=5.0, whole=5.0)


async def turn() -> None:
    await asyncio.sleep(0)


async def pause() -> None:
    await asyncio.sleep(0.1)


async def bytes_come() -> None:
    inbox = Inbox()
    asyncio.get_running_loop().call_later(0.1, inbox.feed, b"!")
    assert await inbox.exactly(1, PATIENT) == b"!"


async def bytes_do_not_come() -> None:
    with pytest.raises(LinkTimeout):
        await Inbox().exactly(1, Timeouts(first_byte=0.1))


async def nobody_waits_so_long_for_bytes() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await Inbox().exactly(1, PATIENT)


async def nobody_waits_so_long_for_a_future() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await asyncio.get_running_loop().create_future()


async def a_deadline_that_holds() -> None:
    async with asyncio.timeout(1.0):
        await bytes_come()


async def an_old_fashioned_deadline() -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(Inbox().exactly(1, PATIENT), 0.1)


async def one_within() -> None:
    assert await Exchange(answer(pause)) == "whole"


async def one_within_that_takes_longer_than_it_may() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await Exchange(answer(bytes_come))


async def tasks_of_its_own() -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(pause())
        tasks.create_task(turn())


async def a_task_of_its_own_that_fails() -> None:
    async def fail() -> None:
        await asyncio.sleep(0.1)
        raise OSError

    async def together() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail())
            await asyncio.get_running_loop().create_future()

    with pytest.raises(ExceptionGroup):
        await together()


async def answer(*steps: Callable[[], Awaitable[None]]) -> str:
    for step in steps:
        await step()
    return "whole"


STEPS: Final[dict[Callable[[], Awaitable[None]], float]] = {
    turn: 0.0,
    pause: 0.1,
    bytes_come: 0.1,
    bytes_do_not_come: 0.1,
    nobody_waits_so_long_for_bytes: 0.1,
    nobody_waits_so_long_for_a_future: 0.1,
    a_deadline_that_holds: 0.1,
    an_old_fashioned_deadline: 0.1,
    one_within: 0.1,
    one_within_that_takes_longer_than_it_may: 0.1,
    tasks_of_its_own: 0.1,
    a_task_of_its_own_that_fails: 0.1,
}
"""What an exchange may do while it waits, and the seconds that it takes."""

moments = st.tuples(st.sampled_from([n * 0.05 for n in range(9)]), st.integers(0, 5))
"""When to cancel: a time, and so many turns of the loop later."""


@given(
    steps=st.lists(st.sampled_from(list(STEPS)), max_size=4),
    cancellations=st.lists(moments, max_size=4),
)
def test_cancelled_at_any_await_it_is_whole_in_its_own_time_and_the_caller_is_told(
    steps: list[Callable[[], Awaitable[None]]], cancellations: list[tuple[float, int]]
) -> None:
    ended: list[str] = []

    async def talk() -> str:
        ended.append(await answer(*steps))
        return ended[0]

    async def cancel(caller: asyncio.Task[str], at: float, turns: int) -> bool:
        await asyncio.sleep(at)
        for _ in range(turns):
            await asyncio.sleep(0)
        return not ended and caller.cancel()

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        caller = loop.create_task(call(talk()))
        await asyncio.sleep(0)  # it has begun: before that there is no exchange to finish
        told = await asyncio.gather(*(cancel(caller, *when) for when in cancellations))
        await asyncio.wait([caller])
        assert ended == ["whole"]
        assert caller.cancelled() is any(told)
        assert caller.cancelling() == sum(told)
        assert caller.cancelled() or caller.result() == "whole"
        until = max([sum(STEPS[step] for step in steps), *(at for at, _ in cancellations)])
        assert loop.time() == pytest.approx(until)

    run(scene())


async def call(talk: Coroutine[Any, Any, str]) -> str:
    return await Exchange(talk)


def test_what_it_raises_is_raised_unless_the_caller_was_cancelled() -> None:
    async def fail() -> str:
        await pause()
        raise OSError("broken")

    async def scene() -> None:
        with pytest.raises(OSError, match="broken"):
            await Exchange(fail())
        async with asyncio.TaskGroup() as tasks:
            caller = tasks.create_task(call(fail()))
            await asyncio.sleep(0.05)
            caller.cancel("stop")
        with pytest.raises(asyncio.CancelledError, match="stop"):
            caller.result()

    run(scene())


def test_a_caller_that_cancels_itself_before_is_told_after() -> None:
    async def cancel_first() -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await Exchange(answer(pause))
        task.uncancel()
        return "told"

    async def scene() -> None:
        assert await asyncio.get_running_loop().create_task(cancel_first()) == "told"
        assert asyncio.get_running_loop().time() == pytest.approx(0.1)

    run(scene())


def test_one_that_never_waits_lets_others_run() -> None:
    async def scene() -> None:
        others: list[str] = []
        asyncio.get_running_loop().call_soon(others.append, "ran")
        assert await Exchange(answer()) == "whole"
        assert others == ["ran"]

    run(scene())


def test_the_current_task_is_the_exchange_within_and_the_caller_after() -> None:
    async def who() -> object:
        await pause()
        return asyncio.current_task()

    async def scene() -> None:
        caller = asyncio.current_task()
        within = await Exchange(who())
        assert isinstance(within, Exchange)
        assert "who" in within.get_name()
        assert asyncio.current_task() is caller

    run(scene())


def test_when_the_loop_ends_first_what_the_exchange_holds_is_let_go() -> None:
    let_go: list[str] = []

    async def hold() -> str:
        try:
            return await answer(pause)
        finally:
            let_go.append("the line")

    loop = VirtualLoop()
    coroutine = call(hold())
    task = loop.create_task(coroutine)
    loop.call_soon(loop.stop)
    loop.run_forever()
    task.cancel()
    coroutine.close()
    assert let_go == ["the line"]
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # as intended here
    loop.close()


def test_a_wait_outside_of_an_exchange_is_cancelled_as_any_other() -> None:
    async def scene() -> None:
        wait = Wait()
        asyncio.get_running_loop().call_later(0.1, wait.cancel)
        with pytest.raises(asyncio.CancelledError):
            await wait
        wait.end()  # too late, and no harm

    run(scene())

"""The turn: one exchange at a time, whole or not at all, and never a step behind."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import (
    BadReply,
    ConnectFailed,
    DeviceError,
    DriverError,
    LinkClosed,
    LinkTimeout,
    TurnTimeout,
)
from drivers.transport.turn import Turn
from tests.drivers.virtual_time import run


class Wire:
    """A turn with a diary of what happened on its link, and of who was on it meanwhile."""

    def __init__(self) -> None:
        self.diary: list[str] = []
        self.resync_error: DriverError | None = None
        self.busy = 0
        self.turn = Turn(self._resync)

    async def _resync(self) -> None:
        self.diary.append("resync")
        if self.resync_error is not None:
            raise self.resync_error

    def exchange(
        self, name: str, *, takes: float = 1.0, error: BaseException | None = None
    ) -> Callable[[], Coroutine[Any, Any, str]]:
        async def talk() -> str:
            assert self.busy == 0
            self.busy += 1
            self.diary.append(f"{name} sent")
            await asyncio.sleep(takes / 2)
            await asyncio.sleep(takes / 2)
            self.busy -= 1
            if error is not None:
                raise error
            self.diary.append(f"{name} answered")
            return name

        return talk

    async def take(self, name: str, within: float = 10.0, **how: Any) -> str:
        return await self.turn.take(self.exchange(name, **how), within=within)


def played(scene: Callable[[Wire], Awaitable[None]]) -> list[str]:
    wire = Wire()

    async def play() -> None:
        await scene(wire)

    run(play())
    return wire.diary


def test_exchanges_follow_one_another_in_the_order_they_were_asked_for() -> None:
    async def scene(wire: Wire) -> None:
        assert await asyncio.gather(*(wire.take(name) for name in "abc")) == ["a", "b", "c"]

    assert played(scene) == [f"{n} {what}" for n in "abc" for what in ("sent", "answered")]


def test_who_waits_too_long_sends_nothing() -> None:
    async def scene(wire: Wire) -> None:
        first = asyncio.gather(wire.take("a", takes=5.0))
        await asyncio.sleep(0)
        with pytest.raises(TurnTimeout, match="busy for 2 s") as caught:
            await wire.take("b", within=2.0)
        assert not caught.value.sent
        assert asyncio.get_running_loop().time() == pytest.approx(2.0)
        await first

    assert played(scene) == ["a sent", "a answered"]


def test_who_comes_back_at_once_queues_behind_others_with_a_time_out_too() -> None:
    async def scene(wire: Wire) -> None:
        async def twice() -> None:
            await wire.take("a")
            with pytest.raises(TurnTimeout):
                await wire.take("c", within=2.0)

        await asyncio.gather(twice(), wire.take("b", takes=5.0))

    assert played(scene) == ["a sent", "a answered", "b sent", "b answered"]


@pytest.mark.parametrize(
    "error", [LinkTimeout("late"), LinkClosed("gone"), BadReply("?"), OSError()]
)
def test_after_an_exchange_without_a_whole_reply_the_link_gets_in_step_first(
    error: Exception,
) -> None:
    async def scene(wire: Wire) -> None:
        with pytest.raises(type(error)):
            await wire.take("a", error=error)
        await wire.take("b")
        await wire.take("c")
        assert wire.turn.resyncs == 1

    assert played(scene) == [
        "a sent", "resync", "b sent", "b answered", "c sent", "c answered"
    ]  # fmt: skip


def test_a_refusal_is_a_whole_reply() -> None:
    async def scene(wire: Wire) -> None:
        with pytest.raises(DeviceError):
            await wire.take("a", error=DeviceError("no"))
        await wire.take("b")

    assert played(scene) == ["a sent", "b sent", "b answered"]


def test_a_reply_that_fits_another_request_puts_the_link_in_doubt() -> None:
    async def scene(wire: Wire) -> None:
        await wire.take("a")
        wire.turn.doubt()
        await wire.take("b")

    assert played(scene) == ["a sent", "a answered", "resync", "b sent", "b answered"]


def test_a_link_that_does_not_get_in_step_is_asked_nothing_and_tried_again() -> None:
    async def scene(wire: Wire) -> None:
        wire.turn.doubt()
        wire.resync_error = ConnectFailed("still gone")
        for name in "ab":
            with pytest.raises(ConnectFailed):
                await wire.take(name)
        wire.resync_error = None
        await wire.take("c")

    assert played(scene) == ["resync", "resync", "resync", "c sent", "c answered"]


@pytest.mark.parametrize("at", [0.0, 0.25, 0.5, 0.75, 0.999])
@pytest.mark.parametrize("times", [1, 3])
def test_a_cancelled_caller_leaves_a_whole_exchange_behind(at: float, times: int) -> None:
    async def scene(wire: Wire) -> None:
        async with asyncio.TaskGroup() as group:
            caller = group.create_task(wire.take("a"))
            await asyncio.sleep(at)
            for _ in range(times):
                caller.cancel()
                await asyncio.sleep(0)
            assert not caller.done()
            await wire.take("make safe")
        assert caller.cancelled()
        assert wire.turn.resyncs == 0

    assert played(scene) == ["a sent", "a answered", "make safe sent", "make safe answered"]


def test_cancelled_before_its_turn_it_sends_nothing_and_holds_up_nobody() -> None:
    async def scene(wire: Wire) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(wire.take("a"))
            waiting = group.create_task(wire.take("b"))
            await asyncio.sleep(0.5)
            waiting.cancel()
            await wire.take("c")

    assert played(scene) == ["a sent", "a answered", "c sent", "c answered"]


def test_cancelled_while_getting_in_step_it_still_finishes() -> None:
    async def scene(wire: Wire) -> None:
        wire.turn.doubt()
        async with asyncio.TaskGroup() as group:
            caller = group.create_task(wire.take("a"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            caller.cancel()
        await wire.take("b")

    assert played(scene) == ["resync", "a sent", "a answered", "b sent", "b answered"]


def test_a_cancelled_exchange_that_fails_leaves_the_link_in_doubt_and_no_complaint() -> None:
    complaints: list[object] = []

    async def scene(wire: Wire) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, what: complaints.append(what))
        async with asyncio.TaskGroup() as group:
            caller = group.create_task(wire.take("a", error=LinkTimeout("late")))
            await asyncio.sleep(0.5)
            caller.cancel()
        assert caller.cancelled()
        del caller
        await wire.take("b")
        gc.collect()  # a task whose error nobody looked at complains when it goes

    assert played(scene) == ["a sent", "resync", "b sent", "b answered"]
    assert complaints == []


def test_a_deadline_around_a_turn_passes_only_when_the_exchange_is_over() -> None:
    async def scene(wire: Wire) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await wire.take("a")
        assert asyncio.get_running_loop().time() == pytest.approx(1.0)
        await wire.take("b")

    assert played(scene) == ["a sent", "a answered", "b sent", "b answered"]


def test_an_exchange_ended_from_within_leaves_the_link_in_doubt() -> None:
    async def scene(wire: Wire) -> None:
        with pytest.raises(asyncio.CancelledError):
            await wire.take("a", error=asyncio.CancelledError())
        await wire.take("b")

    assert played(scene) == ["a sent", "resync", "b sent", "b answered"]


callers = st.tuples(
    st.floats(0.0, 5.0),  # when it asks
    st.none() | st.floats(0.0, 5.0),  # when it is cancelled
    st.sampled_from([None, None, LinkTimeout("late"), DeviceError("no"), BadReply("?")]),
    st.floats(0.1, 4.0),  # how long it waits for its turn
)


@given(plans=st.lists(callers, max_size=8))
def test_whoever_asks_and_gives_up_whenever_nobody_gets_another_s_answer(
    plans: list[tuple[float, float | None, DriverError | None, float]],
) -> None:
    async def ask(wire: Wire, name: str, error: DriverError | None, within: float) -> None:
        try:
            assert await wire.take(name, within=within, error=error) == name
        except (DriverError, asyncio.CancelledError):
            return

    async def scene(wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            for n, (start, cancel, error, within) in enumerate(plans):
                await asyncio.sleep(max(0.0, start - loop.time()))
                task = group.create_task(ask(wire, str(n), error, within))
                if cancel is not None:
                    loop.call_later(cancel, task.cancel)
        await wire.take("last")

    diary = played(scene)
    assert diary[-2:] == ["last sent", "last answered"]
    for sent, after in pairwise(diary):
        if sent.endswith("sent") and not after.endswith("answered"):
            error = next((p[2] for n, p in enumerate(plans) if sent == f"{n} sent"), None)
            assert (after == "resync") is not isinstance(error, DeviceError)

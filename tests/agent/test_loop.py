"""The agent's loop: a timer is never early, what arrives ends the wait, and nothing is rounded up."""

from __future__ import annotations

import asyncio
import math
import os
import select
import selectors
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import loop
from agent.errors import CannotStart
from agent.loop import PreciseSelector, new_event_loop


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, two = socket.socketpair()
    with one, two:
        yield one, two


class Waits:
    """What was asked of epoll_wait and of select(2), in seconds; neither waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.late = 0.0  # seconds that waking up takes
        self.epoll: list[float] = []
        self.select: list[float] = []
        monkeypatch.setattr(selectors.EpollSelector, "select", lambda _, s: self._epoll(s))
        monkeypatch.setattr(select, "select", self._select)
        monkeypatch.setattr(loop, "monotonic", self._monotonic)

    def _monotonic(self) -> float:
        self.now += 1e-9  # it takes time to ask for the time
        return self.now

    def _epoll(self, timeout: float) -> list[object]:
        whole = math.ceil(timeout * 1e3) * 1e-3  # as the standard library does
        self.epoll.append(whole)
        self.now += whole
        return []

    def _select(
        self, readers: list[int], _: object, __: object, timeout: float
    ) -> tuple[list[int], list[int], list[int]]:
        self.select.append(timeout)
        self.now += timeout + self.late
        return [], [], []


@given(timeout=st.floats(1e-6, 10.0))
def test_epoll_waits_for_the_whole_milliseconds_and_select_for_the_rest(timeout: float) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        waits = Waits(monkeypatch)
        with PreciseSelector() as selector:
            assert selector.select(timeout) == []
    assert waits.now - 100.0 == pytest.approx(timeout, abs=2e-8)
    assert sum(waits.select) < max(1e-3, min(timeout, 2e-3)) + 1e-8
    assert len(waits.select) <= 1


@pytest.mark.parametrize(("late", "left"), [(60e-6, 0.0), (3e-3, 2.9e-3)])
def test_the_time_it_takes_to_wake_up_is_learned_and_taken_off_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch, late: float, left: float
) -> None:
    waits = Waits(monkeypatch)
    waits.late = late
    with PreciseSelector() as selector:
        began = waits.now
        for _ in range(60):
            began = waits.now
            selector.select(0.0015)
            assert waits.now - began >= 0.0015
        assert waits.now - began == pytest.approx(0.0015 + left, abs=loop.STEP_S)


@pytest.mark.parametrize("timeout", [0.0004, 0.001, 0.0017, 0.0123])
def test_a_wait_is_never_shorter_than_it_was_told(timeout: float) -> None:
    with PreciseSelector() as selector:
        for _ in range(20):
            began = monotonic()
            assert selector.select(timeout) == []
            assert monotonic() - began >= timeout


@pytest.mark.parametrize("timeout", [0, 0.0005, 0.0015, 20.0, None])
def test_what_has_arrived_ends_the_wait_at_once(
    ends: tuple[socket.socket, socket.socket], timeout: float | None
) -> None:
    with PreciseSelector() as selector:
        selector.register(ends[0], selectors.EVENT_READ, "ours")
        ends[1].send(b"!")
        [(key, events)] = selector.select(timeout)
    assert (key.data, events) == ("ours", selectors.EVENT_READ)


def test_what_arrives_in_the_last_part_of_a_millisecond_ends_the_wait(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = select.select

    def arrive_meanwhile(readers: list[int], _: object, __: object, rest: float) -> object:
        ends[1].send(b"!")
        return wait(readers, (), (), 20.0)

    monkeypatch.setattr(select, "select", arrive_meanwhile)
    with PreciseSelector() as selector:
        selector.register(ends[0], selectors.EVENT_READ, "ours")
        [(key, _)] = selector.select(0.0019)
    assert key.data == "ours"


def test_between_what_was_found_and_who_waits_for_it_nobody_looks_again(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    with PreciseSelector() as selector:
        selector.register(ends[0], selectors.EVENT_READ)
        ends[1].send(b"!")
        assert [len(selector.select(0)) for _ in range(4)] == [1, 0, 1, 0]
        assert len(selector.select(20.0)) == 1  # nobody is ready to run: it does look
        assert len(selector.select(None)) == 1
        ends[0].recv(1)
        assert [len(selector.select(0)) for _ in range(2)] == [0, 0]


def test_a_timer_that_is_due_is_served_before_anybody_looks_again(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    with PreciseSelector() as selector:
        selector.register(ends[0], selectors.EVENT_READ)
        assert selector.select(0.0005) == []
        ends[1].send(b"!")
        assert [len(selector.select(0)) for _ in range(3)] == [0, 1, 0]


def test_callbacks_without_end_do_not_keep_bytes_from_being_seen(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    async def scene() -> bytes:
        running = asyncio.get_running_loop()
        busy: asyncio.Handle

        def again() -> None:
            nonlocal busy
            busy = running.call_soon(again)

        again()
        ends[0].setblocking(False)
        running.call_later(0.001, ends[1].send, b"!")
        async with asyncio.timeout(10):
            got = await running.sock_recv(ends[0], 1)
        busy.cancel()
        return got

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        assert runner.run(scene()) == b"!"


def test_a_loop_on_it_runs_timers_sockets_signals_and_threads() -> None:
    async def scene() -> list[str]:
        running, got = asyncio.get_running_loop(), []
        told = asyncio.Event()
        running.add_signal_handler(signal.SIGUSR1, told.set)
        os.kill(os.getpid(), signal.SIGUSR1)
        await told.wait()
        got.append("signal")
        got.append(await asyncio.to_thread(lambda: "thread"))
        began = running.time()
        await asyncio.sleep(0.0017)
        assert running.time() - began >= 0.0017
        one, two = socket.socketpair()
        with one, two:
            one.setblocking(False)
            running.call_later(0.0013, two.send, b"bytes")
            got.append((await running.sock_recv(one, 9)).decode())
        return got

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        assert runner.run(scene()) == ["signal", "thread", "bytes"]


def test_timers_fire_in_the_order_of_their_times() -> None:
    async def scene() -> list[float]:
        running, fired, done = asyncio.get_running_loop(), list[float](), asyncio.Event()
        start = running.time()
        delays = [0.0031, 0.0002, 0.0017, 0.00171, 0.004]
        for delay in delays:
            running.call_at(start + delay, fired.append, delay)
        running.call_at(start + 0.005, done.set)
        await done.wait()
        assert fired == sorted(delays)
        return fired

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        assert runner.run(scene())


def test_the_kernel_is_asked_for_punctual_timers_in_the_thread_of_the_loop() -> None:
    def slack() -> int:
        new_event_loop().close()
        return int(Path(f"/proc/{threading.get_native_id()}/timerslack_ns").read_text())

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(slack).result() == loop.TIMER_SLACK_NS


def test_without_proc_there_is_a_loop_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "get_native_id", lambda: "nobody")
    new_event_loop().close()


def test_a_descriptor_that_select_does_not_know_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "FD_SETSIZE", 1)
    with pytest.raises(CannotStart, match="start it with fewer"):
        PreciseSelector()


def test_what_hangs_in_many_threads_leaves_some_for_others() -> None:
    async def main() -> str:
        answers = threading.Event()
        its = asyncio.get_running_loop()
        hanging = [its.run_in_executor(None, answers.wait, 20) for _ in range(40)]
        try:
            async with asyncio.timeout(10):
                return await asyncio.to_thread(lambda: "served")
        finally:
            answers.set()
            await asyncio.wait(hanging)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        assert runner.run(main()) == "served"

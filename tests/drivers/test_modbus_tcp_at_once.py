"""Modbus TCP's short way: one wait for a reply that comes whole and alone, and the usual way else."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import DriverError, LinkTimeout
from drivers.transport.modbus_bus import Bus
from drivers.transport.modbus_tcp import TcpBus
from tests.drivers.modbus_line import LOST, PROMPT, QUICK, TOO_LATE, TWICE, Fate, Line, tcp_line
from tests.drivers.virtual_time import run

BYTES_OF_A_REPLY = 11


def cut_at(count: int) -> Fate:
    return Fate(spoil=lambda reply: reply[:count])


def garbled_at(index: int, bits: int) -> Fate:
    def spoil(reply: bytes) -> bytes:
        return reply[:index] + bytes([reply[index] ^ bits]) + reply[index + 1 :]

    return Fate(spoil=spoil)


def behind(extra: bytes) -> Fate:
    return Fate(spoil=lambda reply: reply + extra)


FATES = st.one_of(
    st.sampled_from([PROMPT, LOST, TWICE, TOO_LATE, Fate(delay=0.0)]),
    st.integers(1, BYTES_OF_A_REPLY - 1).map(cut_at),
    st.builds(garbled_at, st.integers(0, BYTES_OF_A_REPLY - 1), st.integers(1, 255)),
    st.binary(min_size=1, max_size=12).map(behind),
)


class UsualWay(TcpBus):
    """A bus that has every request wait and be judged in the way of all buses."""

    def __init__(self, link: Line) -> None:
        super().__init__(link)
        self._line = None


def told(bus: TcpBus, line: Line, reads: int) -> tuple[list[Any], list[tuple[float, bytes]], Any]:
    """What so many reads brought, what they sent and when, and what the bus counted."""
    outcomes: list[Any] = []

    async def ask() -> None:
        async with bus.unit(1) as unit:
            for at in range(reads):
                try:
                    outcomes.append(await unit.fetch("input", at, 1, QUICK))
                except DriverError as error:
                    outcomes.append((type(error), str(error)))

    async def scenario() -> None:
        try:
            await ask()
        except DriverError as error:
            outcomes.append(type(error))

    run(scenario())
    return outcomes, line.sent, bus.counters.faults()


@settings(max_examples=40)
@given(st.lists(FATES, max_size=6))
def test_whatever_becomes_of_replies_both_ways_say_and_do_the_same(fates: list[Fate]) -> None:
    short, usual = tcp_line(fates=fates), tcp_line(fates=fates)
    assert told(TcpBus(short), short, 8) == told(UsualWay(usual), usual, 8)


@settings(max_examples=40)
@given(st.lists(st.integers(1, BYTES_OF_A_REPLY - 1), max_size=4), st.floats(0.001, 0.015))
def test_a_reply_in_parts_is_put_together(cuts: list[int], apart: float) -> None:
    line = tcp_line(fates=[LOST])

    async def scenario() -> None:
        async with TcpBus(line).unit(1) as unit:
            reply = bytes.fromhex("0001 0000 0005 01 04 02 0007")
            ends = [*sorted(set(cuts)), BYTES_OF_A_REPLY]
            for n, (begin, end) in enumerate(zip([0, *ends], ends, strict=False)):
                at = 0.01 + n * apart
                asyncio.get_running_loop().call_later(at, line.unasked, reply[begin:end])
            assert await unit.fetch("input", 7, 1, QUICK) == [7]

    run(scenario())


@pytest.mark.parametrize(
    "other",
    [
        "ffff 0000 0005 01 04 02 0063",  # of another request
        "0001 0000 0005 01 03 02 0063",  # of another function
        "0001 0000 0005 02 04 02 0063",  # of another unit
        "0001 0001 0005 01 04 02 0063",  # of another protocol
        "0001 0000 0005 01 04 01 0063",  # of another size than it says
        "0001 0000 0003 01 84 02",  # a refusal
    ],
)
def test_what_is_not_the_answer_is_no_value_even_where_it_comes_first(other: str) -> None:
    line = tcp_line(fates=[Fate(delay=0.05)])

    async def scenario() -> None:
        async with TcpBus(line).unit(1) as unit:
            asyncio.get_running_loop().call_later(0.01, line.unasked, bytes.fromhex(other))
            with suppress(DriverError):
                assert await unit.fetch("input", 7, 1, QUICK) == [7]

    run(scenario())


def test_a_free_bus_in_step_needs_no_more_than_the_short_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def usual(*_: object) -> NoReturn:
        raise AssertionError("this went the usual way")

    monkeypatch.setattr(Bus, "ask", usual)

    async def scenario() -> None:
        async with TcpBus(tcp_line()).unit(1) as unit:
            assert await unit.fetch("input", 3, 2, QUICK) == [3, 4]

    run(scenario())


def test_a_cancelled_caller_has_its_reply_read_before_it_learns_so() -> None:
    line = tcp_line(fates=[Fate(delay=0.05)])

    async def scenario() -> None:
        bus = TcpBus(line)
        loop = asyncio.get_running_loop()
        async with bus.unit(1) as unit, asyncio.TaskGroup() as tasks:
            caller = tasks.create_task(unit.fetch("input", 1, 1, QUICK))
            for at in (0.01, 0.02):  # twice, as by an impatient shutdown
                loop.call_later(at, caller.cancel)
            await asyncio.wait([caller])
            assert caller.cancelled()
            assert loop.time() == pytest.approx(0.05)
            assert await unit.fetch("input", 2, 1, QUICK) == [2]
        assert bus.counters.late_replies == bus.counters.resyncs == 0

    run(scenario())


def test_a_cancelled_caller_learns_so_where_no_reply_comes_either() -> None:
    async def scenario() -> None:
        async with TcpBus(tcp_line(fates=[LOST])).unit(1) as unit:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await unit.fetch("input", 1, 1, QUICK)
            assert asyncio.get_running_loop().time() == pytest.approx(QUICK.first_byte)

    run(scenario())


def test_who_comes_meanwhile_waits_for_the_turn_and_a_time_out_is_told_in_its_own_words() -> None:
    line = tcp_line(fates=[LOST])

    async def scenario() -> None:
        async with TcpBus(line).unit(1) as unit, asyncio.TaskGroup() as tasks:
            first = tasks.create_task(_failure(unit.fetch("input", 1, 1, QUICK)))
            await asyncio.sleep(0)
            assert await unit.fetch("input", 2, 1, QUICK) == [2]
            assert await first == "no reply within 0.1 s: is it on and connected?"
        assert [when for when, _ in line.sent] == pytest.approx([0.0, 0.1])

    run(scenario())


async def _failure(read: Any) -> str:
    with pytest.raises(LinkTimeout) as caught:
        await read
    return str(caught.value)

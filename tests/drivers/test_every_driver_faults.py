"""Every driver, with faults in its line: a value is true or there is none.

All of it in virtual time and with the time-outs that are used in earnest. The truth changes
before every read, so that an old value shows itself like one that answers another question.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import DriverError, RequestError, WrongInstrument
from drivers.transport.link import Timeouts
from simulators.faults import Fault, Piece
from tests.drivers.every_driver import BENCHES, WAYS, bad, driver, good
from tests.drivers.fates import fates
from tests.drivers.faulty_cable import Dealt, Fate
from tests.drivers.interrogation import Virtual
from tests.drivers.virtual_time import run

KINDS = ("lose", "slow", "delay", "duplicate", "cut", "disconnect")
every_way = pytest.mark.parametrize(("name", "scheme"), WAYS)


def timeouts(name: str) -> Timeouts:
    cls = driver(name)
    own: Timeouts = cls.traits.get("timeouts", cls.wire_type.timeouts)
    return own


def late(name: str) -> Fault:
    """Later than the first byte may be, and in time to meet the next question."""
    return Fault(kind="delay", next=1, seconds=timeouts(name).first_byte + 0.4)


def every_kind(name: str) -> dict[str, Fault]:
    kinds = {kind: Fault(kind=kind, next=1) for kind in ("lose", "duplicate", "cut", "disconnect")}
    slow = Fault(kind="delay", next=1, seconds=0.9 * timeouts(name).first_byte)
    return {**kinds, "delay": late(name), "slow": slow}


@every_way
def test_no_fault_ever_makes_a_wrong_value(name: str, scheme: str) -> None:
    strategy = fates(BENCHES[name], scheme, timeouts(name))

    @settings(max_examples=40)
    @given(st.lists(strategy, max_size=25))
    def whatever_comes(dealt: list[Fate]) -> None:
        async def scenario() -> None:
            async with Virtual(name, scheme) as station:
                recovered = await station.interrogated(dealt)
                assert not station.wrong
                assert recovered, station.failures[-3:]

        run(scenario())

    whatever_comes()


@every_way
@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_over_and_over_makes_no_wrong_value(name: str, scheme: str, kind: str) -> None:
    async def scenario() -> None:
        async with Virtual(name, scheme) as station:
            recovered = await station.interrogated([None, every_kind(name)[kind], None] * 8)
            assert not station.wrong
            assert station.right, "it goes on between the faults"
            assert recovered, station.failures[-3:]
            assert station.failures or kind in {"duplicate", "slow"}

    run(scenario())


@every_way
def test_a_reply_cut_at_any_byte_is_no_value(name: str, scheme: str) -> None:
    async def scenario() -> None:
        async with Virtual(name, scheme) as station:
            for keep in range(64):
                station.faults.fates.extend([Fault(kind="cut", next=1, keep=keep), None, None])
                await station.interrogate(rounds=4)
            station.faults.clear()
            assert not station.wrong
            assert await station.recovers()

    run(scenario())


@pytest.mark.parametrize(
    ("name", "scheme", "kind"),
    [(*way, kind) for way in WAYS for kind in KINDS if kind not in BENCHES[way[0]].unasked],
)
def test_callers_who_read_at_once_get_each_their_own(name: str, scheme: str, kind: str) -> None:
    async def scenario() -> None:
        async with Virtual(name, scheme) as station:
            station.faults.fates.extend([None, every_kind(name)[kind], None, None] * 4)
            for step in range(8):
                station.bench.stir(step)
                if await station.reconnect():
                    await station.read_at_once()
            station.faults.clear()
            assert not station.wrong
            assert await station.recovers()

    run(scenario())


@every_way
def test_a_surplus_reply_that_is_still_coming_is_no_value(name: str, scheme: str) -> None:
    async def scenario() -> None:
        async with Virtual(name, scheme, faults=Trailing()) as station:
            await station.interrogate(rounds=24)
            assert not station.wrong
            assert station.right

    run(scenario())


class Trailing(Dealt):
    """Some replies have a copy behind them, whose end comes when the next question is on its way."""

    def spoil(self, reply: bytes) -> list[Piece]:
        pieces = super().spoil(reply)
        if not reply or self.replies < 20 or self.replies % 5 != 4:  # not of the greeting
            return pieces
        half = len(reply) // 2
        return [(0.0, reply + reply[:half]), (0.02, reply[half:])]


@every_way
def test_an_instrument_that_hangs_gives_no_value_until_it_wakes(name: str, scheme: str) -> None:
    async def scenario() -> None:
        async with Virtual(name, scheme) as station:
            station.faults.hang()
            await station.interrogate(rounds=3)
            assert not station.right
            assert not station.wrong
            station.faults.clear()
            assert await station.recovers()

    run(scenario())


@every_way
def test_a_cancelled_read_leaves_the_next_one_right(name: str, scheme: str) -> None:
    @settings(max_examples=40)
    @given(st.integers(0, 40), st.floats(0.0, 0.5), st.booleans(), st.booleans())
    def at_any_moment(steps: int, seconds: float, timed: bool, is_late: bool) -> None:
        async def scenario() -> None:
            async with Virtual(name, scheme) as station, asyncio.TaskGroup() as tasks:
                station.faults.fates.extend([None, late(name) if is_late else None])
                caller = tasks.create_task(read_in_vain(station))
                if timed:
                    await asyncio.sleep(seconds)
                for _ in range(steps):
                    await asyncio.sleep(0)
                caller.cancel()
                station.bench.stir(1)
                came = await station.read(station.asked())
                assert not station.wrong
                assert came or is_late
                station.faults.clear()
                assert await station.recovers()

        run(scenario())

    at_any_moment()


async def read_in_vain(station: Virtual) -> None:
    with suppress(DriverError):
        await station.driver.read(station.asked())


def attempts(name: str) -> list[tuple[str, Any]]:
    """What can be done to a device: each setting with a value, and the act of its bench."""
    tries = [(f.name, good(name, f)[-1]) for f in driver(name).settings().values()]
    act = BENCHES[name].act
    return [*tries, *([act] if act else [])]


async def attempt(station: Virtual, name: str, value: Any) -> DriverError | None:
    """Write or command once; return how it failed, if it did."""
    try:
        if name in type(station.driver).settings():
            await getattr(station.driver, name).write(value)
        else:
            await getattr(station.driver, name)(**value)
    except DriverError as error:
        return error
    return None


@every_way
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", range(4))
def test_what_changes_a_device_is_sent_once_whatever_becomes_of_its_replies(
    name: str, scheme: str, kind: str, at: int
) -> None:
    async def scenario(field: str, value: Any) -> None:
        async with Virtual(name, scheme) as station:
            assert await station.read(station.asked())
            station.bench.stir(2)
            before = station.writes
            station.faults.fates.extend([*[None] * at, every_kind(name)[kind]])
            failure = await attempt(station, field, value)
            done = station.writes - before
            assert done <= 1, "it was repeated"
            if failure is None:
                assert done == 1
                assert field not in station.bench.truth() or station.bench.resembles(field, value)
            elif not failure.sent:
                assert done == 0, f"{failure!r} says that nothing was sent"
            station.faults.clear()
            assert await station.recovers()
            assert not station.wrong
            assert station.writes - before == done, "it was repeated later"

    for field, value in attempts(name):
        run(scenario(field, value))


@every_way
def test_what_is_refused_sends_nothing(name: str, scheme: str) -> None:
    async def scenario() -> None:
        async with Virtual(name, scheme) as station:
            await station.read(station.asked())
            heard = len(station.heard)
            for setting in driver(name).settings().values():
                for value in bad(setting):
                    with pytest.raises(RequestError):
                        await getattr(station.driver, setting.name).write(value)
            await asyncio.sleep(60.0)
            assert len(station.heard) == heard

    run(scenario())


@every_way
def test_another_instrument_is_refused_and_hears_no_more(name: str, scheme: str) -> None:
    async def scenario() -> None:
        station = Virtual(name, scheme, impostor=True)
        with pytest.raises(WrongInstrument):
            await station.connect()
        heard, writes = len(station.heard), station.writes
        await asyncio.sleep(60.0)
        assert len(station.heard) == heard
        assert writes == 0
        await station.leave()

    run(scenario())

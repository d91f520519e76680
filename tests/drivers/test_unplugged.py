"""A cable that is pulled at any byte of any reply, in virtual time: no value, and no false promise."""

from __future__ import annotations

from typing import Any, Final

import pytest

from drivers.errors import DriverError, LinkTimeout
from drivers.transport.attempt import Attempt, acting, attempt, beforehand
from simulators.faults import Fault
from tests.drivers.every_driver import BENCHES, WAYS, driver, good
from tests.drivers.interrogation import Virtual
from tests.drivers.virtual_time import run

LONGEST_REPLY: Final = 40
"""Bytes up to which a reply is cut; what is longer has no byte that is another kind of place."""
MOST_REPLIES: Final = 4
"""Replies that a change takes, of which each is cut: to what is asked before, to itself, after it."""
every_way = pytest.mark.parametrize(("name", "scheme"), WAYS)


@every_way
def test_pulled_at_any_byte_of_a_reply_it_is_no_value(name: str, scheme: str) -> None:
    async def scenario() -> None:
        async with Virtual(name, scheme) as station:
            for keep in range(LONGEST_REPLY):
                station.faults.fates.extend([Fault(kind="disconnect", next=1, keep=keep), None])
                await station.interrogate(rounds=3)
            station.faults.clear()
            assert not station.wrong
            assert station.failures
            assert await station.recovers()

    run(scenario())


def changes(name: str) -> list[tuple[str, Any]]:
    """One setting and the act of its bench, as far as the device has them."""
    settings = [(f.name, good(name, f)[-1]) for f in driver(name).settings().values()]
    act = BENCHES[name].act
    return [*settings[:1], *([act] if act else [])]


async def change(station: Virtual, field: str, value: Any) -> tuple[DriverError | None, Attempt]:
    """Change the device once, as the agent does; how that failed, and whether anything was sent."""
    with attempt() as tried:
        try:
            if field in type(station.driver).settings():
                await getattr(station.driver, field).write(value)
            else:
                await getattr(station.driver, field)(**value)
        except DriverError as error:
            return error, tried
    return None, tried


async def pulled(station: Virtual, field: str, value: Any) -> bool:
    """Change the device with faults in its line; whether it is known that nothing was sent."""
    station.bench.stir(2)
    before = station.writes
    failure, tried = await change(station, field, value)
    done = station.writes - before
    assert done <= 1, "it was repeated"
    assert failure is not None or done == 1
    assert done == 0 or tried.sent
    known = failure is not None and not (tried.sent or failure.sent)
    assert not (known and done), f"{failure!r} says that nothing was sent"
    station.faults.clear()
    assert await station.recovers()
    assert station.writes - before == done, "it was repeated later"
    return known


@every_way
def test_pulled_at_any_byte_of_any_reply_to_a_change_it_is_made_once_or_not(
    name: str, scheme: str
) -> None:
    async def scenario(field: str, value: Any) -> None:
        async with Virtual(name, scheme) as station:
            for at in range(MOST_REPLIES):
                for keep in (*range(8), *range(8, LONGEST_REPLY, 5)):
                    fate = Fault(kind="disconnect", next=1, keep=keep)
                    station.faults.fates.extend([*[None] * at, fate])
                    await pulled(station, field, value)

    for field, value in changes(name):
        run(scenario(field, value))


@every_way
def test_pulled_before_the_first_byte_is_sent_nothing_was(name: str, scheme: str) -> None:
    async def scenario(field: str, value: Any) -> None:
        async with Virtual(name, scheme) as station:
            station.cable._player.disconnected()
            assert await pulled(station, field, value), f"{field} is called unknown"

    for field, value in changes(name):
        run(scenario(field, value))


@pytest.mark.parametrize("scheme", ["modbus+tcp", "modbus+rtu"])
def test_pulled_in_what_a_setting_reads_first_nothing_was_written(scheme: str) -> None:
    async def scenario() -> None:
        async with Virtual("autonics.tk4", scheme) as station:
            for keep in range(12):
                station.faults.fates.append(Fault(kind="disconnect", next=1, keep=keep))
                assert await pulled(station, "setpoint", 51.5)

    run(scenario())


def test_a_command_was_sent_as_soon_as_one_of_its_requests_may_have_been() -> None:
    with attempt() as tried:
        with pytest.raises(LinkTimeout), beforehand():
            raise LinkTimeout("asked in vain")
        with pytest.raises(LinkTimeout), acting():
            raise LinkTimeout("never sent").unsent()
        assert not tried.sent
        with pytest.raises(LinkTimeout), acting():
            raise LinkTimeout("sent")
        assert tried.sent


def test_what_is_sent_for_nobody_in_particular_counts_for_nobody() -> None:
    with acting():
        pass
    with attempt() as tried:
        assert not tried.sent
    with acting():
        pass
    assert not tried.sent

"""The flight recorder: what it keeps, what it forgets, and that it outlives connections."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable
from itertools import accumulate
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.transport.address import Address
from drivers.transport.lines import Lines
from drivers.transport.memory import Loopback
from drivers.transport.modbus_bus import Unit
from drivers.transport.recorder import (
    HEAD,
    LONGEST_ENTRY,
    MOST_BYTES,
    MOST_ENTRIES,
    MOST_EXCHANGES,
    Recorder,
)
from drivers.transport.tcp import TcpLink

EVENTS = st.lists(
    st.tuples(st.sampled_from(["sent", "received", "asked"]), st.binary(max_size=9000)),
    max_size=600,
)


def ticking() -> Callable[[], float]:
    """A clock that goes on by one second each time it is asked."""
    seconds = iter(range(1_000_000))
    return lambda: float(next(seconds))


def said(recorder: Recorder) -> list[tuple[str, bytes]]:
    return [(kind, data) for _, kind, data, _ in recorder.entries()]


async def test_a_link_records_its_dialogue_in_both_directions() -> None:
    link = Loopback(lambda data: b"re " + data, banner=b"hello\n")
    async with link:
        await link.send(b"one\n")
        link.send_now(b"!")
        await link.resync(0.0)
    assert [it for it in said(link.recorder) if it[0] != "opened"] == [
        ("received", b"hello\n"),
        ("sent", b"one\n"),
        ("received", b"re one\n"),
        ("sent", b"!"),
        ("received", b"re !"),
        ("noted", b"getting back in step: waiting until it is quiet"),
        ("closed", b""),
    ]


async def test_a_recording_goes_on_over_connections_and_its_time_never_goes_back() -> None:
    link = Loopback(bytes)
    for _ in range(2):
        async with link:
            await link.send(b"x")
    kinds = [kind for kind, _ in said(link.recorder)]
    assert kinds == ["opened", "sent", "closed"] * 2 or kinds.count("opened") == 2
    times = [time for time, *_ in link.recorder.entries()]
    assert times == sorted(times)


def test_the_last_two_hundred_exchanges_are_kept_whole() -> None:
    recorder = Recorder(ticking())
    for number in range(1000):
        recorder.sent(b"%d?" % number)
        recorder.received(b"%d" % number)
    kept = said(recorder)
    assert len(kept) == 2 * MOST_EXCHANGES
    assert kept[0] == ("sent", b"800?")
    assert kept[-1] == ("received", b"999")


def test_a_long_entry_is_cut_and_says_how_long_it_was() -> None:
    recorder = Recorder(ticking())
    recorder.received(b"a" * 100_000)
    [(_, kind, data, size)] = recorder.entries()
    assert (kind, len(data), size) == ("received", LONGEST_ENTRY, 100_000)


@given(events=EVENTS)
def test_whatever_happens_memory_is_bounded_and_the_newest_is_there(
    events: list[tuple[str, bytes]],
) -> None:
    recorder = Recorder(ticking())
    for kind, data in events:
        match kind:
            case "sent":
                recorder.sent(data)
            case "received":
                recorder.received(data)
            case _:
                recorder.asked(data.hex())
    kept = recorder.entries()
    assert sum(HEAD.size + len(data) for _, _, data, _ in kept) <= MOST_BYTES
    assert sum(kind == "sent" for _, kind, _, _ in kept) <= MOST_EXCHANGES
    if events and events[-1][0] != "asked":
        assert kept[-1][1:] == (
            events[-1][0],
            events[-1][1][:LONGEST_ENTRY],
            len(events[-1][1]),
        )


def test_a_full_recorder_of_a_controller_takes_some_ten_kilobytes() -> None:
    jitter = Random(1)
    times = accumulate((jitter.uniform(0.001, 0.3) for _ in range(9999)), initial=1e6)
    recorder = Recorder(lambda: next(times))
    tracemalloc.start()
    try:
        for number in range(3 * MOST_EXCHANGES):
            recorder.asked("oven1 read temperature setpoint")
            recorder.sent(struct.pack(">HHHBBHH", number, 0, 6, 1, 4, 1000, 6))
            recorder.received(struct.pack(">HHHBBBH", number, 0, 5, 1, 4, 2, 20 + number % 7))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 15_000
    assert len(recorder.entries()) == 3 * MOST_EXCHANGES - 1


def test_the_one_who_babbles_fills_no_more_than_his_share() -> None:
    recorder = Recorder(ticking())
    for _ in range(100_000):
        recorder.received(b"!")
    assert len(recorder.entries()) == MOST_ENTRIES
    assert sum(row.size for row in recorder._rows) <= MOST_BYTES


@pytest.mark.parametrize("address", ["tcp://192.0.2.1:5025", "serial:///dev/ttyX?baudrate=9600"])
def test_a_new_link_to_the_same_address_goes_on_in_the_same_recording(address: str) -> None:
    lines, place = Lines(), Address.parse(address)
    first, second = lines.link(place), lines.link(place)
    assert first is not second
    assert getattr(first, "recorder") is getattr(second, "recorder") is lines.recorder(place)  # noqa: B009


def test_units_of_one_bus_share_its_recording() -> None:
    lines = Lines()
    one, two = (Address.parse(f"modbus+tcp://192.0.2.1?unit={unit}") for unit in (1, 2))
    link = lines.link(one)
    assert isinstance(link, Unit)
    assert isinstance(link.bus.link, TcpLink)
    assert link.bus.link.recorder is lines.recorder(two)

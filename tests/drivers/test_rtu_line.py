"""The silence on an RTU line: kept to the end, and no longer."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from itertools import pairwise, repeat
from typing import Any

import pytest

from drivers.errors import LinkTimeout
from drivers.transport import stream
from drivers.transport.exchange import Wait
from drivers.transport.link import Timeouts
from drivers.transport.memory import Loopback
from drivers.transport.modbus import ECHO, read_request
from drivers.transport.modbus_rtu import RtuBus
from drivers.transport.presence import NotSilent
from drivers.transport.rtu_line import MOST_EARLY_S, RtuLine
from drivers.transport.standing import BITS_PER_CHARACTER, silence
from simulators.modbus_block import BlockDevice
from tests.drivers.modbus_examples import frame
from tests.drivers.modbus_line import LOST, PROMPT, QUICK, TOO_LATE, Fate, Line, rtu_line
from tests.drivers.virtual_time import run

BAUD = 9600
SILENCE = silence(BAUD)
READ = frame("04 0008 0001")


def quiet_line(scenario: Callable[[RtuLine, Loopback], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario on a line at BAUD in virtual time, and on the link that it is on."""

    async def opened() -> None:
        async with Loopback(lambda _: b"") as link:
            line = RtuLine(link, BAUD, 0.0)
            line.begin()
            await scenario(line, link)

    run(opened())


def now() -> float:
    return asyncio.get_running_loop().time()


def test_silence_counts_from_the_last_byte_and_not_from_who_reads_it() -> None:
    async def scenario(line: RtuLine, link: Loopback) -> None:
        await asyncio.sleep(1.0)
        heard = now()
        link.inbox.feed(b"reply")
        await asyncio.sleep(SILENCE * 0.7)  # it is decoded, and somebody makes up his mind
        assert await line.quiet(1.0) == b"reply"
        assert now() == pytest.approx(heard + SILENCE)

    quiet_line(scenario)


def test_a_line_that_has_long_been_silent_is_not_waited_for() -> None:
    async def scenario(line: RtuLine, link: Loopback) -> None:
        link.inbox.feed(b"noise")
        await asyncio.sleep(1.0)
        assert await line.quiet(1.0) == b"noise"
        assert now() == pytest.approx(1.0)

    quiet_line(scenario)


def test_every_byte_begins_the_silence_anew_and_all_are_handed_over_together() -> None:
    async def scenario(line: RtuLine, link: Loopback) -> None:
        for n in range(1, 4):
            asyncio.get_running_loop().call_later(0.6 * SILENCE * n, link.inbox.feed, b"%d" % n)
        assert await line.quiet(1.0) == b"123"
        assert now() == pytest.approx(2.8 * SILENCE)

    quiet_line(scenario)


def test_who_never_falls_silent_is_not_waited_for_for_ever() -> None:
    async def scenario(line: RtuLine, link: Loopback) -> None:
        for n in range(1000):
            asyncio.get_running_loop().call_later(0.5 * SILENCE * n, link.inbox.feed, b"x")
        with pytest.raises(NotSilent, match=r"not silent within 0\.1 s"):
            await line.quiet(0.1)
        assert now() < 0.1 + 2 * SILENCE

    quiet_line(scenario)


def test_what_was_sent_takes_its_time_before_the_silence_begins() -> None:
    async def scenario(line: RtuLine, link: Loopback) -> None:
        await line.send(READ)
        await line.quiet(1.0)
        airtime = len(READ) * BITS_PER_CHARACTER / BAUD
        assert now() == pytest.approx(airtime + SILENCE)

    quiet_line(scenario)


def test_a_line_on_which_a_request_was_lost_is_silent_already_when_that_is_found() -> None:
    line = rtu_line(fates=[PROMPT, PROMPT, LOST])

    async def scenario() -> None:
        async with RtuBus(line, baudrate=BAUD, gap=0.01).unit(1) as unit:
            await unit.fetch("input", 7, 1, QUICK)
            with pytest.raises(LinkTimeout):
                await unit.fetch("input", 8, 1, QUICK)
            assert await unit.fetch("input", 9, 1, QUICK) == [9]

    run(scenario())
    (lost, _), (fence, _), _ = line.sent[-3:]
    assert fence - lost == pytest.approx(QUICK.first_byte)


def test_a_time_out_shorter_than_the_request_takes_does_not_cut_the_silence() -> None:
    line = rtu_line(fates=repeat(LOST))
    short = Timeouts(first_byte=0.001, next_byte=0.001, whole=0.01)

    async def scenario() -> None:
        async with RtuBus(line, baudrate=BAUD).unit(1) as unit:
            for _ in range(3):
                with pytest.raises(LinkTimeout):
                    await unit.fetch("input", 8, 1, short)

    run(scenario())
    times = [at for at, _ in line.sent]
    pauses = [after - before for before, after in pairwise(times)]
    assert len(pauses) >= 2
    assert min(pauses) >= 8 * BITS_PER_CHARACTER / BAUD + SILENCE - 1e-9


def test_who_waits_for_a_frame_is_not_woken_for_each_of_its_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[Wait] = []

    def wait(**how: Any) -> Wait:
        waits.append(Wait(**how))
        return waits[-1]

    async def scenario(line: RtuLine, link: Loopback) -> None:
        reply = frame("04 02 000A")
        for n, byte in enumerate(reply):
            asyncio.get_running_loop().call_later(0.015 * n + 0.01, link.inbox.feed, bytes([byte]))
        assert await line.frame(read_request(1, "input", 8, 1), QUICK) == reply

    monkeypatch.setattr(stream, "Wait", wait)
    quiet_line(scenario)
    assert len(waits) == 2, "for the head, which tells the length, and for the rest"


class Answering(Loopback):
    """Answers a little later, on the clock of this computer, and notes when."""

    def __init__(self) -> None:
        super().__init__(rtu_line(BlockDevice(1, 200))._handle)
        self.pauses: list[float] = []
        self._fed = 0.0

    def send_now(self, data: bytes) -> None:
        if self._fed:
            self.pauses.append(now() - self._fed)
        asyncio.get_running_loop().call_later(0.0002, self._feed, self._handle(data))

    def _feed(self, reply: bytes) -> None:
        self._fed = now()
        self.inbox.feed(reply)


def test_on_the_real_clock_no_request_comes_before_the_end_of_the_silence() -> None:
    link = Answering()
    bus = RtuBus(link)

    async def scenario() -> None:
        async with bus.unit(1) as unit:
            for n in range(150):
                if n > 75:  # as on a computer that wakes up as late as that; before, as on this one
                    bus._line._early = MOST_EARLY_S
                assert await unit.fetch("input", n, 1, Timeouts()) == [n]

    def punctual() -> asyncio.AbstractEventLoop:
        return asyncio.SelectorEventLoop(selectors.SelectSelector())  # epoll counts milliseconds

    with asyncio.Runner(loop_factory=punctual) as runner:
        runner.run(scenario())
    assert len(link.pauses) == 150
    assert min(link.pauses) >= silence(115_200)


def asked_after_a_loss(line: Line, fates: list[Fate], gap: float = 0.0) -> RtuBus:
    """Lose a reply, deal these fates to what follows, and read on: one right value, no error."""
    bus = RtuBus(line, gap=gap)

    async def scenario() -> None:
        async with bus.unit(1) as unit:
            await unit.fetch("input", 7, 1, QUICK)
            line.fates = iter([LOST, *fates])
            with pytest.raises(LinkTimeout):
                await unit.fetch("input", 8, 1, QUICK)
            for address in (9, 10):
                assert await unit.fetch("input", address, 1, QUICK) == [address]

    run(scenario())
    return bus


def test_the_late_echo_of_the_first_fence_will_do_when_that_of_the_second_is_lost() -> None:
    bus = asked_after_a_loss(rtu_line(), [Fate(delay=0.15), LOST])
    assert bus.counters.fences == 2


@pytest.mark.parametrize("delay", [0.001, 0.06, 0.065])
def test_the_echo_of_the_second_is_then_known_by_its_function(delay: float) -> None:
    bus = asked_after_a_loss(rtu_line(), [Fate(delay=0.15), Fate(delay=delay)])
    assert bus.counters.fences == 2, "it casts no new doubt"
    assert bus.counters.late_replies == 1


def test_an_echo_that_comes_in_the_silence_before_the_second_fence_will_do() -> None:
    line = rtu_line()

    def noise(reply: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        loop.call_later(0.09, line.unasked, b"\0")  # after which the next byte is awaited briefly
        return reply

    bus = asked_after_a_loss(line, [Fate(delay=0.12, spoil=noise)], gap=0.05)
    assert bus.counters.fences == 1


def test_the_late_echo_of_a_probe_casts_no_doubt_on_a_unit_that_is_asked_nothing() -> None:
    line = rtu_line(fates=[LOST, PROMPT, TOO_LATE])

    async def scenario() -> None:
        async with RtuBus(line).unit(1) as unit:
            assert await unit.fetch("input", 7, 1, QUICK) == [7]
            await asyncio.sleep(TOO_LATE.delay)
            asked = now()
            assert await unit.fetch("input", 8, 1, QUICK) == [8]
            assert line.sent[-2][0] - asked < QUICK.first_byte

    run(scenario())
    assert line.sent[-1][1][1] == ECHO, "what it knows is found out another time"

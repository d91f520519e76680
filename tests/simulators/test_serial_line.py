"""A line at the speed of its baud rate carries bytes on time, in both directions, without drift."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.faults import Disconnect, Faults
from simulators.player import Player
from simulators.serial_line import Incoming, Outgoing
from tests.drivers.virtual_time import run

RATE = 25_000.0
LINE = b"G1 X100.000 Y100.000 E12.34567 F3000.0000\n"


class Kernel:
    """What a host has written and nobody has read."""

    def __init__(self, waiting: bytes = b"") -> None:
        self.waiting = waiting
        self.ready: Callable[[], None] = lambda: None
        self.watched = False

    def read(self, most: int) -> bytes:
        data, self.waiting = self.waiting[:most], self.waiting[most:]
        return data

    def watch(self, wanted: bool) -> None:
        self.watched = wanted

    def write(self, data: bytes) -> None:
        self.waiting += data
        if self.watched:
            self.ready()


class Line:
    """A line from such a kernel, and what arrived when."""

    def __init__(self, kernel: Kernel, held: int = 0, rate: float = RATE) -> None:
        self.kernel, self.arrived = kernel, [(0.0, b"")][:0]
        self.incoming = Incoming(rate, held, kernel.read, self.take, kernel.watch)
        kernel.ready = self.incoming.pump

    def take(self, data: bytes, at: float) -> None:
        self.arrived.append((at, data))

    async def until(self, count: int) -> None:
        while self.incoming.arrived < count:
            await asyncio.sleep(0.01)


def test_what_a_host_writes_at_once_arrives_as_fast_as_the_line_carries_it() -> None:
    async def main() -> None:
        line = Line(Kernel(LINE * 20_000))
        line.incoming.start()
        await line.until(20_000 * len(LINE))
        assert [data for _, data in line.arrived if data.endswith(b"\n")][-1].endswith(b"\n")
        assert b"".join(data for _, data in line.arrived) == LINE * 20_000
        # After more than half a minute of line time it is not a tenth of a byte late or early.
        assert line.arrived[-1][0] == pytest.approx(20_000 * len(LINE) / RATE, abs=0.1 / RATE)
        assert line.incoming.share == pytest.approx(1.0)
        line.incoming.stop()

    run(main())


def test_each_line_arrives_when_its_last_byte_does() -> None:
    async def main() -> None:
        line = Line(Kernel(b"ab\ncdef\n"), rate=100.0)
        line.incoming.start()
        await line.until(8)
        assert [data for _, data in line.arrived] == [b"ab\n", b"cdef\n"]
        assert [at for at, _ in line.arrived] == pytest.approx([0.03, 0.08])
        line.incoming.stop()

    run(main())


def test_a_pause_of_the_host_is_idle_time_of_the_line() -> None:
    async def main() -> None:
        kernel = Kernel()
        line = Line(kernel)
        line.incoming.start()
        for _ in range(10):
            kernel.write(LINE)
            await asyncio.sleep(3 * len(LINE) / RATE)
        assert line.incoming.share == pytest.approx(10 / 28)
        assert line.incoming.idle_seconds == pytest.approx(9 * 2 * len(LINE) / RATE)
        line.incoming.stop()

    run(main())


def test_a_line_that_was_not_free_in_time_makes_no_gap() -> None:
    async def main() -> None:
        kernel = Kernel()
        line = Line(kernel)
        line.incoming.start()
        for _ in range(100):
            kernel.write(LINE)
            await asyncio.sleep(0.9 * len(LINE) / RATE)
        await line.until(100 * len(LINE))
        assert line.incoming.idle_seconds == 0.0
        line.incoming.stop()

    run(main())


def test_a_late_look_is_caught_up_with_and_costs_no_line_time() -> None:
    async def main() -> None:
        line = Line(Kernel(LINE * 1000))
        line.incoming.start()
        begins = asyncio.get_running_loop().time()
        line.incoming.pump(begins + 0.5)  # the process was held up for half a second
        assert line.incoming.arrived == 12_500
        whole = [at - begins for at, data in line.arrived if data.endswith(b"\n")]
        expected = [(number + 1) * len(LINE) / RATE for number in range(len(whole))]
        assert whole == pytest.approx(expected)
        line.incoming.stop()

    run(main())


@pytest.mark.parametrize(("held", "taken"), [(0, 100), (64, 100), (4096, 4096)])
def test_only_so_much_is_taken_ahead_of_the_line(held: int, taken: int) -> None:
    async def main() -> None:
        kernel = Kernel(b"x" * 10_000)
        line = Line(kernel, held)
        line.incoming.start()
        assert 10_000 - len(kernel.waiting) == taken
        line.incoming.stop()

    run(main())


def test_what_stops_the_line_keeps_the_rest_from_arriving() -> None:
    async def main() -> None:
        kernel = Kernel(b"one\ntwo\nthree\n")
        arrived = []

        def stop(data: bytes, at: float) -> None:
            arrived.append(data)
            incoming.stop()

        incoming = Incoming(RATE, 0, kernel.read, stop, kernel.watch)
        incoming.start()
        await asyncio.sleep(0.1)
        assert arrived == [b"one\n"]

    run(main())


@given(
    writes=st.lists(st.tuples(st.binary(max_size=300), st.floats(0.0, 0.02)), max_size=12),
    held=st.integers(0, 300),
)
def test_no_byte_is_early_lost_or_out_of_order(
    writes: list[tuple[bytes, float]], held: int
) -> None:
    async def main() -> None:
        kernel = Kernel()
        line = Line(kernel, held)
        line.incoming.start()
        written: list[tuple[int, float]] = []
        for data, pause in writes:
            kernel.write(data)
            written.append((len(data), asyncio.get_running_loop().time()))
            await asyncio.sleep(pause)
        await line.until(sum(count for count, _ in written))
        assert b"".join(data for _, data in line.arrived) == b"".join(data for data, _ in writes)
        free, done, ends = 0.0, 0, {}
        for count, at in written:
            for _ in range(count):
                free = max(free, at) + 1 / RATE
                done += 1
                ends[done] = free
        count = 0
        for at, data in line.arrived:
            count += len(data)
            assert at == pytest.approx(ends[count], abs=0.01 / RATE)
        line.incoming.stop()

    run(main())


def test_what_a_board_says_leaves_in_bursts_of_a_millisecond() -> None:
    async def main() -> None:
        heard: list[tuple[float, bytes | Disconnect]] = []
        loop = asyncio.get_running_loop()
        outgoing = Outgoing(lambda piece: heard.append((loop.time(), piece)), RATE)
        outgoing.post(loop.time(), b"x" * 2500)
        outgoing.post(loop.time(), b"ok\n")
        await asyncio.sleep(0.2)
        assert [len(piece) for _, piece in heard if isinstance(piece, bytes)] == [25] * 100 + [3]
        assert heard[-1][0] == pytest.approx(2503 / RATE, abs=0.0011)

    run(main())


class Ticker:
    """A punctual instrument: half a millisecond after each line it says when it heard it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.due: list[float] = []

    def opened(self) -> bytes:
        return b""

    def handle(self, data: bytes) -> bytes:
        self.due.append(self.now + 0.0005)
        return b""

    def due_in(self) -> float:
        return min(self.due, default=float("inf")) - self.now

    def advance(self, dt: float) -> bytes:
        self.now += dt
        over = [due for due in self.due if due <= self.now + 1e-9]
        self.due = [due for due in self.due if due not in over]
        return b"".join(b"%.4f\n" % due for due in over)


def test_a_punctual_instrument_answers_on_time_even_to_what_is_looked_at_late() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        ticker, heard = Ticker(), [(0.0, "")][:0]

        def deliver(piece: Any) -> None:
            heard.append((loop.time(), piece.decode()))

        player = Player(ticker, Faults(random.Random(0)), deliver, tick=0.02)
        player.start()
        player.connected()
        await asyncio.sleep(0.0035)
        player.hear(b"a\n", at=0.0011)
        player.hear(b"b\n", at=0.0032)
        assert heard == [(0.0035, "0.0016\n")]
        await asyncio.sleep(0.01)
        assert heard[1][1] == "0.0037\n"
        assert heard[1][0] == pytest.approx(0.0037, abs=1e-4)
        player.stop()

    run(main())

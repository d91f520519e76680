"""What may become a value: the answer to the question, or what the printer says by itself."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import DriverError, LinkTimeout
from drivers.protocol import gcode
from drivers.transport.link import Timeouts
from drivers.transport.memory import Loopback
from drivers.wire import Ref
from tests.drivers.gcode_board import BED, NOZZLE, Board, script, wire
from tests.drivers.patience import until_greeted

Fate = st.sampled_from(["good", "good", "late", "lost", "cut", "twice"])


@settings(max_examples=60)
@given(fates=st.lists(Fate, min_size=1, max_size=12))
async def test_a_late_lost_or_cut_reply_never_becomes_a_value(fates: list[str]) -> None:
    board = Board()
    short = Timeouts(turn=2.0, first_byte=0.004, next_byte=0.002, whole=0.004)
    async with Loopback(board.handle) as link:
        gcode = wire(link, short)
        await until_greeted(gcode.hello)
        for fate in fates:
            board.spoil = {
                "good": lambda said: said,
                "late": board.hold_back,
                "lost": lambda said: b"",
                "cut": lambda said: said[: len(said) // 2],
                "twice": lambda said: said * 2,
            }[fate]
            asked_from = board.last
            refs: list[Ref[float]] = [NOZZLE, BED]
            try:
                nozzle, bed = await gcode.read(refs)
            except LinkTimeout:
                continue
            if not isinstance(nozzle, DriverError):
                assert nozzle > asked_from
            if not isinstance(bed, DriverError):
                assert bed > asked_from


async def test_a_poll_takes_what_the_printer_says_while_it_heats() -> None:
    board = Board()
    slow = Timeouts(turn=5.0, first_byte=5.0, next_byte=0.01, whole=5.0)
    async with Loopback(board.handle) as link:
        gcode = wire(link, slow)
        await gcode.hello()
        board.spoil = lambda said: b""
        async with asyncio.TaskGroup() as group:
            group.create_task(gcode.command("M109 S200"), name="heat")
            await asyncio.sleep(0)
            reading = group.create_task(gcode.read([NOZZLE, BED]), name="poll")
            await asyncio.sleep(0.01)
            assert not reading.done()
            link.inbox.feed(b"T:123.4 /200.0 B:50.0 /50.0 @:127 B@:9 W:?\n")
            async with asyncio.timeout(1.0):
                assert await reading == [123.4, 50.0]
            link.inbox.feed(b"ok\n")
        assert "M105" not in board.taken


async def test_a_printer_that_works_for_long_is_no_broken_link() -> None:
    board = Board()
    slow = Timeouts(turn=0.05, first_byte=5.0, next_byte=0.01, whole=5.0)
    async with Loopback(board.handle) as link:
        gcode = wire(link, slow)
        await gcode.hello()
        board.spoil = lambda said: b""
        async with asyncio.TaskGroup() as group:
            group.create_task(gcode.command("G28"), name="home")
            await asyncio.sleep(0)
            (nozzle,) = await gcode.read([NOZZLE])
            assert "busy" in str(nozzle)
            link.inbox.feed(b"ok\n")


async def test_a_small_number_is_sent_without_an_exponent() -> None:
    target = gcode.setting("M105", "T:(.*)", "M104 S{}", unit="Cel", low=0, high=300, doc="…").ref
    link = script(("M104 S0.00005", "ok\n"), ("M104 S0", "ok\n"), ("M104 S275", "ok\n"))
    async with link:
        printer = wire(link)
        for value in (0.00005, 0.0, 275.0):
            await printer.write(target, value)
    link.assert_finished()

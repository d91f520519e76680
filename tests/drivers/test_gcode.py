"""Numbered lines: the words of the firmware, what is sent again, and what is never believed."""

from __future__ import annotations

import asyncio

import pytest

from drivers.errors import BadReply, DeviceError, DriverError, LinkClosed, LinkTimeout
from drivers.protocol.gcode_history import frame
from drivers.transport.link import Timeouts
from drivers.transport.memory import Loopback, Script
from tests.drivers.gcode_board import BED, NAME, NOZZLE, Board, X, script, wire


async def test_hello_waits_for_the_start_counts_from_0_and_asks_who_it_is() -> None:
    link = Script(
        (b"\nN0 M110 N0*125\n", b"ok\n"),
        (frame(1, "M118 fence-0001"), b"fence-0001\nok\n"),
        (frame(2, "M118 fence-0002"), b"fence-0002\nok\n"),
        (frame(3, "M115"), f"{NAME}\nCap:AUTOREPORT_TEMP:1\nok\n".encode()),
        (frame(4, "M113 S2"), b"ok\n"),
        (frame(5, "M155 S2"), b"ok\n"),
    )
    link._banner = b"start\necho:Marlin 2.1.2\n"
    async with link:
        gcode = wire(link)
        assert await gcode.hello() == NAME
        assert gcode.capabilities == {"AUTOREPORT_TEMP": True}
        assert gcode.lines.keeps_alive
    link.assert_finished()


async def test_a_board_that_knows_no_m118_is_told_by_line_numbers_where_it_is() -> None:
    start = 1000 + 4
    link = Script(
        (b"\nN0 M110 N0*125\n", b"ok\n"),
        (frame(1, "M118 fence-0001"), b"ok\n"),
        (frame(2, "M118 fence-0002"), b"ok\n"),
        (frame(3, "FENCE_0003"), b"ok\n"),
        (
            frame(0, f"M110 N{start}") + frame(start + 7, "M105"),
            f"ok\nok\nError:Last Line: {start}\nResend: {start + 1}\n".encode(),
        ),
        (frame(start + 1, "M115"), f"{NAME}\nok\n".encode()),
        (frame(start + 2, "M113 S2"), b'echo:Unknown command: "M113 S2"\nok\n'),
    )
    async with link:
        gcode = wire(link)
        assert await gcode.hello() == NAME
        assert not gcode.lines.keeps_alive
    link.assert_finished()


async def test_values_of_one_report_share_one_exchange() -> None:
    link = script(
        ("M105", "ok T:20.5 /0.0 B:19.0 /0.0\n"),
        ("M114", "X:1.00 Y:2.00 Z:3.00 E:4.00 Count X:80\nok\n"),
    )
    async with link:
        assert await wire(link).read([NOZZLE, X, BED]) == [20.5, 1.0, 19.0]
    link.assert_finished()


async def test_a_value_that_is_missing_fails_alone() -> None:
    link = script(("M105", "ok T:20.5 /0.0\n"))
    async with link:
        nozzle, bed = await wire(link).read([NOZZLE, BED])
    assert nozzle == 20.5
    assert isinstance(bed, BadReply)


@pytest.mark.parametrize("after", ["", "ok\n"])
@pytest.mark.parametrize("spelling", ["Resend: 2", "rs N2"])
async def test_a_spoilt_line_is_sent_again_once(spelling: str, after: str) -> None:
    asked = f"Error:checksum mismatch, Last Line: 1\n{spelling}\n{after}"
    link = Script(
        (frame(1, "G28"), b"ok\n"),
        (frame(2, "M105"), asked.encode()),
        (frame(2, "M105"), b"ok T:1.0 /0.0\n"),
        (frame(3, "M105"), b"ok T:2.0 /0.0\n"),
    )
    async with link:
        gcode = wire(link)
        await gcode.command("G28")
        assert await gcode.read([NOZZLE]) == [1.0]
        assert await gcode.read([NOZZLE]) == [2.0]
    link.assert_finished()


async def test_a_line_that_noise_broke_in_two_is_asked_for_twice_and_sent_once() -> None:
    twice = b"Error:No Checksum, Last Line: 0\nResend: 1\n" * 2
    link = Script((frame(1, "G28"), twice), (frame(1, "G28"), b"ok\n"), (frame(2, "G4"), b"ok\n"))
    async with link:
        gcode = wire(link)
        await gcode.command("G28")
        await gcode.command("G4")
    link.assert_finished()


async def test_a_board_that_wants_the_same_line_for_ever_is_given_up() -> None:
    async with Loopback(lambda data: b"Resend: 1\n") as link:
        with pytest.raises(BadReply, match="asked for line 1"):
            await wire(link).command("G28")


async def test_a_board_that_counts_from_the_beginning_again_has_reset_itself() -> None:
    board = Board()
    async with Loopback(board.handle) as link:
        gcode = wire(link)
        await gcode.hello()
        for _ in range(20):
            await gcode.command("G1 X1")
        board.last = 0
        with pytest.raises(LinkClosed, match="has reset itself"):
            await gcode.command("G1 X2")
    assert board.taken.count("G1 X1") == 20


async def test_an_acknowledgement_that_got_lost_is_made_up_for() -> None:
    board = Board()
    async with Loopback(board.handle) as link:
        gcode = wire(link)
        await gcode.hello()
        board.spoil = lambda said: b""
        asyncio.get_running_loop().call_later(0.03, setattr, board, "spoil", lambda said: said)
        await gcode.command("G1 X5")
        await gcode.command("G1 X6")
        assert board.taken.count("G1 X5") == 1
        assert gcode.lines.lost_oks == 1


async def test_busy_extends_the_wait() -> None:
    board = Board()
    async with Loopback(board.handle) as link:
        gcode = wire(link)
        await gcode.hello()
        board.spoil = lambda said: b"echo:busy: processing\n"
        loop = asyncio.get_running_loop()
        for n in range(1, 8):
            loop.call_later(0.03 * n, link.inbox.feed, b"echo:busy: processing\n")
        loop.call_later(0.24, link.inbox.feed, b"ok\n")
        started = loop.time()
        await gcode.command("G28")
        assert loop.time() - started > 0.2  # four times what it may be silent for
        assert gcode.lines.lost_oks == 0


async def test_a_board_that_is_idle_and_waits_ends_the_wait_for_a_lost_ok() -> None:
    board = Board()
    slow = Timeouts(turn=5.0, first_byte=20.0, next_byte=0.01, whole=20.0)
    async with Loopback(board.handle) as link:
        gcode = wire(link, slow)
        await gcode.hello()
        board.spoil = lambda said: b""
        loop = asyncio.get_running_loop()

        def heal() -> None:
            board.spoil = lambda said: said
            link.inbox.feed(b"wait\n")

        loop.call_later(0.6, heal)
        await asyncio.wait_for(gcode.command("G1 X5"), 5.0)
        assert gcode.lines.lost_oks == 1


async def test_a_refusal_is_an_error_and_an_unknown_command_too() -> None:
    link = script(
        ("G29", "Error:Probing Failed\nok\n"),
        ("M999", 'echo:Unknown command: "M999"\nok\n'),
        ("G28", "Error:SD init fail\nok\n"),
    )
    async with link:
        gcode = wire(link)
        with pytest.raises(DeviceError, match="Probing Failed"):
            await gcode.command("G29")
        with pytest.raises(DeviceError, match="Unknown command"):
            await gcode.command("M999")
        await gcode.command("G28")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (b"start\n", LinkClosed),
        (b"Error:Printer halted. kill() called!\n", DeviceError),
        (b"Error:1\n: Extruder switched off. MAXTEMP triggered !\n", DeviceError),
    ],
)
@pytest.mark.parametrize("unasked", [True, False])
async def test_after_a_reset_or_a_kill_nothing_more_is_sent(
    words: bytes, error: type[DriverError], unasked: bool
) -> None:
    board = Board()
    async with Loopback(board.handle) as link:
        gcode = wire(link)
        await gcode.command("G1 X1")
        if unasked:
            link.inbox.feed(words)
        else:
            board.spoil = lambda said: words
        for _ in range(2):
            with pytest.raises(error):
                await gcode.command("G1 X2")
        assert board.taken.count("G1 X2") == (0 if unasked else 1)
        board.spoil = lambda said: said
        await gcode.hello()
        await gcode.command("G1 X3")


async def test_a_line_that_was_given_up_does_nothing_when_the_board_asks_for_it_later() -> None:
    board = Board()
    hears = True
    async with Loopback(lambda data: board.handle(data) if hears else b"") as link:
        printer = wire(link)
        await printer.hello()
        hears = False
        with pytest.raises(LinkTimeout) as given_up:
            await printer.command("M104 S200")
        assert given_up.value.sent
        hears = True
        await printer.command("M107")
    assert "M107" in board.taken
    assert "M104 S200" not in board.taken


async def test_last_words_that_are_just_on_their_way_are_heard_out() -> None:
    board = Board()
    async with Loopback(board.handle) as link:
        gcode = wire(link)
        await gcode.hello()
        taken = len(board.taken)
        link.inbox.feed(b"Error:Print")
        asyncio.get_running_loop().call_later(
            0.002, link.inbox.feed, b"er halted. kill() called!\n"
        )
        with pytest.raises(DeviceError, match="Printer halted"):
            await gcode.command("M104 S0")
        assert gcode.halted
        assert len(board.taken) == taken, "nothing is said to a board that has killed itself"


async def test_half_a_line_that_has_no_end_costs_no_more_than_getting_in_step() -> None:
    board = Board()
    async with Loopback(board.handle) as link:
        gcode = wire(link)
        await gcode.hello()
        link.inbox.feed(b"echo: cold extr")
        assert await gcode.command("M104 S0") == [""]
        assert board.taken[-1] == "M104 S0"
        assert board.taken[-2].startswith("M118 fence-")

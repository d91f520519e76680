"""Numbered lines: the words of the firmware, what is sent again, and what is never believed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import BadReply, DeviceError, DriverError, LinkClosed, LinkTimeout
from drivers.protocol.gcode import GCode, ReportRef
from drivers.protocol.gcode_lines import frame
from drivers.protocol.gcode_program import objection, prepared
from drivers.protocol.gcode_replies import Joiner, Kind, capabilities, parse
from drivers.transport.link import Timeouts
from drivers.transport.memory import Loopback, Script
from drivers.wire import Ref

QUICK = Timeouts(turn=2.0, first_byte=0.05, next_byte=0.01, whole=0.1)
NOZZLE = ReportRef[float](float, str, "M105", r"T:(-?[\d.]+)")
BED = ReportRef[float](float, str, "M105", r"B:(-?[\d.]+)")
X = ReportRef[float](float, str, "M114", r"X:(-?[\d.]+)")
NAME = "FIRMWARE_NAME:Marlin 2.1.2 MACHINE_TYPE:Test UUID:1"


def words() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"{next(numbers):04x}"


def wire(link: Loopback, timeouts: Timeouts = QUICK) -> GCode:
    return GCode(link, timeouts, boot=0.01, nonce=words())


def script(*dialogue: tuple[str, str]) -> Script:
    """Lines in the order in which they get their numbers, and what the board says to each."""
    return Script(*((frame(n, line), said.encode()) for n, (line, said) in enumerate(dialogue, 1)))


class Board:
    """A board that takes numbered lines, tells the number of each M105 as its temperature, and
    whose words the test may hold back, lose or add to."""

    def __init__(self) -> None:
        self.last = 0
        self.taken: list[str] = []
        self.late = b""
        self.spoil: Callable[[bytes], bytes] = lambda said: said

    def handle(self, data: bytes) -> bytes:
        said = b"".join(self._line(line) for line in data.split(b"\n") if line)
        waiting, self.late = self.late, b""
        return waiting + self.spoil(said)

    def hold_back(self, said: bytes) -> bytes:
        self.late += said
        return b""

    def _line(self, raw: bytes) -> bytes:
        found = re.fullmatch(rb"N(\d+) (.*)\*(\d+)", raw)
        assert found, raw
        number, line = int(found[1]), found[2].decode()
        if line.startswith("M110"):
            self.last = int(line.partition("N")[2])
            return b"ok\n"
        if number != self.last + 1 or frame(number, line) != raw + b"\n":
            said = f"Error:Line Number is not Last Line Number+1, Last Line: {self.last}\n"
            return f"{said}Resend: {self.last + 1}\n".encode()
        self.last = number
        self.taken.append(line)
        return self._obey(number, line)

    def _obey(self, number: int, line: str) -> bytes:
        if line == "M105":
            return f"ok T:{number}.0 /0.0 B:{number}.5 /0.0\n".encode()
        if line == "M115":
            return f"{NAME}\nCap:AUTOREPORT_TEMP:0\nok\n".encode()
        if line.startswith("M118"):
            return f"{line[5:]}\nok\n".encode()
        return b"ok\n"


@pytest.mark.parametrize("line", ["N3 T0*57", "N4 G92 E0*67", "N5 G28*22"])
def test_a_line_is_framed_as_in_the_examples_of_the_reprap_wiki(line: str) -> None:
    number, text = re.fullmatch(r"N(\d+) (.*)\*\d+", line).groups()  # type: ignore[union-attr]
    assert frame(int(number), text) == f"{line}\n".encode()


@pytest.mark.parametrize(
    ("line", "kind", "payload"),
    [
        ("ok", Kind.OK, ""),
        ("ok T:20.0 /0.0 B:19.0 /0.0 @:0", Kind.OK, "T:20.0 /0.0 B:19.0 /0.0 @:0"),
        ("okT:20.0 /0.0", Kind.OK, "T:20.0 /0.0"),
        ("ok N5 P15 B3", Kind.OK, "N5 P15 B3"),
        ("okay", Kind.TEXT, "okay"),
        ("Resend: 12", Kind.RESEND, "12"),
        ("Resend:12", Kind.RESEND, "12"),
        ("rs N12", Kind.RESEND, "12"),
        ("echo:busy: processing", Kind.BUSY, "processing"),
        ("busy: paused for user", Kind.BUSY, "paused for user"),
        ("wait", Kind.WAIT, ""),
        ("start", Kind.START, ""),
        ("started", Kind.TEXT, "started"),
        ("//action:pause", Kind.ACTION, "pause"),
        ("// action:prompt_begin Filament", Kind.ACTION, "prompt_begin Filament"),
        ("Error:checksum mismatch, Last Line: 4", Kind.LINE_ERROR, None),
        ("Error:No Line Number with checksum, Last Line: 4", Kind.LINE_ERROR, None),
        ("Error:Printer halted. kill() called!", Kind.FATAL, None),
        ("Error:MAXTEMP triggered, system stopped! Heater_ID: 0", Kind.FATAL, None),
        ("Error:Thermal Runaway, system stopped! Heater_ID: bed", Kind.FATAL, None),
        ("!! Heater extruder not heating at expected rate, halted", Kind.FATAL, None),
        ("Error:SD init fail", Kind.HARMLESS, "SD init fail"),
        ("Error:Probing Failed", Kind.ERROR, "Probing Failed"),
        ('echo:Unknown command: "M999"', Kind.UNKNOWN, 'Unknown command: "M999"'),
        ("T:20.0 /0.0 B:19.0 /0.0 @:0 W:?", Kind.TEMPERATURE, None),
        ("X:1.00 Y:2.00 Z:3.00 E:4.00 Count X:80 Y:160 Z:1200", Kind.POSITION, None),
        ("FIRMWARE_NAME:Marlin 2", Kind.TEXT, "FIRMWARE_NAME:Marlin 2"),
    ],
)
def test_each_word_of_the_firmware_is_understood(
    line: str, kind: Kind, payload: str | None
) -> None:
    reply = parse(line)
    assert reply.kind is kind
    assert payload is None or reply.payload == payload


def test_an_error_that_a_dying_board_broke_in_two_is_put_together() -> None:
    joiner = Joiner()
    assert joiner.feed(b"Error:0") is None
    reply = joiner.feed(b": Extruder switched off. MAXTEMP triggered !")
    assert reply is not None
    assert reply.kind is Kind.FATAL


@given(st.binary(max_size=80))
def test_no_bytes_make_the_parser_stumble(raw: bytes) -> None:
    Joiner().feed(raw)


def test_a_capability_that_is_not_named_is_not_there() -> None:
    assert capabilities(["Cap:EEPROM:1", "Cap:SDCARD:0", "Cap:odd"]) == {
        "EEPROM": True,
        "SDCARD": False,
    }


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
    start = 1000 + 3
    link = Script(
        (b"\nN0 M110 N0*125\n", b"ok\n"),
        (frame(1, "M118 fence-0001"), b"ok\n"),
        (frame(2, "M118 fence-0002"), b"ok\n"),
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
        with pytest.raises(DeviceError, match="asked for line 1"):
            await wire(link).command("G28")


async def test_a_board_that_counts_from_the_beginning_again_has_reset_itself() -> None:
    board = Board()
    async with Loopback(board.handle) as link:
        gcode = wire(link)
        for _ in range(20):
            await gcode.command("G1 X1")
        board.last = 0
        with pytest.raises(LinkClosed, match="reset itself"):
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


Fate = st.sampled_from(["good", "good", "late", "lost", "cut", "twice"])


@settings(max_examples=60)
@given(fates=st.lists(Fate, min_size=1, max_size=12))
async def test_a_late_lost_or_cut_reply_never_becomes_a_value(fates: list[str]) -> None:
    board = Board()
    short = Timeouts(turn=2.0, first_byte=0.004, next_byte=0.002, whole=0.004)
    async with Loopback(board.handle) as link:
        gcode = wire(link, short)
        await gcode.hello()
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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("G1 X1 Y2 E0.5", ""),
        ("M117 Hello", ""),
        ("T0", ""),
        ("G1 X1 " + "Y" * 80, "bytes long"),
        ("M117 Größe", "only ASCII"),
        ("M0", "waits for somebody"),
        ("M1 S5", "waits for somebody"),
        ("M112", "emergency stop"),
        ("M500", "stored settings"),
        ("M110 N5", "line numbers"),
        ("M104 S200", ""),
        ("N5 G1", "line number of its own"),
        ("<html>", "is not G-code"),
    ],
)
def test_what_cannot_be_sent_is_told_with_the_reason(text: str, reason: str) -> None:
    assert (reason in objection(text)) if reason else not objection(text)


def test_comments_and_blanks_are_not_sent() -> None:
    assert [prepared(line) for line in ("; all", "", "  G28 ; home", "\t")] == ["", "", "G28", ""]

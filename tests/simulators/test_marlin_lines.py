"""What becomes of a line: escapes, lengths, urgent commands, and bytes lost by a resend."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.marlin_lines import LINE_BYTES, EmergencyParser, LineReader
from tests.simulators.marlin_host import ask, numbered, printer, wait


def test_a_backslash_is_dropped_so_that_its_checksum_never_fits() -> None:
    board = printer()
    for _ in range(3):
        said = board.handle(numbered(1, "M117 C:\\temp")).decode()
        assert said == "Error:checksum mismatch, Last Line: 0\nResend: 1\n"
    assert ask(board, "M117 a\\;b") == ["ok"]
    assert board.display == "a;b"


def test_a_backspace_takes_the_character_before_it() -> None:
    board = printer()
    ask(board, "M117 helo\blo")
    assert board.display == "hello"


def test_a_comment_takes_the_checksum_with_it() -> None:
    said = printer().handle(b"N1 G90 ; absolute*71\n").decode()
    assert said == "Error:No Checksum with line number, Last Line: 0\nResend: 1\n"


def test_what_is_too_long_is_cut_off_silently() -> None:
    board = printer()
    assert ask(board, "M117 " + "x" * 200) == ["ok"]
    assert board.display == "x" * (LINE_BYTES - len("M117 "))


@given(st.binary(max_size=400))
def test_a_reader_takes_a_line_in_any_pieces(line: bytes) -> None:
    line = line.replace(b"\n", b"").replace(b"\r", b"")
    whole, pieces = LineReader(), LineReader()
    for byte in line:
        assert pieces.feed(bytes([byte])) is None
    assert pieces.feed(b"\n") == whole.feed(line + b"\n")


@pytest.mark.parametrize(
    ("line", "urgent"),
    [
        (b"M112\n", "M112"),
        (b"  M112\r", "M112"),
        (b"N5 M112*33\n", "M112"),
        (b"N-1  M410\n", "M410"),
        (b"M524\n", "M524"),
        (b"M876 S1\n", "M876 S1"),
        (b"M108 ; go on\n", "M108"),
        (b"M1080\n", None),
        (b"M117 M112\n", None),
        (b"m112\n", None),
        (b"\n", None),
    ],
)
def test_urgent_commands_are_seen_at_the_begin_of_a_line(line: bytes, urgent: str | None) -> None:
    parser = EmergencyParser()
    for byte in line[:-1]:
        assert parser.feed(bytes([byte])) is None
    assert parser.feed(line[-1:]) == urgent
    assert parser.feed(line) == urgent


def test_lines_behind_a_refused_one_are_lost_with_it_if_they_were_not_read() -> None:
    board = printer(buffered_commands=1)
    board.handle(numbered(1, "G4 S1"))
    bad = numbered(2, "G90").replace(b"G90", b"G91")
    assert board.handle(bad + numbered(3, "M82") + b"N4 M8") == b""  # they wait to be read
    assert wait(board, 1.1) == ["ok", "Error:checksum mismatch, Last Line: 1", "Resend: 2"]
    assert board.tally.refused == 1


def test_the_tail_of_a_line_whose_head_was_lost_is_a_line_without_a_number() -> None:
    board = printer(buffered_commands=1)
    board.handle(numbered(1, "G4 S1"))
    line = numbered(3, "G1 X7 F6000")
    board.handle(numbered(2, "G90").replace(b"G90", b"G91") + line[:3])
    assert wait(board, 1.1)[-1] == "Resend: 2"
    assert board.handle(line[3:]) == b"ok\n"
    assert board.received == ["G4 S1", "G1 X7 F6000"]  # it moves, out of turn and unchecked


def test_a_tail_that_is_no_command_is_acknowledged_all_the_same() -> None:
    board = printer()
    assert board.handle(b"00 Y12.5*37\n") == b'echo:Unknown command: "00 Y12.5"\nok\n'
    assert board.received == []
    assert board.tally.rubbish == ["00 Y12.5"]


def test_commands_are_kept_as_they_were_accepted_each_once() -> None:
    board = printer()
    for number, command in enumerate(("G28", "M117 a*b  c", "G1 X1"), 1):
        board.handle(numbered(number, command))
        board.handle(numbered(number, command))
        wait(board, 20)
    assert board.received == ["G28", "M117 a*b  c", "G1 X1"]
    assert board.tally.refused == 3

"""The simulated Marlin board takes, counts and acknowledges lines as marlinfw.org says."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.instrument import Instrument
from simulators.marlin import MarlinPrinter
from tests.simulators.marlin_host import ask, numbered, printer, wait

FILE = ["G28", "G90", "M83", "G1 X10 Y5 F6000", "G1 X20 Y15.5", "G4 P20", "M106 S128", "M400"]
LINES = st.sampled_from([*FILE, "M105", "M114", "M115", "G999", "; only a comment", "", "M117 hi"])


def stream(board: MarlinPrinter, commands: list[str]) -> None:
    """Send one line at a time, as a careful host does, and heed what the board asks for."""
    sent = 0
    for _ in range(20 * len(commands)):
        if sent == len(commands):
            return
        heard = board.handle(numbered(sent + 1, commands[sent]))
        deadline = 600
        while not re.search(rb"^(ok|Resend)", heard, re.MULTILINE) and deadline:
            heard += board.advance(0.5)
            deadline -= 1
        again = re.search(rb"Resend: (\d+)", heard)
        sent = int(again[1]) - 1 if again else sent + 1
    pytest.fail(f"stuck at line {sent}")


def test_opening_the_port_resets_the_board_and_it_says_start() -> None:
    board = printer()
    ask(board, "M104 S200")
    assert board.opened().decode().splitlines()[:2] == ["start", "Marlin 2.1.2"]
    assert board.targets["nozzle"] == 0


def test_a_board_that_does_not_reset_forgets_only_the_half_line() -> None:
    board: Instrument = printer(resets_on_open=False)
    board.handle(b"M104 S200\nG1 X1")
    assert board.opened() == b""
    assert board.handle(b"M105\n").startswith(b"ok T:21.00 /200.00 ")


def test_temperatures_ride_on_the_ok() -> None:
    assert ask(printer(), "M105") == ["ok T:21.00 /0.00 B:21.00 /0.00 @:0 B@:0"]


def test_capabilities_follow_the_name_of_the_firmware() -> None:
    said = ask(printer(emergency_parser=False), "M115")
    assert said[0].startswith("FIRMWARE_NAME:Marlin 2.1.2 ")
    assert "Cap:AUTOREPORT_TEMP:1" in said
    assert "Cap:EMERGENCY_PARSER:0" in said
    assert said[-1] == "ok"


def test_an_unknown_command_is_named_and_acknowledged() -> None:
    assert ask(printer(), "G999 X1") == ['echo:Unknown command: "G999 X1"', "ok"]


@pytest.mark.parametrize("line", ["", "; a comment", "\r"])
def test_an_empty_line_gets_no_ok(line: str) -> None:
    assert ask(printer(), line) == []


def test_a_line_with_the_next_number_and_its_checksum_is_accepted() -> None:
    board = printer()
    assert board.handle(numbered(1, "G90")) == b"ok\n"
    assert board.handle(numbered(2, "M82")) == b"ok\n"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (numbered(3, "G90"), "Line Number is not Last Line Number+1"),
        (b"N1 G90*1\n", "checksum mismatch"),
        (b"N1 G90\n", "No Checksum with line number"),
        (b"N1 M117 " + b"x" * 120 + b"*1\n", "No Checksum with line number"),
    ],
)
@pytest.mark.parametrize("ok_after", [False, True])
def test_a_bad_line_is_asked_for_again(line: bytes, reason: str, ok_after: bool) -> None:
    board = printer(ok_after_resend=ok_after)
    said = board.handle(line).decode().splitlines()
    assert said == [f"Error:{reason}, Last Line: 0", "Resend: 1"] + ["ok"] * ok_after
    assert board.executed == []


def test_m110_takes_its_second_number() -> None:
    board = printer()
    assert board.handle(numbered(41, "M110 N7")) == b"ok\n"
    assert board.handle(numbered(8, "G90")) == b"ok\n"


def test_m110_without_a_number_of_its_own_sets_the_count() -> None:
    board = printer()
    assert ask(board, "M110 N7") == ["ok"]
    assert board.handle(numbered(8, "G90")) == b"ok\n"


def test_the_last_star_ends_the_line() -> None:
    board = printer()
    assert board.handle(numbered(1, "M117 a*b")) == b"ok\n"
    assert board.display == "a*b"


@given(lines=st.lists(LINES, max_size=8), cuts=st.lists(st.integers(0, 200), max_size=8))
def test_where_the_bytes_are_split_changes_nothing(lines: list[str], cuts: list[int]) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    whole, pieces = printer(), printer()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    answered = b"".join(pieces.handle(data[a:b]) for a, b in pairwise(edges))
    assert answered == whole.handle(data)
    assert pieces.advance(20) == whole.advance(20)
    assert pieces.executed == whole.executed


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(data: bytes) -> None:
    board = printer()
    board.handle(data)
    board.advance(1)
    board.opened()
    assert ask(board, "M105")[-1].startswith("ok T:")


@given(faults=st.lists(st.sampled_from(["none", "corrupt", "lose"]), max_size=8))
def test_a_file_is_executed_once_whatever_was_damaged(faults: list[str]) -> None:
    board = printer()
    commands = [f"G1 X{n} F6000" for n in range(12)]
    done = 0
    for fault in faults:
        if fault == "corrupt":
            board.corrupt_next_line()
            said = board.handle(numbered(done + 1, commands[done])).decode()
            assert f"Resend: {done + 1}" in said
        elif fault == "lose":
            board.lose_next_ok()
            assert board.handle(numbered(done + 1, commands[done])) == b""
            done += 1
            # The host sends it again, and learns that it was taken.
            said = board.handle(numbered(done, commands[done - 1])).decode()
            assert f"Resend: {done + 1}" in said
    for number in range(done, len(commands)):
        board.handle(numbered(number + 1, commands[number]))
        board.advance(1)
    assert board.executed == commands


def test_a_streamed_file_is_executed_in_order_and_only_once() -> None:
    board = printer()
    board.corrupt_next_line()
    stream(board, FILE)
    assert board.executed == FILE
    assert board.fan == 128


def test_a_requested_resend_goes_back_to_that_line() -> None:
    board = printer()
    for number in (1, 2, 3):
        board.handle(numbered(number, "G90"))
    board.ask_resend(2)
    assert wait(board, 0) == ["Error:checksum mismatch, Last Line: 1", "Resend: 2"]
    assert board.handle(numbered(2, "G90")) == b"ok\n"


def test_advanced_ok_counts_the_room_that_is_left() -> None:
    board = printer(advanced_ok=True)
    assert board.handle(numbered(1, "G90")) == b"ok N1 P15 B3\n"
    assert board.handle(numbered(2, "G1 X100 F600")) == b"ok N2 P14 B3\n"


def test_bytes_beyond_the_buffers_are_lost() -> None:
    board = printer()
    board.handle(b"G4 S10\n" + b"M105\n" * 40)
    assert board.lost_bytes > 0


def test_a_reset_by_itself_forgets_numbers_and_targets() -> None:
    board = printer()
    board.handle(numbered(1, "M104 S200"))
    board.reset()
    assert wait(board, 0)[0] == "start"
    assert board.handle(numbered(1, "G90")) == b"ok\n"
    assert board.targets["nozzle"] == 0


def test_a_silent_board_goes_on_working() -> None:
    board = printer()
    board.go_silent(3)
    assert ask(board, "G1 X10 F600") == []
    wait(board, 3)
    assert board.position["X"] == pytest.approx(10)
    assert ask(board, "G90") == ["ok"]


def test_a_line_can_be_split_over_two() -> None:
    board = printer()
    board.split_next_line()
    assert ask(board, "M112") == ["Error:Printer halt", "ed. kill() called!"]


def test_m118_sends_text_back() -> None:
    assert ask(printer(), "M118 A1 E1 nonce 17") == ["// echo:nonce 17", "ok"]


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="forward only"):
        printer().advance(-1)

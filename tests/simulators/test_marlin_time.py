"""The board's own time, its planner, and what it counts for whoever measures a host."""

from __future__ import annotations

import pytest

from simulators.marlin_motion import Planner
from tests.simulators.marlin_host import ask, numbered, printer, wait


def test_a_line_keeps_the_processor_busy_before_its_ok() -> None:
    board = printer(line_seconds=0.0004)
    assert board.handle(numbered(1, "G90")) == b""
    assert board.due_in() == pytest.approx(0.0004)
    assert board.advance(0.00039) == b""
    assert board.advance(0.00002) == b"ok\n"


def test_what_comes_while_the_processor_is_busy_waits_in_the_buffer() -> None:
    board = printer(line_seconds=0.001, receive_bytes=16)
    board.handle(b"G90\n" + b"M82\n" * 4 + b"M83\n")
    assert board.lost_bytes == 4
    assert wait(board, 0.0051) == ["ok"] * 5


def test_the_first_move_is_held_back_until_there_are_three() -> None:
    board = printer(first_move_seconds=0.1)
    ask(board, "G1 X10 F600")
    wait(board, 0.09)
    assert board.position["X"] == 0.0
    wait(board, 0.11)
    assert board.position["X"] == pytest.approx(1.0)
    other = printer(first_move_seconds=0.1)
    for x in (10, 20, 30):
        ask(other, f"G1 X{x} F600")
    wait(other, 0.1)
    assert other.position["X"] == pytest.approx(1.0)


def test_short_moves_are_stretched_while_the_planner_is_less_than_half_full() -> None:
    planner, plain = Planner(slow_down=True), Planner()
    for x in range(1, 13):
        planner.move({"X": x * 0.1}, 100.0)
        plain.move({"X": x * 0.1}, 100.0)
    seconds = [block.seconds for block in planner._blocks]
    assert [block.seconds for block in plain._blocks] == pytest.approx([0.001] * 12)
    # The third has one at work and one waiting before it; from the ninth on none is stretched.
    expected = [0.001] * 3 + [0.001 + 2 * 0.019 / waiting for waiting in range(2, 8)] + [0.001] * 3
    assert seconds == pytest.approx(expected)


def test_a_planner_that_ran_empty_between_two_moves_is_an_underrun() -> None:
    board = printer()
    for _ in range(3):
        ask(board, "G91")
        ask(board, "G1 X1 F600")
        wait(board, 0.15)
    counts = board.counts()
    assert counts["underruns"] == 2
    assert counts["dry_seconds"] == pytest.approx(0.1)


@pytest.mark.parametrize("between", ["M400", "G4 P200", "M109 S40", "G28", "M0 S1"])
def test_a_pause_that_was_asked_for_is_no_underrun(between: str) -> None:
    board = printer()
    ask(board, "G1 X1 F600")
    ask(board, between)
    wait(board, 60)
    ask(board, "G1 X2 F600")
    assert board.counts()["underruns"] == 0


def test_a_host_in_time_makes_no_underrun() -> None:
    board = printer()
    for n in range(1, 50):
        ask(board, f"G1 X{n} F600")
        wait(board, 0.1 if n > 2 else 0.0)
    assert board.counts()["underruns"] == 0


def test_the_line_starves_when_no_byte_comes_although_there_is_room() -> None:
    board = printer(baud=115_200)
    line = numbered(1, "G90")
    seconds = len(line) * 10 / 115_200
    wait(board, seconds)
    board.handle(line)
    wait(board, 0.2 + seconds)
    board.handle(numbered(2, "G91"))
    counts = board.counts()
    assert counts["starved_seconds"] == pytest.approx(0.2)
    assert counts["share"] == pytest.approx(2 * seconds / (0.2 + 2 * seconds))
    assert counts["bytes"] == 2 * len(line)


def test_a_board_that_waits_does_not_starve() -> None:
    board = printer(baud=115_200)
    board.handle(numbered(1, "G4 S2"))
    wait(board, 1.9)
    board.handle(numbered(2, "G91"))
    assert board.counts()["starved_seconds"] == 0.0


def test_counting_can_begin_anew() -> None:
    board = printer()
    for n in range(1, 4):
        board.handle(numbered(n, f"G1 X{n}"))
        wait(board, 1)
    board.forget()
    counts = board.counts()
    assert not any(counts[key] for key in ("bytes", "underruns", "lines", "starved_seconds"))
    board.handle(numbered(4, "G1 X9"))
    assert board.counts()["underruns"] == 0


def test_the_commands_of_another_process_are_compared_by_their_digest() -> None:
    board, other = printer(), printer()
    for n, command in enumerate(("G28", "M105", "G1 X5"), 1):
        board.handle(numbered(n, command))
        wait(board, 20)
    for command in ("G28", "G1 X5"):
        ask(other, command)
        wait(other, 20)
    assert board.tally.digest(without=["M105"]) == other.tally.digest()
    assert board.tally.digest()[0] == 3


def test_a_boot_loader_swallows_what_comes_too_early() -> None:
    board = printer(boot_seconds=1.5)
    assert ask(board, "M105") == []
    assert wait(board, 1.4) == []
    assert wait(board, 0.2)[0] == "start"
    assert ask(board, "M105")[0].startswith("ok T:")


@pytest.mark.parametrize("seconds", [0.0, 0.0003])
def test_twenty_thousand_lines_take_seconds_not_minutes(seconds: float) -> None:
    board = printer(line_seconds=seconds, baud=250_000)
    lines = [numbered(n, f"M73 P{n % 100}") for n in range(1, 20_001)]
    said = 0
    for line in lines:
        said += board.handle(line).count(b"ok")
        said += board.advance(0.001).count(b"ok")
    assert said == len(lines) == len(board.received)

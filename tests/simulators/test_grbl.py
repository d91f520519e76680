"""The simulated GRBL controller answers lines and reports as the Grbl v1.1 wiki says."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.grbl import GrblStage
from simulators.instrument import Instrument
from tests.simulators.grbl_host import BANNER, LOCKED, ask, stage, wait

LINES = st.sampled_from(
    [
        *("", "G0X5", "g1 y-3 f200", "G91", "G90", "$$", "$G", "$#", "$I", "$", "$C", "$X", "$H"),
        *("G4P0.1", "M3S500", "M5", "M8", "(note) G21", "; note", "X", "5", "G2X1", "?", "$9=1"),
        *("$J=G91X1F100", "G1X1G0", "G1X1X2", "N1G0X2", "G92X0", "G10L20P1X0", "$20=1", "$foo"),
        *("S-1", "G1" + "0" * 90),
    ]
)


def answers(said: bytes) -> int:
    """How many lines were answered."""
    return len(re.findall(rb"^(?:ok|error:\d+)\r$", said, re.MULTILINE))


def test_the_banner_greets_who_opens_the_port() -> None:
    assert GrblStage().opened() == b"\r\nGrbl 1.1h ['$' for help]\r\n"


def test_with_homing_enabled_it_starts_locked() -> None:
    made = GrblStage(settings={22: 1})
    assert made.opened().decode().splitlines() == ["", BANNER, LOCKED]
    assert ask(made, "G0X1") == ["error:9"]


def test_a_controller_that_does_not_reset_forgets_only_the_half_line() -> None:
    made: Instrument = GrblStage(resets_on_open=False)
    made.handle(b"G91\nG0X1")
    assert made.opened() == b""
    assert made.handle(b"$G\n") == b"[GC:G0 G54 G17 G21 G91 G94 M5 M9 T0 F0 S0]\r\nok\r\n"


def test_the_build_names_version_and_buffers() -> None:
    assert ask(stage(), "$I") == ["[VER:1.1h.20190825:]", "[OPT:V,15,128]", "ok"]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("", "ok"),
        ("(only a comment)", "ok"),
        ("G0X1Y2", "ok"),
        ("5X1", "error:1"),
        ("G", "error:2"),
        ("X--1", "error:2"),
        ("$foo", "error:3"),
        ("$999=1", "error:3"),
        ("F-1", "error:4"),
        ("$110=-1", "error:4"),
        ("$H", "error:5"),
        ("$0=2", "error:6"),
        ("$20=1", "error:10"),
        ("X" + "1" * 80, "error:11"),
        ("$J=X1F100G1", "error:16"),
        ("$J=X1", "error:22"),
        ("G2X1Y1I1", "error:20"),
        ("A5", "error:20"),
        ("G0G1X1F10", "error:21"),
        ("G1X1", "error:22"),
        ("G92X0G1F10", "error:24"),
        ("X1X2", "error:25"),
        ("G92", "error:26"),
        ("N99999999", "error:27"),
        ("G4", "error:28"),
        ("G59.1", "error:29"),
        ("G53G80X1", "error:30"),
        ("G80X1", "error:31"),
        ("G0X1P3", "error:36"),
    ],
)
def test_a_line_gets_ok_or_the_number_of_its_error(line: str, answer: str) -> None:
    made = stage()
    assert ask(made, line) == [answer]
    assert made.executed == ([] if answer != "ok" or "X1" not in line else [line])


def test_what_was_executed_is_kept_as_it_was_sent() -> None:
    made = stage()
    ask(made, "g0 x1 (there) y2 ; and on")
    ask(made, "G0 Q1")
    assert made.executed == ["g0 x1  y2"]


def test_carriage_return_and_line_feed_are_two_lines() -> None:
    assert stage().handle(b"G90\r\n") == b"ok\r\nok\r\n"


@given(lines=st.lists(LINES, max_size=10))
def test_every_line_gets_exactly_one_answer(lines: list[str]) -> None:
    made = stage(s110=5000, s111=5000)
    for line in lines:
        said = made.handle(f"{line}\n".encode()) + made.advance(10)
        assert answers(said) == 1


@given(lines=st.lists(LINES, max_size=10), cuts=st.lists(st.integers(0, 300), max_size=8))
def test_where_the_bytes_are_split_changes_nothing(lines: list[str], cuts: list[int]) -> None:
    data = "".join(f"{line}\n" for line in lines).encode() + b"!~\x84~\x85\x91\x18"
    whole, pieces = stage(), stage()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    assert b"".join(pieces.handle(data[a:b]) for a, b in pairwise(edges)) == whole.handle(data)
    assert pieces.advance(20) == whole.advance(20)
    assert (pieces.executed, pieces.position) == (whole.executed, whole.position)


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(data: bytes) -> None:
    made = stage(s22=1, s20=1, s21=1)
    made.handle(data)
    made.advance(1)
    made.opened()
    assert ask(made, "$X")[-1] == "ok"


def test_the_first_report_has_the_offset_and_the_second_the_overrides() -> None:
    made = stage()
    said = [made.handle(b"?").decode().strip() for _ in range(11)]
    assert said[0] == "<Idle|MPos:0.000,0.000,0.000|FS:0,0|WCO:0.000,0.000,0.000>"
    assert said[1] == "<Idle|MPos:0.000,0.000,0.000|FS:0,0|Ov:100,100,100>"
    assert set(said[2:10]) == {"<Idle|MPos:0.000,0.000,0.000|FS:0,0>"}
    assert said[10] == said[0]


def test_a_changed_offset_is_in_the_next_report() -> None:
    made = stage()
    made.handle(b"??")
    ask(made, "G92 X-2")
    assert made.handle(b"?").endswith(b"|WCO:2.000,0.000,0.000>\r\n")


def test_the_report_follows_its_settings() -> None:
    made = stage(s10=2, s13=1)
    ask(made, "G10 L20 P1 X25.4")
    assert made.handle(b"?").startswith(b"<Idle|WPos:1.0000,0.0000,0.0000|Bf:15,128|FS:0,0|WCO:")


def test_a_realtime_byte_in_the_middle_of_a_line_is_no_part_of_it() -> None:
    made = stage()
    assert made.handle(b"G0?X1\n").endswith(b">\r\nok\r\n")
    assert made.executed == ["G0X1"]


def test_bytes_beyond_the_receive_buffer_are_lost() -> None:
    made = stage()
    made.handle(b"G4P5\n" + b"G0X1\n" * 25)
    assert made.lost_bytes == 0
    made.handle(b"G0X1\n")
    assert made.lost_bytes == 3


def test_settings_are_kept_over_a_reset() -> None:
    made = stage()
    assert ask(made, "$110=750.5") == ["ok"]
    made.opened()
    said = ask(made, "$$")
    assert "$110=750.500" in said
    assert len(said) == 35


def test_check_mode_moves_nothing_and_ends_with_a_reset() -> None:
    made = stage()
    assert ask(made, "$C") == ["[MSG:Enabled]", "ok"]
    assert ask(made, "G1X10F100") == ["ok"]
    assert ask(made, "G1X10Q1") == ["error:20"]
    assert b"<Check|" in made.handle(b"?")
    assert ask(made, "$C") == ["[MSG:Disabled]", "ok", "", BANNER]
    assert made.position == (0.0, 0.0, 0.0)
    assert made.executed == ["$C"]


def test_overrides_stay_within_ten_and_two_hundred_percent() -> None:
    made = stage()
    made.handle(b"??" + b"\x91" * 30 + b"\x9b" * 30)
    assert b"|Ov:200,100,10" in made.handle(b"?")
    made.handle(b"\x90\x99")
    assert b"|Ov:100,100,100" in made.handle(b"?")


def test_a_silent_controller_goes_on_moving() -> None:
    made = stage()
    made.go_silent(10)
    assert ask(made, "G1 X10 F300") == []
    wait(made, 10)
    assert made.position == (10.0, 0.0, 0.0)
    assert ask(made, "") == ["ok"]


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="forward only"):
        stage().advance(-1)


def test_the_end_of_a_program_puts_the_modes_back() -> None:
    made = stage()
    ask(made, "G91 G55 M3 S500 F100 G20")
    assert ask(made, "M30") == ["[MSG:Pgm End]", "ok"]
    assert ask(made, "$G")[0] == "[GC:G1 G54 G17 G20 G90 G94 M5 M9 T0 F2540 S0]"


def test_restoring_the_defaults_starts_anew() -> None:
    made = stage(s110=900)
    assert ask(made, "$RST=$") == ["[MSG:Restoring defaults]", "ok", "", BANNER]
    assert "$110=500.000" in ask(made, "$$")


def test_a_name_can_be_given_to_the_machine() -> None:
    made = stage()
    assert ask(made, "$I=STAGE 1") == ["ok"]
    assert ask(made, "$I")[0] == "[VER:1.1h.20190825:STAGE1]"


def test_start_up_lines_are_empty() -> None:
    assert ask(stage(), "$N") == ["$N0=", "$N1=", "ok"]


def test_the_parameters_name_every_offset() -> None:
    made = stage()
    for line in ("G10 L2 P1 X4", "G20 G10 L2 P2 Y1", "G92 Z1", "G92.1"):
        assert ask(made, line) == ["ok"]
    said = ask(made, "$#")
    assert said[:2] == ["[G54:4.000,0.000,0.000]", "[G55:0.000,25.400,0.000]"]
    assert "[G92:0.000,0.000,0.000]" in said
    assert ask(made, "G10 L3 P1 X1") == ["error:20"]


def test_coolant_is_toggled_and_reported() -> None:
    made = stage()
    made.handle(b"??\xa0")
    assert b"|A:F>" in made.handle(b"?")
    made.handle(b"\xa0")
    assert b"A:" not in made.handle(b"?")

"""The simulated stage moves, holds, homes and gives alarm as the Grbl v1.1 wiki says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulators.grbl_host import BANNER, LOCKED, ask, homed, stage, wait


@given(
    steps=st.lists(st.tuples(st.sampled_from("XYZ"), st.floats(-40, 40)), min_size=1, max_size=12),
    dt=st.floats(0.05, 3.0),
)
def test_moves_end_where_they_were_sent(steps: list[tuple[str, float]], dt: float) -> None:
    made = stage()
    place = dict.fromkeys("XYZ", 0.0)
    for axis, to in steps:
        assert ask(made, f"G1 {axis}{to:.3f} F400") == ["ok"]
        place[axis] = round(to, 3)
    for _ in range(4000):
        if made.state == "Idle":
            break
        made.advance(dt)
    assert made.position == pytest.approx(tuple(place.values()), abs=1e-6)


def test_a_move_takes_its_time_at_the_feed_rate() -> None:
    made = stage()
    assert ask(made, "G1 X50 F300") == ["ok"]
    wait(made, 5)
    assert b"<Run|" in made.handle(b"?")
    assert b"|FS:300,0" in made.handle(b"?")
    # 50 mm at 5 mm/s, and 0.25 s each to speed up and to brake at 10 mm/s2.
    wait(made, 5.49)
    assert made.state == "Run"
    wait(made, 0.02)
    assert (made.state, made.position) == ("Idle", (50.0, 0.0, 0.0))


def test_an_axis_never_moves_faster_than_it_can() -> None:
    made = stage(s112=60)
    ask(made, "G0 X10 Z10")
    wait(made, 9)
    assert made.state == "Run"
    wait(made, 2)
    assert made.state == "Idle"


def test_the_sixteenth_move_waits_for_room() -> None:
    made = stage()
    ask(made, "G91")
    assert sum(len(ask(made, "G1X1F60")) for _ in range(16)) == 15
    assert wait(made, 2) == ["ok"]


def test_dwell_is_answered_when_it_is_over() -> None:
    made = stage()
    ask(made, "G1 X1 F300")
    assert ask(made, "G4 P2") == []
    assert wait(made, 2) == []
    assert wait(made, 1) == ["ok"]


def test_feed_hold_brakes_and_resume_goes_on_to_the_target() -> None:
    made = stage()
    ask(made, "G1 X50 F480")
    wait(made, 3)
    made.handle(b"!")
    assert made.state == "Hold:1"
    wait(made, 1)
    assert made.state == "Hold:0"
    stood = made.position
    wait(made, 5)
    assert made.position == stood
    assert ask(made, "G1 X60") == []
    assert made.handle(b"~") == b"ok\r\n"
    wait(made, 20)
    assert (made.state, made.position) == ("Idle", (60.0, 0.0, 0.0))


def test_a_reset_in_motion_loses_the_position_and_locks() -> None:
    made = homed()
    ask(made, "G1 X-50 F300")
    wait(made, 1)
    assert made.handle(b"\x18").decode().splitlines() == ["ALARM:3", "", BANNER, LOCKED]
    assert not made.position_known


def test_a_reset_after_a_completed_hold_keeps_the_position() -> None:
    made = homed()
    ask(made, "G1 X-50 F300")
    wait(made, 1)
    made.handle(b"!")
    wait(made, 1)
    assert made.handle(b"\x18").decode().splitlines() == ["", BANNER]
    assert made.position_known
    assert made.location == made.position


def test_a_reset_forgets_lines_modes_and_queue() -> None:
    made = stage()
    ask(made, "G91 M3 S500")
    made.handle(b"G0X1")
    made.handle(b"\x18")
    assert made.handle(b"\n$G\n").decode().splitlines()[:2] == [
        "ok",
        "[GC:G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0]",
    ]


def test_homing_takes_time_in_silence_and_finds_the_true_position() -> None:
    made = stage(s22=1)
    assert ask(made, "$H") == []
    wait(made, 5)
    assert made.handle(b"?") == b""
    assert wait(made, 60) == ["ok"]
    assert made.position == made.location == (-1.0, -1.0, -1.0)
    assert made.position_known


def test_homing_can_go_to_the_negative_ends() -> None:
    made = homed(s23=1)
    assert made.position == (-199.0, -1.0, -1.0)


def test_a_missing_homing_switch_is_an_alarm() -> None:
    made = stage(s22=1)
    made.miss_homing_switch("X")
    ask(made, "$H")
    assert wait(made, 100) == ["ALARM:9", "", BANNER, LOCKED]
    made.miss_homing_switch("")
    ask(made, "$H")
    assert wait(made, 60) == ["ok"]


@pytest.mark.parametrize(("byte", "code"), [(b"\x18", 6), (b"\x84", 7)])
def test_homing_that_is_broken_off_is_an_alarm(byte: bytes, code: int) -> None:
    made = stage(s22=1)
    ask(made, "$H")
    wait(made, 1)
    assert made.handle(byte).decode().splitlines() == [f"ALARM:{code}", "", BANNER, LOCKED]


def test_unlocking_says_that_it_was_only_unlocked() -> None:
    made = stage(s22=1)
    assert ask(made, "$X") == ["[MSG:Caution: Unlocked]", "ok"]
    assert ask(made, "G0X1") == ["ok"]
    assert not made.position_known


def test_a_soft_limit_stops_keeps_the_position_and_needs_a_reset() -> None:
    made = homed(s20=1)
    ask(made, "G1 X-20 F300")
    wait(made, 1)
    ask(made, "G1 X500")
    assert wait(made, 2) == ["ALARM:2", "[MSG:Reset to continue]"]
    assert made.handle(b"?") == b""
    assert ask(made, "$X") == []
    assert made.handle(b"\x18").decode().splitlines() == ["", BANNER, LOCKED]
    assert made.position_known
    assert ask(made, "$X")[-1] == "ok"


def test_a_hard_limit_stops_at_once_and_loses_the_position() -> None:
    made = homed(s21=1)
    ask(made, "G1 X-20 F300")
    wait(made, 1)
    made.hit_limit_switch("X")
    assert wait(made, 1) == ["ALARM:1", "[MSG:Reset to continue]"]
    assert not made.position_known
    assert made.handle(b"\x18").decode().splitlines() == ["", BANNER, "[MSG:Check Limits]", LOCKED]
    assert b"|Pn:X" in made.handle(b"?")


def test_a_closed_switch_is_only_shown_without_hard_limits() -> None:
    made = stage()
    made.hit_limit_switch("Z")
    assert b"<Idle|MPos:0.000,0.000,0.000|FS:0,0|Pn:Z|" in made.handle(b"?")


def test_a_jog_changes_no_mode_and_can_be_cancelled() -> None:
    made = stage()
    assert ask(made, "$J=G91 G20 X2 F20") == ["ok"]
    wait(made, 1)
    assert made.state == "Jog"
    assert ask(made, "G0X0") == ["error:9"]
    made.handle(b"\x85")
    assert wait(made, 3) == []
    assert made.state == "Idle"
    assert 0 < made.position[0] < 50
    assert ask(made, "$G")[0].startswith("[GC:G0 G54 G17 G21 G90 ")


def test_a_feed_hold_cancels_a_jog() -> None:
    made = stage()
    ask(made, "$J=X50F200")
    ask(made, "$J=X60F200")
    wait(made, 1)
    made.handle(b"!")
    wait(made, 1)
    assert made.state == "Idle"


def test_a_jog_beyond_the_travel_is_refused() -> None:
    made = homed(s20=1)
    assert ask(made, "$J=X5F100") == ["error:15"]
    assert made.state == "Idle"


def test_a_jog_is_refused_while_a_program_runs() -> None:
    made = stage()
    ask(made, "G1X10F60")
    assert ask(made, "$J=X5F100") == ["error:8"]
    assert ask(made, "$$") == ["error:8"]


def test_sleep_ends_with_a_reset_and_an_alarm() -> None:
    made = stage()
    assert ask(made, "$SLP") == ["ok", "[MSG:Sleeping]"]
    assert ask(made, "G0X1") == []
    assert made.state == "Sleep"
    assert made.handle(b"\x18").decode().splitlines() == ["", BANNER, LOCKED]


def test_overrides_change_the_feed_and_are_reported() -> None:
    made = stage()
    made.handle(b"??")
    ask(made, "G1X40F300")
    made.handle(b"\x92\x92\x94\x96\x9b")
    wait(made, 3)
    said = made.handle(b"?")
    assert b"|FS:237,0" in said
    assert b"|Ov:79,50,90" in said


def test_a_hold_leaves_the_spindle_on_until_it_is_toggled() -> None:
    made = stage()
    ask(made, "M3 S500 M8")
    made.handle(b"\x9e!")
    assert made.spindle_speed == 500
    made.handle(b"\x9e")
    assert made.spindle_speed == 0
    made.handle(b"~")
    assert made.spindle_speed == 500


def test_the_door_stops_the_spindle_and_resume_restores_it() -> None:
    made = stage()
    ask(made, "M3 S500")
    assert made.handle(b"\x84") == b"[MSG:Check Door]\r\n"
    assert (made.state, made.spindle_speed) == ("Door:0", 0)
    made.handle(b"~")
    assert (made.state, made.spindle_speed) == ("Idle", 500)


def test_a_program_pause_waits_for_resume() -> None:
    made = stage()
    assert ask(made, "M0") == []
    assert made.state == "Hold:0"
    assert made.handle(b"~") == b"ok\r\n"


def test_work_coordinates_shift_the_target() -> None:
    made = stage()
    for line in ("G10 L2 P2 X5", "G55 G0 X1", "G53 G0 Y2", "G91 G1 X1 Z-1 F400"):
        ask(made, line)
        wait(made, 5)
    assert made.position == pytest.approx((7.0, 2.0, -1.0))


def test_a_reset_by_itself_loses_position_and_queue() -> None:
    made = homed()
    ask(made, "G1 X-50 F300")
    wait(made, 2)
    made.reset_by_itself()
    assert wait(made, 1) == ["", BANNER, LOCKED]
    assert made.position == (0.0, 0.0, 0.0)
    assert made.location[0] < -1
    assert not made.position_known

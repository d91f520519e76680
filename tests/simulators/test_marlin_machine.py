"""The simulated printer moves, heats and stops as marlinfw.org says that one does."""

from __future__ import annotations

import pytest

from tests.simulators.marlin_host import ask, numbered, printer, wait


def test_moves_are_acknowledged_until_the_planner_is_full() -> None:
    board = printer()
    board.handle(b"G91\n")
    assert sum(len(ask(board, "G1 X10 F600")) for _ in range(16)) == 15
    assert wait(board, 0.99) == []
    assert wait(board, 0.02) == ["ok"]


def test_m400_is_acknowledged_when_the_moves_have_ended() -> None:
    board = printer()
    ask(board, "G1 X10 Y0 F600")
    assert ask(board, "M400") == []
    assert wait(board, 0.5) == []
    assert board.position["X"] == pytest.approx(5.0)
    assert wait(board, 0.6) == ["ok"]
    assert not board.moving


def test_the_position_is_the_planned_one_and_the_counts_are_the_true_ones() -> None:
    board = printer()
    ask(board, "G1 X10 Y20 F600")
    assert ask(board, "M114")[0] == "X:10.00 Y:20.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0"
    wait(board, 10)
    ask(board, "G92 X0")
    assert ask(board, "M114")[0] == "X:0.00 Y:20.00 Z:0.00 E:0.00 Count X:800 Y:1600 Z:0"


def test_relative_moves_and_inches_add_up() -> None:
    board = printer()
    for line in ("G91", "G1 X5 F6000", "G20", "G1 X1", "M400"):
        ask(board, line)
    wait(board, 2)
    assert board.position["X"] == pytest.approx(30.4)


def test_homing_takes_its_time_and_ends_at_zero() -> None:
    board = printer()
    ask(board, "G1 X100 Y50 F6000")
    assert ask(board, "G28") == []
    said = wait(board, 10)
    assert said == ["echo:busy: processing", "echo:busy: processing", "ok"]
    assert board.position == {"X": 0, "Y": 0, "Z": 0, "E": 0}


def test_a_homed_axis_stays_on_the_bed() -> None:
    board = printer()
    for line in ("G28", "G1 X500 F30000", "M400"):
        board.handle(f"{line}\n".encode())
        wait(board, 5)
    assert board.position["X"] == 220


def test_cold_filament_is_not_moved() -> None:
    assert ask(printer(), "G1 E5 F300") == ["echo: cold extrusion prevented", "ok"]


@pytest.mark.parametrize(
    ("command", "name", "target"), [("M109", "nozzle", 200), ("M190", "bed", 60)]
)
def test_waiting_for_heat_reports_and_keeps_the_host_alive(
    command: str, name: str, target: int
) -> None:
    board = printer()
    assert ask(board, f"{command} S{target}") == []
    said = wait(board, 600)
    assert said[-1] == "ok"
    assert board.temperatures[name] == pytest.approx(target, abs=1)
    reports = [line for line in said if line.startswith(" T:")]
    assert reports[0].endswith("W:?")
    assert len(reports) == pytest.approx(2 * said.count("echo:busy: processing"), abs=1)


def test_a_heater_keeps_its_target() -> None:
    board = printer()
    ask(board, "M104 S210")
    wait(board, 300)
    for _ in range(20):
        wait(board, 3)
        assert board.temperatures["nozzle"] == pytest.approx(210, abs=0.5)


def test_the_target_is_cut_below_the_limit_of_the_sensor() -> None:
    board = printer()
    ask(board, "M104 S400")
    assert board.targets["nozzle"] == 260


def test_temperatures_are_reported_by_themselves() -> None:
    board = printer()
    assert ask(board, "M155 S2") == ["ok"]
    assert len(wait(board, 10.1)) == 5
    ask(board, "M155 S0")
    assert wait(board, 10) == []


def test_the_keep_alive_interval_can_be_changed() -> None:
    board = printer()
    ask(board, "M113 S5")
    ask(board, "G4 S11")
    assert wait(board, 10.5) == ["echo:busy: processing"] * 2


def test_short_waits_do_not_add_up_to_a_keep_alive() -> None:
    board = printer()
    for _ in range(3):
        ask(board, "G4 S1.5")
        assert wait(board, 1.6) == ["ok"]


def test_with_the_emergency_parser_a_stop_acts_at_once() -> None:
    board = printer()
    ask(board, "M109 S200")
    wait(board, 5)
    assert ask(board, "M112") == ["Error:Printer halted. kill() called!"]
    assert board.targets == {"nozzle": 0, "bed": 0}
    assert ask(board, "M105") == []
    assert wait(board, 10) == []
    assert b"start\n" in board.opened()
    assert ask(board, "M105")[0].startswith("ok T:")


def test_without_the_emergency_parser_a_stop_waits_for_the_heat() -> None:
    board = printer(emergency_parser=False)
    ask(board, "M109 S200")
    assert ask(board, "M112") == []
    assert not board.halted
    said = wait(board, 300)
    assert "ok" in said
    assert said[-1] == "Error:Printer halted. kill() called!"


def test_without_the_emergency_parser_a_numbered_stop_waits_for_its_turn() -> None:
    raw, numbers = printer(emergency_parser=False), printer(emergency_parser=False)
    for board in (raw, numbers):
        ask(board, "G4 S3")
    raw.handle(b"M112\n")
    numbers.handle(numbered(1, "M112"))
    assert raw.halted
    assert not numbers.halted
    wait(numbers, 3)
    assert numbers.halted


def test_m108_ends_the_wait_for_heat() -> None:
    board = printer()
    ask(board, "M109 S200")
    wait(board, 5)
    assert ask(board, "M108") == ["ok"] * 2
    assert board.targets["nozzle"] == 200


def test_m108_has_no_effect_on_a_later_wait() -> None:
    board = printer()
    ask(board, "G4 S5")
    ask(board, "M108")
    wait(board, 6)
    assert ask(board, "M109 S200") == []


def test_m410_drops_all_moves_where_they_are() -> None:
    board = printer()
    ask(board, "G1 X100 F600")
    wait(board, 2)
    assert ask(board, "M410") == ["ok"]
    assert wait(board, 5) == []
    assert board.position["X"] == pytest.approx(20)


def test_a_pause_waits_for_the_user() -> None:
    board = printer()
    assert ask(board, "M0") == []
    assert wait(board, 2.1) == ["echo:busy: paused for user"]
    assert ask(board, "M108") == ["ok", "ok"]


def test_a_stopped_printer_moves_again_after_m999() -> None:
    board = printer()
    board.stop_with_error()
    assert "use M999" in wait(board, 0)[0]
    assert "use M999" in ask(board, "G1 X5 F600")[0]
    assert not board.moving
    assert ask(board, "M999") == ["Resend: 1", "ok"]
    ask(board, "G1 X5 F600")
    assert board.moving


def test_a_heater_without_wire_kills_the_board() -> None:
    board = printer()
    board.break_heater("nozzle")
    ask(board, "M104 S200")
    assert wait(board, 30) == [
        "Error:Heating failed, system stopped! Heater_ID: 0",
        "Error:Printer halted. kill() called!",
    ]


def test_a_wire_that_breaks_later_is_a_thermal_runaway() -> None:
    board = printer()
    ask(board, "M190 S60")
    wait(board, 600)
    board.break_heater("bed")
    assert wait(board, 300)[0] == "Error:Thermal Runaway, system stopped! Heater_ID: bed"


def test_a_welded_switch_heats_on_after_the_board_has_killed_itself() -> None:
    board = printer()
    board.weld_heater("nozzle")
    assert "MAXTEMP" in wait(board, 600)[0]
    assert board.halted
    before = board.temperatures["nozzle"]
    wait(board, 5)
    assert board.temperatures["nozzle"] > before


def test_without_protection_a_broken_heater_goes_unnoticed() -> None:
    board = printer(thermal_protection=False)
    board.break_heater("nozzle")
    ask(board, "M104 S200")
    assert wait(board, 600) == []


def test_m109_with_r_waits_for_cooling_too() -> None:
    board = printer()
    ask(board, "M104 S200")
    wait(board, 200)
    assert ask(board, "M109 S100") == ["ok"]
    assert ask(board, "M109 R100") == []
    assert wait(board, 300)[-1] == "ok"
    assert board.temperatures["nozzle"] == pytest.approx(100, abs=1)


def test_the_feed_percentage_scales_the_moves() -> None:
    board = printer()
    ask(board, "M220 S50")
    ask(board, "G1 X10 F600")
    wait(board, 1)
    assert board.position["X"] == pytest.approx(5)


def test_idle_motors_forget_where_home_was() -> None:
    board = printer()
    for line in ("G28", "M84", "G1 X-5 F6000", "M400"):
        ask(board, line)
        wait(board, 5)
    assert board.position["X"] == -5


def test_there_is_one_tool_and_no_card() -> None:
    board = printer()
    assert ask(board, "T0") == ["ok"]
    assert ask(board, "T1") == ["echo:T1 Invalid extruder", "ok"]
    assert ask(board, "M27") == ["Not SD printing", "ok"]


def test_a_board_that_reads_while_heating_takes_a_stop_without_the_emergency_parser() -> None:
    board = printer(emergency_parser=False, reads_while_heating=True)
    ask(board, "M109 S200")
    assert ask(board, "M112") == ["Error:Printer halted. kill() called!"]

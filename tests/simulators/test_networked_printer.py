from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.networked_board import KLIPPER, MARLIN, Firmware
from simulators.networked_job import PrintState, WrongState
from simulators.networked_printer import NetworkedPrinter

TICK = 0.02
SQUARE = b"G28\nG90\n" + b"G1 X100 Y100 F6000\nG1 X10 Y10\n" * 20


def run(printer: NetworkedPrinter, seconds: float) -> None:
    for _ in range(round(seconds / TICK)):
        printer.advance(TICK)


def run_until(printer: NetworkedPrinter, *states: PrintState, within: float = 600.0) -> float:
    passed = 0.0
    while not printer.state_is(*states):
        printer.advance(TICK)
        passed += TICK
        assert passed < within, f"still {printer.job} after {within} s"
    return passed


def printing(content: bytes = SQUARE, firmware: Firmware = KLIPPER) -> NetworkedPrinter:
    printer = NetworkedPrinter(firmware)
    printer.start("a.gcode", content, by="api")
    run_until(printer, PrintState.PRINTING)
    return printer


def test_a_print_goes_through_the_bytes_of_its_file_and_ends() -> None:
    printer = printing()
    job = printer.job
    assert job is not None
    seen = [0]
    while job.active:
        printer.advance(TICK)
        assert job.position >= seen[-1]
        seen.append(job.position)
    assert job.state is PrintState.FINISHED
    assert job.position == job.size == len(SQUARE)
    assert len(set(seen)) > 20
    # 20 squares there and back, 127 mm each way at 100 mm/s; homing takes 6 s.
    assert job.total == pytest.approx(6 + 40 * 1.2728, rel=0.05)


def test_the_head_is_on_its_way_in_the_middle_of_a_move() -> None:
    printer = printing(b"G28\nG1 X100 F600\nG1 X100\n")
    while not printer.board.head.position["X"] > 0:
        printer.advance(TICK)
    run(printer, 5.0)
    assert printer.board.head.position["X"] == pytest.approx(50.0, abs=2.0)
    assert printer.board.head.planned["X"] == 100.0


def test_a_print_waits_until_the_nozzle_is_hot() -> None:
    printer = printing(b"M104 S200\nM109 S200\nG28\nM83\nG1 X10 E5 F600\n")
    passed = run_until(printer, PrintState.FINISHED)
    assert passed > 40  # 40 W into 12 J/K
    assert printer.board.heaters["nozzle"].temperature == pytest.approx(200.0, abs=5.0)
    assert printer.job is not None
    assert printer.job.filament == pytest.approx(5.0)
    assert printer.job.heating > 40


def test_a_pause_waits_for_the_command_at_hand_and_takes_its_time() -> None:
    printer = printing(b"G28\nG4 S3\nG1 X100 F6000\n")
    run(printer, 7.0)  # in the dwell
    printer.pause()
    assert printer.state_is(PrintState.PAUSING)
    took = run_until(printer, PrintState.PAUSED)
    assert took == pytest.approx(2.0 + printer.delays.pause, abs=0.1)
    position = printer.job.position if printer.job else 0
    run(printer, 5.0)
    assert printer.job is not None
    assert printer.job.position == position
    assert printer.job.paused == pytest.approx(5.0, abs=0.1)


def test_it_goes_on_where_it_was_left() -> None:
    printer = printing()
    run(printer, 10.0)
    printer.pause()
    run_until(printer, PrintState.PAUSED)
    parked = dict(printer.board.head.position)
    assert parked["Y"] == 210.0
    printer.resume()
    run_until(printer, PrintState.PRINTING)
    assert printer.board.head.position["Y"] <= 100.0
    run_until(printer, PrintState.FINISHED)


def test_a_cancel_ends_the_print_cold() -> None:
    printer = printing(b"M104 S200\nM140 S60\nG28\n" + SQUARE)
    run(printer, 8.0)
    printer.cancel()
    assert printer.state_is(PrintState.CANCELLING)
    run_until(printer, PrintState.CANCELLED)
    assert [heater.target for heater in printer.board.heaters.values()] == [0.0, 0.0]
    assert printer.job is not None
    assert 0 < printer.job.position < printer.job.size


@pytest.mark.parametrize(("firmware", "breaks"), [(KLIPPER, False), (MARLIN, True)])
def test_a_cancel_ends_the_wait_for_heat_only_where_the_firmware_can(
    firmware: Firmware, breaks: bool
) -> None:
    printer = printing(b"M109 S200\nG28\n", firmware)
    run(printer, 5.0)
    printer.cancel()
    took = run_until(printer, PrintState.CANCELLED)
    assert (took < 3.0) is breaks


def test_a_pause_before_the_first_command_still_comes() -> None:
    printer = NetworkedPrinter()
    printer.start("a.gcode", SQUARE, by="api")
    printer.pause()
    run_until(printer, PrintState.PAUSED, within=5.0)


def test_a_cancel_overtakes_a_pause() -> None:
    printer = printing()
    printer.pause()
    printer.cancel()
    run_until(printer, PrintState.CANCELLED, within=10.0)
    run(printer, 5.0)
    assert printer.state_is(PrintState.CANCELLED)


def test_what_does_not_fit_the_state_is_refused() -> None:
    printer = NetworkedPrinter()
    for order in (printer.pause, printer.resume, printer.cancel):
        with pytest.raises(WrongState):
            order()
    printer.start("a.gcode", SQUARE, by="api")
    with pytest.raises(WrongState, match="SD busy"):
        printer.start("b.gcode", SQUARE, by="api")
    with pytest.raises(WrongState, match="not paused"):
        printer.resume()


def test_a_script_runs_between_the_commands_of_a_print() -> None:
    printer = printing(b"G28\n" + b"G4 S1\n" * 100)
    script = printer.run("M106 S128\nG4 S2")
    ended: list[float] = []
    script.then(lambda _: ended.append(printer.board.now))
    start = printer.board.now
    while not script.done:
        printer.advance(TICK)
    assert printer.board.fan == pytest.approx(0.5, abs=0.01)
    assert ended[0] - start >= 2.0
    assert printer.state_is(PrintState.PRINTING)


def test_an_emergency_stop_is_at_once_and_lasts_until_a_reset() -> None:
    printer = printing(b"M104 S200\nG28\n" + SQUARE)
    waiting = printer.run("G4 S10")
    printer.emergency_stop("somebody pressed it")
    assert waiting.done
    assert waiting.error == "somebody pressed it"
    assert printer.state_is(PrintState.FAILED)
    assert printer.board.heaters["nozzle"].target == 0.0
    with pytest.raises(WrongState, match="somebody"):
        printer.start("b.gcode", SQUARE, by="api")
    printer.reset()
    assert printer.job is None
    assert printer.board.head.homed == set()
    printer.start("b.gcode", SQUARE, by="api")
    run_until(printer, PrintState.FINISHED)


def test_a_broken_heater_is_found_by_the_firmware() -> None:
    printer = printing(b"M109 S200\n")
    printer.break_heater("nozzle")
    run(printer, 60.0)
    assert "nozzle" in printer.halted
    assert printer.state_is(PrintState.FAILED)


def test_m112_in_a_file_stops_everything() -> None:
    printer = printing(b"G28\nM112\nG1 X10\n")
    run(printer, 10.0)
    assert "M112" in printer.halted
    assert printer.state_is(PrintState.FAILED)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"G1 X10", "Must home axis first"),
        (b"G28\nG1 X999", "Move out of range"),
        (b"G28\nG1 E5", "Extrude below minimum temp"),
        (b"M104 S999", "out of range"),
        (b"\x00\x01", "Unknown command"),
    ],
)
def test_a_firmware_that_refuses_ends_the_print_with_its_words(line: bytes, words: str) -> None:
    printer = printing(line + b"\nG4 S5\n")
    run_until(printer, PrintState.FAILED, within=20.0)
    assert printer.job is not None
    assert words in printer.job.message


def test_a_firmware_that_does_not_refuse_says_so_and_goes_on() -> None:
    said: list[str] = []
    printer = NetworkedPrinter(MARLIN)
    printer.board.say = said.append
    printer.start("a.gcode", b"G1 X999 F60000\nM83\nG1 E5\nFLY\nM104 S999\n", by="api")
    run_until(printer, PrintState.FINISHED)
    assert printer.board.head.position["X"] == 250.0
    assert "echo: cold extrusion prevented" in said
    assert any("FLY" in line for line in said)
    assert printer.board.heaters["nozzle"].target == 260.0


def test_filament_that_runs_out_pauses_until_somebody_loads_it() -> None:
    printer = printing()
    run(printer, 8.0)
    printer.run_out()
    run_until(printer, PrintState.PAUSED)
    with pytest.raises(WrongState, match="filament"):
        printer.resume()
    printer.load_filament()
    printer.resume()
    run_until(printer, PrintState.FINISHED)


def test_a_file_may_call_for_a_person() -> None:
    printer = printing(b"G28\nM600\nG1 X10 F600\n")
    run_until(printer, PrintState.PAUSED)
    assert "person" in printer.attention


def test_pace_lets_time_pass_faster_for_the_machine() -> None:
    slow, fast = printing(), printing()
    fast.pace = 10.0
    ratio = run_until(slow, PrintState.FINISHED) / run_until(fast, PrintState.FINISHED)
    assert ratio == pytest.approx(10.0, rel=0.1)


def test_time_runs_forward_only() -> None:
    with pytest.raises(ValueError, match="forward"):
        NetworkedPrinter().advance(-1.0)


@given(
    steps=st.lists(st.sampled_from(["pause", "resume", "cancel", "start", "stop", "reset", "run"])),
    waits=st.lists(st.floats(0.0, 3.0), min_size=1),
)
def test_no_order_of_requests_leaves_it_stuck(steps: list[str], waits: list[float]) -> None:
    printer = NetworkedPrinter()
    for number, step in enumerate(steps):
        try:
            match step:
                case "start":
                    printer.start("a.gcode", SQUARE, by="api")
                case "stop":
                    printer.emergency_stop("stop")
                case "reset":
                    printer.reset()
                case "run":
                    printer.run("G4 S1")
                case _:
                    getattr(printer, step)()
        except WrongState:
            pass
        printer.advance(waits[number % len(waits)])
    printer.reset()
    job = printer.start("b.gcode", SQUARE, by="api")
    printer.advance(120.0)
    assert job.state is PrintState.FINISHED
    assert all(not kept.active for kept in printer.jobs)

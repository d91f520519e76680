"""Boards with other firmwares than Marlin 2 have their own habits."""

from __future__ import annotations

import pytest

from simulators.marlin_dialect import DIALECTS
from tests.simulators.marlin_host import CarefulHost, ask, numbered, printer, wait

WRONG = numbered(1, "G90").replace(b"G90", b"G91")

NAMES = {
    "marlin2": "FIRMWARE_NAME:Marlin 2.1.2 ",
    "marlin1": "FIRMWARE_NAME:Marlin 1.1.9 ",
    "prusa": "FIRMWARE_NAME:Prusa-Firmware 3.14.1 ",
    "repetier": "FIRMWARE_NAME:Repetier_1.0.4 ",
    "rrf": "FIRMWARE_NAME: RepRapFirmware ",
    "klipper": "ok FIRMWARE_NAME:Klipper FIRMWARE_VERSION:",
    "smoothie": "FIRMWARE_NAME:Smoothieware, ",
}

UNKNOWN = {
    "marlin2": 'echo:Unknown command: "G999 X1"',
    "marlin1": 'echo:Unknown command: "G999 X1"',
    "prusa": "Unknown G code: G999 X1",
    "repetier": "Unknown command:G999 X1",
    "rrf": "Warning: G999: Command is not supported",
    "klipper": '// Unknown command:"G999"',
}

REFUSALS = {
    "marlin2": ["Error:checksum mismatch, Last Line: 0", "Resend: 1"],
    "marlin1": ["Error:checksum mismatch, Last Line: 0", "Resend: 1", "ok"],
    "prusa": ["Error:checksum mismatch, Last Line: 0", "Resend: 1", "ok"],
    "repetier": ["Error:Wrong checksum", *(["", "Resend:1", "ok"] * 2)],
    "rrf": ["rs 1"],
    "klipper": ["ok"],
    "smoothie": ["rs N1"],
}

TEMPERATURES = {
    "marlin2": ["ok T:21.00 /0.00 B:21.00 /0.00 @:0 B@:0"],
    "marlin1": ["ok T:21.00 /0.00 B:21.00 /0.00 @:0 B@:0"],
    "prusa": ["ok T:21.0 /0.0 B:21.0 /0.0 T0:21.0 /0.0 @:0 B@:0 P:0.0 A:30.0"],
    "repetier": ["ok 1", "T:21.00 /0.00 B:21.00 /0.00 @:0 B@:0"],
    "rrf": ["ok T:21.0 /0.0 B:21.0 /0.0"],
    "klipper": ["ok B:21.0 /0.0 T0:21.0 /0.0"],
    "smoothie": ["ok T:21.0 /0.0 @0 B:21.0 /0.0 @0"],
}


def test_each_firmware_is_told_here() -> None:
    assert set(DIALECTS) == set(NAMES) == set(REFUSALS) == set(TEMPERATURES)


@pytest.mark.parametrize("firmware", NAMES)
def test_each_tells_its_name(firmware: str) -> None:
    said = printer(firmware=firmware, ok_after_resend=None).handle(numbered(1, "M115"))
    assert any(line.startswith(NAMES[firmware]) for line in said.decode().splitlines())


@pytest.mark.parametrize("firmware", NAMES)
def test_each_refuses_a_spoilt_line_in_its_way(firmware: str) -> None:
    board = printer(firmware=firmware, ok_after_resend=None)
    assert board.handle(WRONG).decode().splitlines() == REFUSALS[firmware]


@pytest.mark.parametrize("firmware", NAMES)
def test_each_has_its_form_of_temperatures(firmware: str) -> None:
    board = printer(firmware=firmware)
    assert board.handle(numbered(1, "M105")).decode().splitlines() == TEMPERATURES[firmware]


@pytest.mark.parametrize("firmware", UNKNOWN)
def test_each_names_an_unknown_command_and_acknowledges_it(firmware: str) -> None:
    said = printer(firmware=firmware).handle(numbered(1, "G999 X1")).decode().splitlines()
    assert UNKNOWN[firmware] in said
    assert any(line.startswith("ok") for line in said)


@pytest.mark.parametrize("firmware", ["marlin2", "marlin1", "prusa", "repetier"])
def test_a_careful_host_gets_its_commands_through_once_and_in_order(firmware: str) -> None:
    board = printer(firmware=firmware, ok_after_resend=None)
    commands = [f"G1 X{n % 200} F6000" for n in range(300)]
    board.corrupt_lines(0.05, seed=3)
    CarefulHost(board).send([*commands, "M400"])
    assert board.received[: len(commands)] == commands
    assert board.disturbance.damaged > 5


def test_marlin_1_complains_of_a_checksum_without_a_number_and_asks_for_nothing() -> None:
    board = printer(firmware="marlin1", ok_after_resend=None)
    assert ask(board, "G90*12") == ["Error:No Line Number with checksum, Last Line: 0"]


def test_prusa_asks_again_for_a_checksum_without_a_number() -> None:
    board = printer(firmware="prusa", ok_after_resend=None)
    assert ask(board, "G90*12")[1:] == ["Resend: 1", "ok"]


def test_prusa_begins_with_start_and_speaks_to_the_host_with_a_space() -> None:
    board = printer(firmware="prusa", resets_on_open=False)
    board.reset()
    assert wait(board, 0)[0] == "start"
    board.press("pause")
    assert wait(board, 0) == ["// action:pause"]


def test_prusa_knows_the_codes_that_its_slicer_writes() -> None:
    board = printer(firmware="prusa")
    for line in ('M862.3 P "MK3S"', "M862.1 P0.4", "G80", "M601"):
        assert ask(board, line) == ["ok"]


def test_repetier_acknowledges_what_it_has_taken_not_what_it_has_done() -> None:
    board = printer(firmware="repetier")
    board.handle(numbered(1, "G4 S5"))
    assert board.handle(numbered(2, "G90")) == b"ok 2\r\n"
    assert wait(board, 5.1) == ["busy: processing"] * 2
    assert ask(board, "G28") == ["Error:Missing checksum", *(["", "Resend:3", "ok"] * 2)]


def test_repetier_skips_what_was_under_way_when_it_asked_again() -> None:
    board = printer(firmware="repetier")
    board.handle(WRONG)
    assert board.handle(numbered(2, "M82")).decode().splitlines() == ["skip 2", "ok"]
    assert board.handle(numbered(1, "G90")) == b"ok 1\r\n"
    assert board.handle(numbered(5, "M82")).startswith(b"Error:expected line 2 got 5\r\n")


def test_repetier_says_wait_when_it_is_idle() -> None:
    board = printer(firmware="repetier")
    assert wait(board, 3.05) == ["wait"] * 3


def test_repetier_starts_anew_when_it_is_stopped() -> None:
    board = printer(firmware="repetier")
    assert board.handle(numbered(1, "M112"))[:7] == b"start\r\n"
    assert not board.halted
    assert board.handle(numbered(1, "G90")) == b"ok 1\r\n"


def test_reprapfirmware_needs_neither_numbers_nor_their_order() -> None:
    board = printer(firmware="rrf")
    assert ask(board, "G90") == ["ok"]
    assert board.handle(numbered(17, "M82")) == b"ok\n"
    assert board.handle(b"N9 M83\n") == b"ok\n"
    assert ask(board, "M112")[0].startswith("Error: Emergency Stop!")


def test_klipper_looks_at_no_number_and_refuses_moves_before_homing() -> None:
    board = printer(firmware="klipper")
    assert board.handle(numbered(7, "G90").replace(b"G90", b"G91")) == b"ok\n"
    assert ask(board, "G1 X10")[0] == "!! Must home axis first: 10.000 0.000 0.000 [0.000]"
    ask(board, "G28")
    wait(board, 20)
    assert ask(board, "G1 X500")[0] == "!! Move out of range: 500.000 0.000 0.000 [0.000]"
    assert ask(board, "SET_LED LED=a") == ['// Unknown command:"SET_LED"', "ok"]


def test_klipper_says_no_to_everything_after_an_emergency_stop_until_it_is_restarted() -> None:
    board = printer(firmware="klipper")
    assert ask(board, "M112")[0] == "!! Shutdown due to M112 command"
    assert ask(board, "G28") == ["!! Shutdown due to M112 command", "ok"]
    assert ask(board, "FIRMWARE_RESTART") == ["// Klipper state: Ready"]
    assert ask(board, "M105")[0].startswith("ok B:")


def test_smoothie_acknowledges_empty_lines_and_puts_positions_behind_the_ok() -> None:
    board = printer(firmware="smoothie")
    assert ask(board, "") == ["ok"]
    assert ask(board, "; comment") == ["ok"]
    assert ask(board, "M114") == ["ok C: X:0.0000 Y:0.0000 Z:0.0000 E:0.0000"]
    assert ask(board, "G999") == ["ok"]
    ask(board, "M112")
    assert ask(board, "G28") == ["!!"]
    assert ask(board, "M999")[0] == "Smoothie"


def test_smoothie_takes_a_numbered_line_whose_star_was_spoilt_for_good() -> None:
    board = printer(firmware="smoothie")
    assert board.handle(numbered(1, "G1 X10 F6000").replace(b"*", b"+")) == b"ok\r\n"
    assert board.received[0].startswith("G1 X10 F6000+")

"""What a Marlin board is compiled with shows in what it says."""

from __future__ import annotations

import pytest

from tests.simulators.marlin_host import ask, numbered, printer, wait


def capabilities(**options: object) -> dict[str, str]:
    said = ask(printer(**options), "M115")
    return dict(line.split(":")[1:] for line in said if line.startswith("Cap:"))


def test_capabilities_are_those_that_it_was_compiled_with() -> None:
    bare, full = (
        capabilities(),
        capabilities(card=True, prompts=True, reports_position=True),
    )
    names = ["AUTOREPORT_POS", "AUTOREPORT_SD_STATUS", "PROMPT_SUPPORT", "SDCARD"]
    assert [bare[name] for name in names] == ["0"] * 4
    assert [full[name] for name in names] == ["1"] * 4
    assert bare["HOST_ACTION_COMMANDS"] == bare["AUTOREPORT_TEMP"] == "1"
    assert capabilities(emergency_parser=False)["EMERGENCY_PARSER"] == "0"


def test_the_area_is_told_last_and_is_no_json() -> None:
    said = ask(printer(geometry=True), "M115")
    assert said[-2] == (
        "area:{full:{min:{x:0.0000,y:0.0000,z:0.0000},max:{x:220.0000,y:220.0000,z:250.0000}},"
        "work:{min:{x:0.0000,y:0.0000,z:0.0000},max:{x:220.0000,y:220.0000,z:250.0000},}}"
    )


def test_an_advanced_ok_counts_when_it_is_sent() -> None:
    board = printer(advanced_ok=True, line_seconds=0.001)
    board.handle(numbered(1, "G1 X100 F600") + numbered(2, "G1 X50"))
    # Its own line is still in the queue, and the one behind it was not read while it was at work.
    assert wait(board, 0.0011) == ["ok N1 P14 B3"]
    assert wait(board, 0.001) == ["ok N2 P13 B3"]
    assert ask(board, "M117 no number") == []
    assert wait(board, 0.0011) == ["ok P13 B3"]


def test_an_advanced_ok_counts_lines_that_wait() -> None:
    board = printer(advanced_ok=True)
    board.handle(numbered(1, "G4 S1") + b"".join(numbered(n, "G90") for n in (2, 3, 4)))
    assert wait(board, 1.1) == ["ok N1 P15 B0", "ok N2 P15 B1", "ok N3 P15 B2", "ok N4 P15 B3"]


def test_it_can_claim_more_room_than_there_is() -> None:
    board = printer(advanced_ok=True)
    board.claim_room(3)
    assert board.handle(numbered(1, "G90")) == b"ok N1 P18 B6\n"


def test_temperatures_can_come_before_the_ok() -> None:
    said = ask(printer(temperature_in_ok=False), "M105")
    assert said == ["T:21.00 /0.00 B:21.00 /0.00 @:0 B@:0", "ok"]


@pytest.mark.parametrize("prefix", ["", "echo:", "// "])
def test_the_keep_alive_has_its_prefix(prefix: str) -> None:
    board = printer(busy_prefix=prefix)
    ask(board, "G4 S3")
    assert wait(board, 2.1) == [f"{prefix}busy: processing"]


def test_without_keep_alive_a_wait_is_silent() -> None:
    board = printer(host_keepalive=False)
    ask(board, "G4 S9")
    assert wait(board, 8.9) == []
    assert wait(board, 0.2) == ["ok"]
    assert ask(board, "M113 S2") == ['echo:Unknown command: "M113 S2"', "ok"]


def test_an_idle_board_says_wait_where_it_was_told_to() -> None:
    board = printer(wait_seconds=1.0)
    assert wait(board, 2.05) == ["wait"] * 2
    assert ask(board, "G4 S3") == []
    assert "wait" not in wait(board, 3.05)
    assert wait(board, 1.0) == ["wait"]


def test_position_and_card_report_by_themselves() -> None:
    board = printer(reports_position=True, card=True)
    assert ask(board, "M154 S1") == ["ok"]
    assert wait(board, 2.1) == ["X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0"] * 2
    ask(board, "M154 S0")
    ask(board, "M27 S2")
    assert wait(board, 2.1) == []
    board.print_from_card("A.GCO", 1000, 10.0)
    assert wait(board, 4.0) == ["SD printing byte 190/1000", "SD printing byte 390/1000"]


def test_without_position_reports_m154_is_unknown() -> None:
    assert ask(printer(), "M154 S1") == ['echo:Unknown command: "M154 S1"', "ok"]


def test_the_display_can_be_passed_on_to_the_host() -> None:
    board = printer(notifications=True)
    assert ask(board, "M117 Layer 2") == ["//action:notification Layer 2", "ok"]


def test_a_reset_ends_all_reports() -> None:
    board = printer(reports_position=True)
    ask(board, "M154 S1")
    ask(board, "M155 S1")
    board.reset()
    wait(board, 0)
    assert wait(board, 5) == []

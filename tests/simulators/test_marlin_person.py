"""Pauses, prompts, filament and the card: where a person, not the host, has the last word."""

from __future__ import annotations

import pytest

from tests.simulators.marlin_host import ask, numbered, printer, wait

ASKED = [
    "//action:prompt_end",
    "//action:prompt_begin Take the part",
    "//action:prompt_button Continue",
    "//action:prompt_show",
]


def test_a_pause_with_text_asks_the_host_and_goes_on_when_it_answers() -> None:
    board = printer(prompts=True)
    assert ask(board, "M0 Take the part") == ASKED
    assert wait(board, 2.1) == ["echo:busy: paused for user"]
    assert ask(board, "M876 S0") == ["ok", "ok"]
    assert board.display == "Take the part"


def test_a_pause_can_end_by_itself() -> None:
    board = printer(prompts=True)
    assert ask(board, "M1 S1")[1] == "//action:prompt_begin M0/1 Break Called"
    assert wait(board, 1.1) == ["ok"]


def test_without_the_emergency_parser_an_answer_waits_behind_the_pause() -> None:
    board = printer(prompts=True, emergency_parser=False)
    ask(board, "M0")
    assert ask(board, "M876 S0") == []
    assert ask(board, "M108") == ["ok", "ok", "ok"]


def test_filament_that_runs_out_pauses_the_print_until_somebody_comes() -> None:
    board = printer()
    ask(board, "G1 X50 F600")
    board.run_out_of_filament()
    assert wait(board, 0) == ["//action:paused filament_runout 0"]
    assert board.handle(numbered(1, "G1 X60")) == b""
    said = wait(board, 12)
    assert set(said) == {"echo:busy: processing", "echo:busy: paused for user"}
    assert ask(board, "M108") == []
    assert wait(board, 1.5) == ["//action:resumed", "ok", "ok"]
    assert board.executed[-3:] == ["M600", "G1 X60", "M108"]


def test_the_host_may_answer_what_the_printer_asks_about_its_filament() -> None:
    board = printer(prompts=True)
    board.run_out_of_filament()
    said = wait(board, 0.1)
    assert said[:2] == ["//action:prompt_end", "//action:prompt_begin FilamentRunout T0"]
    assert said[-3:] == [
        "//action:prompt_begin Nozzle Parked",
        "//action:prompt_button Continue",
        "//action:prompt_show",
    ]
    ask(board, "M876 S0")
    said = wait(board, 1.1)
    assert said[1:] == [
        "//action:prompt_begin Paused",
        "//action:prompt_button PurgeMore",
        "//action:prompt_button DisableRunout",
        "//action:prompt_show",
    ]
    ask(board, "M876 S0")
    assert "//action:prompt_button PurgeMore" in wait(board, 1.1)
    assert ask(board, "M876 S1")[:3] == [
        "//action:resumed",
        "//action:prompt_end",
        "//action:prompt_begin Resuming",
    ]


def test_a_change_of_filament_is_a_command_like_others() -> None:
    board = printer()
    assert ask(board, "M600") == ["//action:paused"]
    assert ask(board, "M108") == []
    # The `ok` of M108, which was put into the queue, comes behind that of M600.
    assert wait(board, 1.1) == ["//action:resumed", "ok", "ok"]


@pytest.mark.parametrize("button", ["pause", "resume", "cancel"])
def test_a_person_may_press_a_button_of_the_display(button: str) -> None:
    board = printer()
    board.press(button)  # type: ignore[arg-type]
    assert wait(board, 0) == [f"//action:{button}"]


def test_the_display_has_no_other_button() -> None:
    with pytest.raises(ValueError, match="pause, resume and cancel, not 'explode'"):
        printer().press("explode")  # type: ignore[arg-type]


def test_a_person_at_the_menu_keeps_the_board_occupied() -> None:
    board = printer()
    board.keep_busy(5.0)
    assert ask(board, "M105") == []
    assert wait(board, 5.1)[:3] == ["echo:busy: paused for input"] * 2 + [
        "ok T:21.00 /0.00 B:21.00 /0.00 @:0 B@:0"
    ]


def test_a_print_from_the_card_may_run_when_the_host_comes() -> None:
    board = printer(card=True, resets_on_open=False)
    board.print_from_card("LONG.GCO", 2000, 100.0)
    wait(board, 25)
    assert board.opened() == b""
    assert ask(board, "M27") == ["SD printing byte 500/2000", "ok"]
    assert ask(board, "M27 C") == ["Current file: LONG.GCO", "ok"]
    ask(board, "M25")
    assert ask(board, "M27") == ["Not SD printing", "ok"]
    ask(board, "M24")
    assert wait(board, 76) == ["Done printing file"]
    assert ask(board, "M27") == ["Not SD printing", "ok"]


def test_a_file_of_the_card_is_chosen_by_name() -> None:
    board = printer(card=True)
    listed = ask(board, "M20")
    assert listed == ["Begin file list", "CUBE.GCO 48211", "End file list", "ok"]
    assert ask(board, "M23 nothing.gco")[-2:] == ["open failed, File: NOTHING.GCO.", "ok"]
    assert "File selected" in ask(board, "M23 cube.gco")
    ask(board, "M24")
    assert ask(board, "M524") == ["ok"]
    assert ask(board, "M27") == ["Not SD printing", "ok"]


def test_without_a_card_its_commands_are_unknown() -> None:
    assert ask(printer(), "M20") == ['echo:Unknown command: "M20"', "ok"]

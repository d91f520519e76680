"""Everything that can go wrong with a printer can be called up, and repeats from its seed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.control import ControlServer
from simulators.grbl import GrblStage
from simulators.serve import PtyServer
from tests.simulators.marlin_host import CarefulHost, ask, numbered, printer, wait

CHANCES = st.floats(0.0, 0.2)


def test_an_ok_can_come_twice() -> None:
    board = printer()
    board.double_next_ok()
    assert ask(board, "G90") == ["ok", "ok"]
    assert ask(board, "G90") == ["ok"]


def test_a_line_number_can_lose_a_digit_on_its_way() -> None:
    board = printer()
    for n in range(1, 12):
        board.handle(numbered(n, "G90"))
    board.corrupt_next_number()
    said = board.handle(numbered(12, "G90")).decode().splitlines()
    assert said == ["Error:Line Number is not Last Line Number+1, Last Line: 11", "Resend: 12"]


def test_the_board_can_ask_for_a_line_that_is_out_of_reach() -> None:
    board = printer()
    board.handle(numbered(1, "G90"))
    board.claim_resend(34497)
    assert wait(board, 0) == ["Error:checksum mismatch, Last Line: 34496", "Resend: 34497"]
    assert board.handle(numbered(2, "G90")) == b"ok\n"


def test_the_board_can_say_start_without_having_started() -> None:
    board = printer()
    ask(board, "M104 S200")
    board.say_start()
    assert wait(board, 0) == ["start"]
    assert board.targets["nozzle"] == 200


def test_a_board_can_die_with_its_last_words_in_two_lines() -> None:
    board = printer()
    board.die_in_two_lines()
    assert wait(board, 0) == [
        "Error:0",
        ": Extruder switched off. MAXTEMP triggered !",
        "Error:Printer halted. kill() called!",
    ]
    assert board.halted


def test_a_line_can_come_in_two_halves_with_a_pause_between() -> None:
    board = printer()
    board.halve_lines(1.0, pause=0.05, seed=1)
    first = board.handle(b"M118 a rather long answer\n")
    assert not first.endswith(b"\n")
    assert board.due_in() == pytest.approx(0.05)
    assert first + board.advance(0.06) == b"a rather long answer\nok\n"


@pytest.mark.parametrize("what", ["lose_oks", "corrupt_lines", "split_lines", "halve_lines"])
def test_a_probability_is_none_below_zero_or_above_one(what: str) -> None:
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValueError, match=f"a probability is 0 to 1, not {wrong}"):
            printer().verbs()[what](wrong)


def test_there_are_two_heaters() -> None:
    with pytest.raises(ValueError, match="there is no heater 'oven', only nozzle, bed"):
        printer().break_heater("oven")


@settings(max_examples=30)
@given(lost=CHANCES, spoilt=CHANCES, split=CHANCES, halved=CHANCES, seed=st.integers(0, 9999))
def test_a_careful_host_gets_a_file_through_whatever_befalls_the_line(
    lost: float, spoilt: float, split: float, halved: float, seed: int
) -> None:
    board = printer(line_seconds=0.0003)
    commands = [f"G1 X{n % 200} E{n} F6000" for n in range(60)]
    board.lose_oks(lost, seed)
    board.corrupt_lines(spoilt, seed + 1)
    board.split_lines(split, seed + 2)
    board.halve_lines(halved, seed=seed + 3)
    # The last line may lose its number, and with it go unnoticed: a file needs one more behind it.
    CarefulHost(board).send([*commands, "M400"])
    assert board.received[: len(commands)] == commands


def test_faults_repeat_from_their_seed() -> None:
    said = []
    for _ in range(2):
        board = printer()
        board.lose_oks(0.3, seed=7)
        board.corrupt_lines(0.3, seed=8)
        said.append([board.handle(numbered(1, "G90")) for _ in range(30)])
    assert said[0] == said[1]
    assert len(set(said[0])) > 2


def test_what_befell_the_line_is_counted() -> None:
    board = printer()
    board.lose_oks(1.0)
    board.corrupt_next_line()
    board.handle(numbered(1, "G90"))
    board.handle(numbered(1, "G90"))
    counts = board.counts()
    assert (counts["damaged"], counts["refused"], counts["lost_oks"]) == (1, 1, 1)


async def played(server: PtyServer, **request: object) -> dict[str, Any]:
    control = ControlServer({"printer1": server})
    line = json.dumps({"device": "printer1", "do": "play"} | request).encode()
    return await control.answer(line)


@pytest.fixture
def cable(tmp_path: Path) -> PtyServer:
    return PtyServer(printer(), tmp_path / "printer1")


@pytest.mark.lab
async def test_each_trouble_can_be_called_up_through_the_control_port(cable: PtyServer) -> None:
    how: dict[str, dict[str, object]] = {
        "lose_oks": {"probability": 0.0},
        "split_lines": {"probability": 0.0},
        "halve_lines": {"probability": 0.0},
        "corrupt_lines": {"probability": 0.0, "seed": 5},
        "go_silent": {"seconds": 0.0},
        "ask_resend": {"number": 3},
        "claim_resend": {"number": 3},
        "claim_room": {"more": 0},
        "break_heater": {"name": "bed"},
        "weld_heater": {"name": "bed"},
        "press": {"button": "pause"},
        "keep_busy": {"seconds": 0.1},
        "print_from_card": {"name": "A.GCO", "size": 100, "seconds": 9.0},
    }
    async with cable:
        for verb in printer().tricks():
            answer = await played(cable, verb=verb, **how.get(verb, {}))
            assert answer["ok"], (verb, answer)
            assert ("result" in answer) == (verb == "tally")


@pytest.mark.lab
async def test_a_trouble_that_there_is_not_is_refused_with_the_list_of_those_there_are(
    cable: PtyServer, tmp_path: Path
) -> None:
    async with cable:
        answer = await played(cable, verb="explode")
        assert re.match(
            "there is no verb 'explode', only .*ask_resend, break_heater", answer["error"]
        )
        answer = await played(cable, verb="ask_resend")
        assert "missing 1 required positional argument: 'number'" in answer["error"]
        answer = await played(cable, verb="lose_oks", probability=2)
        assert answer["error"] == "a probability is 0 to 1, not 2"
    async with PtyServer(GrblStage(), tmp_path / "stage1") as stage:
        assert "no tricks of its own" in (await played(stage, verb="lose_ok"))["error"]

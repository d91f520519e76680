"""`labkeeper recipe`: list, show and check, from files alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from tests.agent.cli_bench import Ended
from tests.agent.recipe_bench import RECIPES, demo_station, recipe_text, write

Ask = Callable[..., Ended]


@pytest.fixture
def config(tmp_path: Path) -> str:
    """The demo's station with the recipes of the examples and room for more."""
    demo_station(tmp_path)
    (tmp_path / "recipes").mkdir()
    for file in RECIPES.glob("*.yaml"):
        (tmp_path / "recipes" / file.name).write_bytes(file.read_bytes())
    return str(tmp_path / "station.yaml")


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")

    def command(*words: str) -> Ended:
        return Ended(main(("recipe", *words)), *capsys.readouterr())

    return command


def test_the_recipes_are_listed_with_title_version_and_who_may_start_them(
    ask: Ask, config: str
) -> None:
    ended = ask("list", "--config", config)
    assert ended.code == 0
    rows = [line.split() for line in ended.out.splitlines()]
    assert rows[0] == ["recipe", "title", "version", "role"]
    assert rows[-1] == ["thermal_cycle", "Thermal", "cycle", "1.1", "technician"]
    assert len(rows) == 6


def test_the_list_is_json_for_programs(ask: Ask, config: str) -> None:
    found = ask("list", "--config", config, "--json").json()
    assert found["problems"] == []
    cycle = found["recipes"][-1]
    assert cycle["recipe"] == "thermal_cycle"
    assert cycle["titles"] == {"ko": "열 사이클 시험", "en": "Thermal cycle"}
    assert cycle["parameters"][2]["unit"] == "Cel"
    assert cycle["devices"][0]["device"] == "oven1"
    assert len(cycle["sha256"]) == 64


def test_what_is_wrong_with_a_recipe_does_not_hide_the_others(
    ask: Ask, config: str, tmp_path: Path
) -> None:
    write(tmp_path / "recipes", recipe_text("- wayt: 1"))
    write(tmp_path / "recipes", recipe_text("- set: {supply.voltage: 99}", name="hot"), "hot")
    ended = ask("list", "--config", config)
    assert ended.code == 0
    assert "1 problem: " in ended.out
    assert "99 V is above 16 V" in ended.out
    assert "warning: " in ended.out
    assert "trial.yaml:4:5: steps.0: no step is called 'wayt'; did you mean wait?" in ended.out
    assert "thermal_cycle" in ended.out


def test_a_station_without_recipes_says_where_it_has_looked(ask: Ask, tmp_path: Path) -> None:
    demo_station(tmp_path)
    ended = ask("list", "--config", str(tmp_path / "station.yaml"))
    assert ended == Ended(0, f"no recipes in {tmp_path}/recipes\n", "")


def test_a_recipe_is_shown_from_end_to_end(ask: Ask, config: str) -> None:
    ended = ask("show", "leakage_ramp", "--config", config)
    assert ended.code == 0
    for part in (
        "leakage_ramp: Leakage ramp",
        "Raises the voltage in steps",
        "technician or above",
        "0 to 1 A",
        "must be given",
        "siglent.spd1000x or siglent.spd1305x",
        "ramp supply.voltage to level at =rate V/s",
        "finally:",
    ):
        assert part in ended.out, part


def test_a_recipe_is_shown_in_korean_to_those_who_read_it(
    ask: Ask, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    ended = ask("show", "print_part", "--config", config)
    assert "print_part: 부품 출력" in ended.out
    assert "프린터의 출력판이 비어 있고 깨끗합니까?" in ended.out


def test_a_recipe_is_shown_as_json(ask: Ask, config: str) -> None:
    shown: Any = ask("show", "stage_raster", "--config", config, "--json").json()
    assert shown["problems"] == []
    assert {"depth": 2, "text": "repeat columns times as column", "line": 39} in shown["steps"]


def test_an_unknown_recipe_is_refused_with_the_nearest(ask: Ask, config: str) -> None:
    ended = ask("show", "thermal_cycel", "--config", config)
    assert ended.code == 2
    assert "no recipe is called 'thermal_cycel'; did you mean thermal_cycle?" in ended.err


def test_all_recipes_of_a_station_are_checked(ask: Ask, config: str) -> None:
    assert ask("check", "--config", config) == Ended(0, "ok: 5 recipes\n", "")
    assert ask("check", "--config", config, "--json").json()["recipes"][0] == "leakage_ramp"


def test_a_file_is_checked_with_and_without_a_station(
    ask: Ask, config: str, tmp_path: Path
) -> None:
    file = str(write(tmp_path, recipe_text("- set: {supply.voltage: 5}")))
    assert ask("check", file, "--config", config) == Ended(0, "ok: 1 recipe\n", "")
    assert ask("check", file) == Ended(0, "ok: 1 recipe\n", "")


def test_everything_wrong_is_said_each_with_its_place_and_ends_with_2(
    ask: Ask, config: str, tmp_path: Path
) -> None:
    one = write(tmp_path, recipe_text("- set: {supply.voltage: 99}\n- wait: =x"))
    two = write(tmp_path, recipe_text("- wayt: 1", name="two"), "two")
    ended = ask("check", str(one), str(two), "--config", config)
    assert ended.code == 2
    assert [line.split(": ")[0] for line in ended.err.splitlines()] == [
        f"{one}:6:27",
        f"{one}:7:11",
        f"{two}:4:5",
    ]
    error = ask("check", str(one), "--config", config, "--json")
    assert [it["line"] for it in json.loads(error.out)["error"]["problems"]] == [6, 7]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "which command? recipe list, show or check"),
        (("check",), "recipe check needs recipes: name files, or a station with --config"),
        (("list",), "--config"),
        (("shwx",), "did you mean show?"),
        (("check", "none.yaml"), "none.yaml: can't be read: no such file or directory"),
        (("list", "--config", "none.yaml"), "none.yaml: can't be read"),
    ],
)
def test_what_can_not_be_done_is_a_sentence(ask: Ask, words: tuple[str, ...], said: str) -> None:
    ended = ask(*words)
    assert ended.code == 2
    assert said in ended.err


def test_a_file_that_is_not_in_the_store_is_said(ask: Ask, config: str, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    ended = ask("check", "--config", config)
    assert ended.code == 2
    assert "there is no file 'cube.gcode' in the store" in ended.err
    (tmp_path / "files" / "cube.gcode").write_text("G28\n", "utf-8")
    assert ask("check", "--config", config).code == 0

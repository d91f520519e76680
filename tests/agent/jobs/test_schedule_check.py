"""What a schedule starts is held against its recipe beforehand, with file, line and key."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from agent.cli import main
from agent.jobs.recipes.library import read_library
from agent.jobs.schedules.schedule_check import schedule_problems, schedule_warnings
from agent.roles import Actor
from agent.settings import load
from tests.agent.jobs_bench import toys

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

STATION = """\
name: bench-3
state: state
devices:
  psu1: {driver: toy.supply, address: "tcp://192.0.2.1:1"}
schedules:
  x:
    cron: 0 2 * * *
"""
RECIPES = {
    "level": "parameters:\n  level: {type: number, unit: V, low: 0, high: 8}\n"
    "devices:\n  supply: {driver: toy.supply, device: psu1}\n"
    "steps:\n  - set: {supply.voltage: =level}",
    "free": "devices:\n  supply: {driver: toy.supply}\nsteps:\n  - set: {supply.output: true}",
    "asks": "steps:\n  - confirm: Ready?",
    "wrong": "steps:\n  - sett: 1",
}


def station(folder: Path, *lines: str) -> Path:
    """A station whose schedule x has these lines as well."""
    recipes = folder / "recipes"
    recipes.mkdir()
    for name, rest in RECIPES.items():
        (recipes / f"{name}.yaml").write_text(f'name: {name}\nversion: "1"\n{rest}\n', "utf-8")
    file = folder / "station.yaml"
    file.write_text(STATION + "".join(f"    {line}\n" for line in lines), "utf-8")
    return file


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["recipe: levels"],
            "8:13: schedules.x.recipe: no recipe is called 'levels'; did you mean",
        ),
        (["recipe: wrong"], "8:13: schedules.x.recipe: wrong is wrong: "),
        (["recipe: level"], "6:3: schedules.x: level is missing: it must be"),
        (
            ["recipe: level", "arguments: {level: 9}"],
            "9:16: schedules.x.arguments: level: 9 V is above 8 V",
        ),
        (
            ["recipe: level", "arguments: {levels: 1, level: 1}"],
            "9:16: schedules.x.arguments: level has no parameter 'levels'",
        ),
        (
            ["recipe: level", "arguments: {level: 1}", "devices: {supplies: psu1}"],
            "6:3: schedules.x: level can't be run like this: ",
        ),
        (["recipe: free"], "6:3: schedules.x: free needs a device for supply: name it"),
        (
            ["recipe: free", "devices: {supply: psu1}", "role: observer"],
            "10:11: schedules.x.role: set supply.output",
        ),
    ],
)
def test_what_can_not_be_started_is_told_with_its_line(
    tmp_path: Path, lines: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = station(tmp_path, *lines)
    settings = load(file)
    (found,) = schedule_problems(settings, read_library(settings.recipes))
    assert str(found).startswith(f"{file}:{said}"), found
    assert main(["check", "--config", str(file)]) == 2
    assert str(found) in capsys.readouterr().err


def test_what_would_be_refused_unattended_is_told_beforehand(tmp_path: Path) -> None:
    settings = load(station(tmp_path, "recipe: level", "arguments: {level: 1}"))
    asked: list[tuple[str, str, str, list[str]]] = []

    def uncovered(actor: Actor, recipe: str, devices: Iterable[str]) -> str:
        asked.append((actor.name, actor.origin, recipe, list(devices)))
        return "nothing makes safe psu1.output"

    library = read_library(settings.recipes)
    (found,) = schedule_problems(settings, library, frozenset(), uncovered)
    assert "schedules.x.recipe: nothing makes safe psu1.output" in str(found)
    assert asked == [("x", "schedule", "level", ["psu1"])]


def test_a_schedule_that_fits_its_recipe_is_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = station(tmp_path, "recipe: level", "arguments: {level: 8}")
    assert main(["check", "--config", str(file)]) == 0
    assert "ok: 1 device" in capsys.readouterr().out


def test_a_recipe_that_asks_people_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = station(tmp_path, "recipe: asks")
    settings = load(file)
    (found,) = schedule_warnings(settings, read_library(settings.recipes))
    assert "asks people" in str(found)
    assert main(["check", "--config", str(file)]) == 0
    assert f"warning: {found}" in capsys.readouterr().out

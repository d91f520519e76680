"""The recipes that come with labkeeper: right on the demo's station and on the example's, and in the schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from agent.jobs.checks.check import check
from agent.jobs.recipes.flow_steps import CallStep
from agent.jobs.recipes.library import head_of, read_library
from agent.jobs.recipes.person_steps import ConfirmStep, InputStep
from agent.jobs.recipes.recipe import STEP_KINDS
from agent.jobs.recipes.recipe_file import RecipeFile, load_recipe
from agent.jobs.recipes.recipe_schema import schema
from agent.jobs.recipes.step import walk
from agent.settings import load
from agent.settings.document import read_document
from drivers import Role
from tests.agent.recipe_bench import CONFIG, RECIPES, demo_station

NAMES = sorted(file.stem for file in RECIPES.glob("*.yaml"))


def test_there_is_an_example_of_everything_that_the_lab_does() -> None:
    assert NAMES == ["leakage_ramp", "nightly_check", "print_part", "stage_raster", "thermal_cycle"]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_right_on_the_demos_station(name: str, tmp_path: Path) -> None:
    found = check(
        load_recipe(RECIPES / f"{name}.yaml"), demo_station(tmp_path), read_library(RECIPES)
    )
    assert found.problems == ()
    assert found.role is Role.TECHNICIAN


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_right_on_the_station_of_the_example(name: str) -> None:
    station = load(CONFIG / "station.example.yaml")
    library = read_library(station.recipes)
    assert check(library.find(name), station, library).problems == ()


@pytest.mark.parametrize("name", NAMES)
def test_an_example_speaks_korean_and_english_and_names_its_devices(name: str) -> None:
    head = head_of(read_library(RECIPES).find(name))
    titles = [head.title, *(it.title for it in head.parameters.values())]
    assert all(title.ko and title.en for title in titles)
    assert head.about.ko
    assert head.about.en
    assert all(role.device for role in head.devices.values())


@pytest.mark.parametrize("name", NAMES)
def test_an_example_fits_the_schema_that_editors_use(name: str) -> None:
    whole = json.loads(schema())
    jsonschema.Draft202012Validator.check_schema(whole)
    file = RECIPES / f"{name}.yaml"
    assert file.read_text("utf-8").startswith(
        "# yaml-language-server: $schema=../recipe.schema.json\n"
    )
    jsonschema.Draft202012Validator(whole).validate(read_document(file).data)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": []},
        {"steps": [{"wayt": 1}]},
        {"steps": [{"wait": "5 parsecs"}]},
        {"steps": [{"if": "a", "then": [{"wait": 1, "log": "x"}]}]},
        {"steps": [{"wait": 1}], "parameters": {"n": {"type": "numbx"}}},
    ],
)
def test_the_schema_refuses_what_an_editor_can_see(wrong: dict[str, object]) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schema()))
    assert not validator.is_valid({"name": "x", "version": "1", **wrong})
    assert validator.is_valid({"name": "x", "version": "1", "steps": [{"wait": "5 s"}]})


def test_the_committed_schema_is_the_models_own() -> None:
    assert (CONFIG / "recipe.schema.json").read_text("utf-8") == schema()


def test_the_schema_knows_every_kind_of_step() -> None:
    kinds = [it["$ref"] for it in json.loads(schema())["$defs"]["Step"]["anyOf"]]
    assert kinds == [f"#/$defs/{kind.__name__}" for kind in STEP_KINDS]


def test_the_nightly_check_asks_nobody_and_moves_nothing() -> None:
    entry = read_library(RECIPES).find("nightly_check")
    assert isinstance(entry, RecipeFile)
    steps = list(walk(entry.recipe.steps))
    assert not [step for step in steps if isinstance(step, ConfirmStep | InputStep | CallStep)]
    assert {step.verb for step in steps} == {"parallel", "measure", "do", "log"}

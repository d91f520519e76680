"""The page about recipes: its recipes are right, and it names every step, key, type and function."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from agent.jobs.checks.check import check
from agent.jobs.language.expression_words import FUNCTIONS
from agent.jobs.recipes.device_roles import DeviceRole
from agent.jobs.recipes.device_steps import Measured
from agent.jobs.recipes.flow_steps import Repeat, Until
from agent.jobs.recipes.library import read_library
from agent.jobs.recipes.parameters import ParameterType
from agent.jobs.recipes.python_recipe import PythonRecipe
from agent.jobs.recipes.recipe import STEP_KINDS, Recipe
from agent.jobs.recipes.recipe_file import VERBS, load_recipe
from agent.settings.document import document_of
from tests.agent.recipe_bench import ROLES, demo_station, write
from tests.pages import named, page, snippets, typed, words

PAGE = "recipes.md"
HEAD = ("key", "what it says")
SECTIONS: dict[str, tuple[str, type[BaseModel]]] = {
    "wait": ("wait", Until),
    "measure": ("measure", Measured),
    "repeat": ("repeat", Repeat),
}
"""Steps whose own key is a section, and the model of it."""


def keys_of(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()} - {"title"}


def chapter(verb: str) -> str:
    return page(PAGE).partition(f"### {verb}\n")[2].partition("\n##")[0]


def rows(text: str) -> set[str]:
    """What stands between backticks in the first column of a table."""
    found = re.findall(r"^\| (.*?) \|", text, re.MULTILINE)
    return {word for cell in found for word in words(cell)}


def test_every_step_has_a_chapter_and_every_chapter_is_a_step() -> None:
    chapters = re.findall(r"^### (\w+)$", page(PAGE), re.MULTILINE)
    assert sorted(chapters) == sorted(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_the_chapter_of_a_step_names_every_key(verb: str) -> None:
    keys = {key for kind in STEP_KINDS if kind.verb == verb for key in keys_of(kind)}
    if verb in SECTIONS:
        name, section = SECTIONS[verb]
        keys |= {f"{name}.{key}" for key in keys_of(section)}
        keys |= {"measure.title"} if verb == "measure" else set()
        keys -= {"repeat"}
    assert rows(chapter(verb)) == keys


@pytest.mark.parametrize("verb", VERBS)
def test_what_a_chapter_shows_can_be_read(verb: str, tmp_path: Path) -> None:
    [shown] = re.findall(r"```text\n(.*?)```", chapter(verb), re.DOTALL)
    roles = "".join(ROLES.values())
    text = f'name: trial\nversion: "1"\ndevices:\n{roles}steps:\n{shown}'
    assert load_recipe(write(tmp_path, text)).recipe.steps


def test_the_first_recipe_is_right_and_is_told_as_the_page_says(tmp_path: Path) -> None:
    [shown] = [it for it in snippets(PAGE) if it.title]
    (tmp_path / shown.title).write_text(shown.text, "utf-8")
    library = read_library(tmp_path)
    assert list(library.recipes) == ["warm_up"]
    station = demo_station(tmp_path)
    assert check(library.find("warm_up"), station, library).problems == ()


def test_the_wrong_recipe_is_told_as_the_page_says(tmp_path: Path) -> None:
    [shown] = [it for it in snippets(PAGE) if it.title]
    wrong = shown.text.replace("oven.setpoint:", "oven.setpiont:").replace(
        "until: oven.temperature >= target", "until: oven.temperature >= tarrget"
    )
    (tmp_path / shown.title).write_text(wrong, "utf-8")
    station = demo_station(tmp_path)
    found = check(load_recipe(tmp_path / shown.title), station).problems
    printed = page(PAGE).partition("## What a check says")[2].split("```text\n")[1].split("```")[0]
    for problem, line in zip(found, printed.splitlines(), strict=True):
        assert str(problem).replace(f"{tmp_path}/", "") == line


def test_the_page_names_every_key_of_a_recipe_and_of_a_role() -> None:
    assert set(named(PAGE, *HEAD)) == {
        field.alias or name for name, field in Recipe.model_fields.items()
    }
    devices = page(PAGE).partition("## Devices")[2].partition("\n## ")[0]
    assert rows(devices) == set(DeviceRole.model_fields)


def test_the_page_names_every_type_of_parameter_and_every_function() -> None:
    types = named(PAGE, "`type`", "what it takes", "keys of its own")
    assert sorted(types) == sorted(get_args(ParameterType))
    row = next(line for line in page(PAGE).splitlines() if line.startswith("| functions"))
    assert [word.partition("(")[0] for word in words(row)] == list(FUNCTIONS)


def test_the_recipe_in_python_is_one() -> None:
    [shown] = [it.text for it in snippets(PAGE) if it.language == "python"]
    made: dict[str, Any] = {"__name__": "shown"}
    exec(compile(shown.replace("__future__", ""), "recipes.md", "exec"), made)
    found = made["settle"]
    assert isinstance(found, PythonRecipe)
    assert found.head.parameters["target"].high == 120


def test_the_commands_of_the_page_print_what_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent.cli import main

    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    [shown] = [it for it in snippets(PAGE) if it.title]
    demo_station(tmp_path)
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / shown.title).write_text(shown.text, "utf-8")
    monkeypatch.chdir(tmp_path)
    for line, printed in typed(PAGE):
        assert main(line.split()[1:]) == 0
        out = capsys.readouterr().out
        assert not printed or out == printed


def test_the_page_is_no_yaml_that_a_station_could_be() -> None:
    assert not [it for it in snippets(PAGE) if it.language == "yaml"]
    [shown] = [it for it in snippets(PAGE) if it.title]
    assert document_of(shown.title, shown.text.encode()).data["name"] == "warm_up"

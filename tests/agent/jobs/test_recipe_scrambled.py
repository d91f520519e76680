"""Recipes whose words were exchanged for each other: refused or checked, each problem with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import ConfigError, Problem
from agent.jobs.checks.check import check
from agent.jobs.recipes.library import read_library
from agent.jobs.recipes.outline import outline
from agent.jobs.recipes.recipe_file import load_recipe
from agent.settings import Station
from tests.agent.recipe_bench import RECIPES, demo_station

TEXTS = {file.stem: file.read_text("utf-8") for file in sorted(RECIPES.glob("*.yaml"))}
WORD = re.compile(r"[\w.]+|[^\w\s]")
STRANGE = ("1e400", "-1", "0", "true", "''", "{}", "[]", "=1/0", "9" * 40, "null", "&x", "!x")
WORDS = sorted({word for text in TEXTS.values() for word in WORD.findall(text)} | {*STRANGE})


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Station:
    return demo_station(tmp_path_factory.mktemp("station"))


def scrambled(data: st.DataObject) -> tuple[str, str]:
    """The name of an example, and its text with one to three words exchanged for others."""
    name = data.draw(st.sampled_from(sorted(TEXTS)))
    text = TEXTS[name]
    for _ in range(data.draw(st.integers(1, 3))):
        found = data.draw(st.sampled_from(list(WORD.finditer(text))))
        text = text[: found.start()] + data.draw(st.sampled_from(WORDS)) + text[found.end() :]
    return name, text


def problems(file: Path, station: Station) -> tuple[Problem, ...]:
    try:
        entry = load_recipe(file)
    except ConfigError as error:
        return error.problems
    assert list(outline(entry.recipe, "ko"))
    return check(entry, station, read_library(RECIPES)).problems


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_whatever_a_recipe_says_its_check_has_an_end_and_a_place(
    station: Station, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name, text = scrambled(data)
    file = tmp_path_factory.getbasetemp() / f"{name}.yaml"
    file.write_text(text, "utf-8")
    for problem in problems(file, station):
        assert problem.text
        assert problem.line > 0
        assert problem.file == str(file)

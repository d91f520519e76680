"""Recipes in Python: described by their signature, and listed, shown and checked like any other."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Annotated, Literal

import pytest

from agent.errors import Problem, Refused
from agent.jobs.checks.check import check
from agent.jobs.recipes import python_recipe
from agent.jobs.recipes.device_roles import DeviceRole, Need
from agent.jobs.recipes.library import read_library
from agent.jobs.recipes.parameters import Parameter
from agent.jobs.recipes.python_recipe import DeviceDesk, JobDesk, PythonRecipe, recipe
from agent.jobs.recipes.python_steps import Function
from agent.settings import Title
from drivers import Role, Span
from tests.agent.recipe_bench import demo_station, recipe_text, write

Oven = Annotated[
    DeviceDesk,
    DeviceRole(needs=(Need("temperature", "Cel"), Need("setpoint", "Cel")), device="oven1"),
]


@recipe(version="1.2", title=Title(ko="안정화", en="Settle"), role=Role.ENGINEER)
async def settle(
    job: JobDesk,
    oven: Oven,
    specimen: Annotated[str, Parameter(type="serial_number")],
    target: Annotated[float, Span(30, 120, "Cel")] = 80.0,
    turns: int = 3,
    how: Literal["slow", "fast"] = "slow",
    log_it: bool = False,
) -> None:
    """Bring the oven to its target and wait there."""
    await oven.set("setpoint", target)


def test_the_signature_is_the_description() -> None:
    head = settle.head
    assert (head.name, head.version, head.title.ko) == ("settle", "1.2", "안정화")
    assert head.about.en == "Bring the oven to its target and wait there."
    assert list(head.devices) == ["oven"]
    assert head.devices["oven"].device == "oven1"
    kinds = {name: (it.type, it.required) for name, it in head.parameters.items()}
    assert kinds == {
        "specimen": ("serial_number", True),
        "target": ("number", False),
        "turns": ("integer", False),
        "how": ("choice", False),
        "log_it": ("boolean", False),
    }
    target = head.parameters["target"]
    assert (target.unit, target.low, target.high, target.default) == ("Cel", 30, 120, 80.0)


def test_its_parameters_are_checked_like_those_of_a_file() -> None:
    assert settle.head.arguments({"specimen": "S1"})["target"] == 80.0
    with pytest.raises(Refused, match="target: 130 °C is above 120 °C"):
        settle.head.arguments({"specimen": "S1", "target": 130})


def test_its_devices_are_checked_like_those_of_a_file(tmp_path: Path) -> None:
    station = demo_station(tmp_path)
    found = check(settle, station)
    assert (found.problems, found.devices, found.role) == ((), {"oven": "oven1"}, Role.ENGINEER)
    first, second = check(settle, station, devices={"oven": "psu1"}).problems
    assert "settle.devices.oven.needs: psu1 has no temperature" in str(first)
    assert "psu1 has no setpoint" in str(second)


async def _plain(job: JobDesk, x: object) -> None: ...


async def _default(job: JobDesk, x: Annotated[float, Span(0, 1)] = 5.0) -> None: ...


async def _named(job: JobDesk, Big: int) -> None: ...  # noqa: N803 - a name that is refused


def _not_async(job: JobDesk) -> None: ...


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (
            _plain,
            "_plain: x: <class 'object'> is neither float, int, bool, str, Literal nor a device",
        ),
        (_default, "_default: x: default: 5 is above 1"),
        (_named, "_named is not a recipe"),
        (_not_async, "_not_async is not an async function"),
    ],
)
def test_a_signature_that_describes_nothing_is_refused(function: Function, sentence: str) -> None:
    with pytest.raises(TypeError) as caught:
        recipe(version="1")(function)
    assert sentence in str(caught.value)


def installed(monkeypatch: pytest.MonkeyPatch, *values: str) -> None:
    """As if a distribution with these entry points were installed."""
    points = [EntryPoint(f"r{n}", value, python_recipe.GROUP) for n, value in enumerate(values)]
    monkeypatch.setattr(python_recipe, "entry_points", lambda group: points)
    monkeypatch.setitem(sys.modules, "a_plugin", sys.modules[__name__])


def test_the_recipes_of_plugins_stand_beside_those_of_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed(monkeypatch, "a_plugin:settle")
    write(tmp_path, recipe_text("- wait: 1"))
    library = read_library(tmp_path)
    assert list(library.recipes) == ["settle", "trial"]
    assert isinstance(library.find("settle"), PythonRecipe)
    assert library.problems == ()


def test_a_plugin_that_can_not_be_loaded_hides_no_other_recipe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed(monkeypatch, "no_such_module:x", "a_plugin:Oven", "a_plugin:settle")
    found = read_library(tmp_path)
    assert list(found.recipes) == ["settle"]
    first, second = found.problems
    assert (
        str(second) == "plugin no_such_module:x: can't be loaded: No module named 'no_such_module'"
    )
    assert "is not what the decorator `recipe` makes" in first.text


def test_a_file_with_the_name_of_a_plugins_recipe_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed(monkeypatch, "a_plugin:settle")
    file = write(tmp_path, recipe_text("- wait: 1", name="settle"), "settle")
    text = "a plugin has a recipe settle as well: choose another name"
    assert read_library(tmp_path).problems == (Problem(str(file), 1, 7, "name", text),)


def test_a_file_may_call_a_recipe_of_a_plugin(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed(monkeypatch, "a_plugin:settle")
    steps = "- call: settle\n  with: {specimen: S1, target: 200}\n- set: {oven.setpoint: 50}"
    (tmp_path / "recipes").mkdir()
    write(tmp_path / "recipes", recipe_text(steps))
    library = read_library(tmp_path / "recipes")
    [problem] = check(library.find("trial"), demo_station(tmp_path), library).problems
    assert problem.text == "target: 200 °C is above 120 °C"

"""A station of the five devices of the demo, and a folder to write recipes into."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent, indent

import pytest

from agent.cli.demo.ports import DemoPorts
from agent.cli.demo.station import DEVICES, station_file
from agent.errors import ConfigError
from agent.jobs.checks.check import Checked, check
from agent.jobs.recipes.library import read_library
from agent.jobs.recipes.recipe_file import RecipeFile, load_recipe
from agent.settings import Station, load

CONFIG = Path(__file__).parents[2] / "config"
RECIPES = CONFIG / "recipes"
PORTS = DemoPorts(broker=1, metrics=2, api=3)
SUPPLY = "  supply: {driver: siglent.spd1000x, device: psu1}\n"
OVEN = "  oven: {needs: [temperature Cel, setpoint Cel, running], device: oven1}\n"
METER = "  meter: {driver: keysight.34460a, device: dmm1}\n"
STAGE = "  stage: {driver: motion.grbl, device: stage1}\n"
PRINTER = "  printer: {needs: [print, bed Cel, print_state], device: printer1}\n"
ROLES: Mapping[str, str] = {
    "supply": SUPPLY,
    "oven": OVEN,
    "meter": METER,
    "stage": STAGE,
    "printer": PRINTER,
}
HOT = "hot: {type: number, unit: Cel, low: 20, high: 90, default: 60}"
LEVEL = "level: {type: number, unit: V, low: 0, high: 5, default: 1}"


def demo_station(folder: Path) -> Station:
    """The station of `labkeeper demo`, without its processes: a check talks to no device."""
    room: dict[str, Mapping[str, object]] = {
        name: {"pty": f"/dev/pts/{at}"} if "{path}" in it.address else {"tcp": ("127.0.0.1", at)}
        for at, (name, it) in enumerate(DEVICES.items(), 5001)
    }
    file = folder / "station.yaml"
    file.write_text(station_file(folder, room, PORTS, broker=False), "utf-8")
    return load(file)


def recipe_text(steps: str, *, parameters: str = "", tail: str = "", name: str = "trial") -> str:
    """A recipe with these steps; it has the roles that its steps speak of."""
    body = dedent(steps).strip("\n")
    ending = dedent(tail).strip("\n")
    spoken = f"{body}\n{ending}"
    roles = "".join(
        line for role, line in ROLES.items() if f"{role}." in spoken or f"on: {role}" in spoken
    )
    text = f'name: {name}\nversion: "1"\n'
    if parameters:
        text += f"parameters:\n{indent(dedent(parameters).strip(), '  ')}\n"
    if roles:
        text += f"devices:\n{roles}"
    return f"{text}steps:\n{indent(body, '  ')}\n{ending}\n"


def write(folder: Path, text: str, name: str = "trial") -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(text, "utf-8")
    return file


def loaded(folder: Path, steps: str, *, parameters: str = "", tail: str = "") -> RecipeFile:
    return load_recipe(write(folder, recipe_text(steps, parameters=parameters, tail=tail)))


def checked(
    folder: Path,
    steps: str,
    *,
    parameters: str = "",
    tail: str = "",
    station: Station | None = None,
) -> Checked:
    """What a check finds in a recipe, on the demo's station, beside the recipes of its folder."""
    entry = loaded(folder, steps, parameters=parameters, tail=tail)
    library = read_library(folder / "recipes")
    return check(entry, station or demo_station(folder), library)


def said(checked_: Checked) -> list[str]:
    """Each problem as `line: key: sentence`."""
    return [f"{it.line}: {it.key}: {it.text}" for it in checked_.problems]


def refused(file: Path) -> list[str]:
    """Each problem of a file that can't be loaded, as it is printed after the file's folder."""
    with pytest.raises(ConfigError) as caught:
        load_recipe(file)
    return [str(it).replace(f"{file.parent}/", "") for it in caught.value.problems]


def three_recipes(folder: Path) -> None:
    """Three recipes that others may call."""
    (folder / "recipes").mkdir()
    level = "level: {type: number, unit: V, low: 0, high: 10}"
    inner = recipe_text("- set: {supply.voltage: =level}", parameters=level, name="inner")
    write(folder / "recipes", inner, "inner")
    write(folder / "recipes", recipe_text("- call: trial", name="again"), "again")
    write(folder / "recipes", recipe_text("- wayt: 1", name="broken"), "broken")

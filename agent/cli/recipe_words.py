"""What may be typed of recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from agent.cli.job_words import add_dry_run
from agent.cli.parser import NOTHING, Commands
from agent.languages.message import N_

NO_SOCKET: Final = frozenset({"socket"})


def add_recipe(commands: Commands) -> None:
    """Add `recipe` and its commands."""
    recipe = commands.add(
        "recipe",
        "recipes:list_recipes",
        N_("list the recipes of a station, or check and show them; needs no agent"),
        "labkeeper recipe list --config station.yaml    (each has a --help of its own)",
        unused=NO_SOCKET,
    )
    recipe.set_defaults(runs="commands:no_recipe_command", unused=NOTHING)
    each = Commands(recipe)
    for name, runs, about, example in (
        ("list", "list_recipes", N_("list the recipes of a station"), ""),
        ("show", "show", N_("show what a recipe takes, which devices it needs and what it does"),
         "thermal_cycle "),
        ("check", "check", N_("say everything that is wrong with recipes: file, line, column, key"),
         "config/recipes/thermal_cycle.yaml "),
    ):  # fmt: skip
        line = f"labkeeper recipe {name} {example}--config station.yaml"
        command = each.add(name, f"recipes:{runs}", about, line, unused=NO_SOCKET)
        config = N_("the station's YAML file")
        if name == "show":
            command.add_argument("name", metavar="NAME", help=N_("a recipe"))
        if name == "check":
            files = N_(
                "recipes; default: all of the station; for --dry-run a name, then NAME=VALUE"
            )
            command.add_argument("files", type=Path, metavar="FILE", nargs="*", help=files)
            add_dry_run(command)
            config = N_(
                "the station's YAML file; without it what is true on any station is checked"
            )
        required = name != "check"
        command.add_argument("--config", type=Path, metavar="FILE", required=required, help=config)

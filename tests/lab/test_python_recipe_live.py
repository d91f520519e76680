"""The recipe in Python that the page shows, installed as a plugin of a real agent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.lab.processes import LABKEEPER, child
from tests.lab.recipe_station import fast_lab, ran, value
from tests.pages import ROOT, snippets

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]
ENTRY = "[labkeeper.recipes]\nsettle = our_settling:settle\n"


def installed(folder: Path) -> str:
    """A folder for PYTHONPATH with the page's recipe as a distribution of its own."""
    [shown] = [it.text for it in snippets("recipes.md") if it.language == "python"]
    about = folder / "site" / "our_settling-1.dist-info"
    about.mkdir(parents=True)
    (folder / "site" / "our_settling.py").write_text(shown, "utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: our-settling\nVersion: 1\n")
    (about / "entry_points.txt").write_text(ENTRY)
    return os.pathsep.join([str(folder / "site"), str(ROOT)])


async def test_the_recipe_in_python_that_the_page_shows_settles_a_simulated_oven(
    folder: Path,
) -> None:
    path = installed(folder)
    async with fast_lab(folder, PYTHONPATH=path) as running:
        listed = (*LABKEEPER, "recipe", "list", "--config", str(running.config), "--json")
        async with child(*listed, environment={"PYTHONPATH": path}) as process:
            out, _ = await process.communicate()
        assert b'"settle"' in out
        job = await ran(running, "settle", target=50.0, soak=0.2)
        assert (job["state"], job["why"]) == ("done", "")
        assert [it["name"] for it in job["measures"]] == ["reached"]
        assert await value(running, "oven1.setpoint") == 50
        assert await value(running, "oven1.running") is False

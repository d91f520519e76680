"""The recipes that the demo offers: the examples that come with labkeeper."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
PLACES: Final = (HERE / "recipes", HERE.parents[2] / "config" / "recipes")
"""Where they lie: in an installed labkeeper beside this file, in a clone in its config."""


def copy_recipes(folder: Path) -> None:
    """Copy those that the folder does not have: somebody may have changed them there."""
    for source in PLACES:
        for file in sorted(source.glob("*.yaml")):
            if not (folder / file.name).exists():
                shutil.copyfile(file, folder / file.name)

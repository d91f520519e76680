"""The environment of the peers: other people's libraries, as their users install them."""

import sys
from pathlib import Path
from typing import Final

PYTHON: Final = Path(__file__).parents[1] / ".venv-peers" / "bin" / "python"
"""Made by `scripts/bench` from requirements/peers.txt."""


def interpreter() -> str:
    """The interpreter that peers run in. Ends the run with a sentence where there is none."""
    if not PYTHON.exists():
        sys.exit("the peers are not installed; run benchmarks by scripts/bench")
    return str(PYTHON)

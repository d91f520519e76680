"""Golden files: what the outside sees, kept as it was last agreed, so that reviews show a change.

`LABKEEPER_UPDATE_GOLDEN=1 pytest …` writes them anew; the difference is then for a person to judge.
"""

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
UPDATE = os.environ.get("LABKEEPER_UPDATE_GOLDEN") == "1"


def assert_golden(name: str, text: str) -> None:
    """Compare with the golden file of this name, such as `mqtt/state.json`."""
    path = FOLDER / name
    if UPDATE:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    agreed = path.read_text(encoding="utf-8") if path.exists() else "(there is no such file)"
    assert text == agreed, f"{name} differs; set LABKEEPER_UPDATE_GOLDEN=1 where that is meant"

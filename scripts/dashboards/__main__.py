"""Write every dashboard as Grafana reads it. Usage: python -m scripts.dashboards [folder]."""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.dashboards.all import BOARDS, written

FOLDER = Path(__file__).parents[2] / "config" / "grafana" / "dashboards"


def main(folder: Path) -> None:
    """Write all into the folder."""
    for board in BOARDS:
        (folder / f"{board.uid}.json").write_text(written(board), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)

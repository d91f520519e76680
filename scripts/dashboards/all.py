"""All dashboards, and each as the text of its file."""

from __future__ import annotations

import json
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from scripts.dashboards.agents import AGENTS
from scripts.dashboards.centre import CENTRE
from scripts.dashboards.device import DEVICE
from scripts.dashboards.drawing import drawn
from scripts.dashboards.jobs import JOBS
from scripts.dashboards.spec import Board
from scripts.dashboards.station import STATION

BOARDS: Final = (CENTRE, STATION, DEVICE, JOBS, AGENTS)


def written(board: Board) -> str:
    """A dashboard as JSON, the same each time."""
    return (
        json.dumps(drawn(board), cls=JSONEncoder, sort_keys=True, indent=1, ensure_ascii=False)
        + "\n"
    )

"""What may be asked of the demo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How long it shall run (seconds; None until Ctrl-C), where, and on which ports (0: free ones)."""

    seconds: float | None = None
    broker_port: int = 0
    metrics_port: int = 0
    api_port: int = 0
    folder: Path | None = None
    as_json: bool = False
    speed: float = 1.0
    """Seconds of the devices in each one here: heat comes and goes so much faster."""

"""How long a firmware may take over a command, and over a resend."""

from collections.abc import Mapping
from typing import Final

MAX_RESENDS: Final = 10

PATIENCE_S: Final[Mapping[str, float]] = {
    "G4": 600, "G28": 300, "G29": 1200, "G33": 1800, "G34": 600, "M109": 1200, "M116": 1800,
    "M190": 3600, "M191": 3600, "M303": 1800, "M400": 1200, "M600": 86400, "M701": 600,
    "M702": 600,
}  # fmt: skip
"""Commands that keep their `ok` back until they are done, for a firmware that says nothing meanwhile."""

HEATING: Final = {"M109", "M190", "M191", "M116", "M303"}
"""Commands that report temperatures while they wait."""

AFTER_RESEND_S: Final = 0.5
"""How long to look for the `ok` that some firmwares send after `Resend:`, until it is known."""

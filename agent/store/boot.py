"""Which boot of the machine this is: monotonic times can be compared within one alone."""

from pathlib import Path
from typing import Final

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
"""Source: random(4)."""


def boot_id() -> str:
    """The kernel's id of this boot, a UUID. Raises OSError."""
    return _BOOT_ID.read_text("ascii").strip()

"""The wall clock of a process of ours, set by a file: libfaketime, as Debian has it.

The monotonic clock stays the machine's own, as when somebody sets a real clock.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

LIBRARIES: Final = "/usr/lib/*/faketime/libfaketime.so.1"


class FakedTime:
    """A wall clock that runs `offset` seconds ahead of the machine's; a test changes that."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "faketime"
        self.offset = 0.0
        self.jump(0.0)

    @property
    def environment(self) -> dict[str, str]:
        """What a process has to be started with. Raises LookupError where the library is missing."""
        found = [str(path) for path in Path("/").glob(LIBRARIES[1:])]
        if not found:
            raise LookupError(
                "libfaketime is missing: run scripts/setup, or apt-get install faketime"
            )
        return {
            "LD_PRELOAD": found[0],
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def jump(self, seconds: float) -> None:
        """Set the clock forward, or back, from where it is."""
        self.offset += seconds
        new = self._file.with_suffix(".new")
        new.write_text(f"{self.offset:+.3f}\n", "ascii")
        new.replace(self._file)  # whole or not at all: the process looks into it once a second

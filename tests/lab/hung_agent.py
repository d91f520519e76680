"""An agent whose disk hangs, in the middle of the start, for as long as the file that HANGS names is there.

Where there is one of this name with `.reads` as well, whoever wants the recipes waits, each in a thread.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

from agent.jobs.recipes import library
from agent.safety.leases import Leases

HANGS = Path(os.environ["HANGS"])
CONNECT, FSYNC, RECALL = sqlite3.connect, os.fsync, Leases.recall
READ = library.read_library
READS = HANGS.with_suffix(".reads")


def wait() -> None:
    """As a thread waits whose disk does not come back."""
    while HANGS.exists():
        time.sleep(0.05)  # noqa: TID251


class Hung(sqlite3.Connection):
    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        wait()
        return super().execute(sql, *arguments)


def connect(*arguments: Any, **words: Any) -> sqlite3.Connection:
    return CONNECT(*arguments, factory=Hung, **words)


def fsync(file: int) -> None:
    wait()
    FSYNC(file)


def read_library(folder: Path) -> Any:
    while READS.exists():
        time.sleep(0.05)  # noqa: TID251
    return READ(folder)


async def recall(self: Leases) -> None:
    HANGS.touch()
    await RECALL(self)


if __name__ == "__main__":
    sqlite3.connect = connect  # type: ignore[assignment]
    os.fsync = fsync  # type: ignore[assignment]
    Leases.recall = recall  # type: ignore[method-assign]
    vars(library)["read_library"] = read_library
    from agent.cli import main

    sys.exit(main())

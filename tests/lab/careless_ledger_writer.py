"""The same program as ledger_writer, on a database that does not wait for its disk: a proof that the disk can tell."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from pathlib import Path
from typing import Any

from tests.lab import ledger_writer


class Careless(sqlite3.Connection):
    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        return super().execute(sql.replace("synchronous = FULL", "synchronous = OFF"), *arguments)


def careless(*arguments: Any, **words: Any) -> sqlite3.Connection:
    return CONNECT(*arguments, factory=Careless, **words)


CONNECT = sqlite3.connect

if __name__ == "__main__":
    sqlite3.connect = careless  # type: ignore[assignment]
    asyncio.run(ledger_writer.main(Path(sys.argv[1])))

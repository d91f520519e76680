"""A program that writes in a ledger until it is killed, and says what was acknowledged.

Several of its tasks write at once. Each line that it prints is the head or the command that an
acknowledged call had returned: `row 812:9f86…`, `intent 0123…`, `ended 0123…`.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from agent.clock import SystemClock
from agent.store import database as store
from agent.store.database import Database
from agent.store.entries import Stage
from tests.agent.ledger_bench import KIM, happening, ledger_of

TASKS = 20


async def main(folder: Path) -> None:
    async with Database(folder / store.NAME, SystemClock()) as database:
        ledger = ledger_of(database)
        await ledger.begin("bench-1")

        async def write(number: int) -> None:
            while True:
                say("row", await ledger.record(KIM, happening(number)))
                intent = await ledger.intend(KIM, "set", f"psu{number}.voltage", after=number)
                say("intent", intent.command)
                await ledger.sent_soon(intent)
                await ledger.ended(intent, Stage.CONFIRMED)
                say("ended", intent.command)

        async with asyncio.TaskGroup() as tasks:
            for number in range(TASKS):
                tasks.create_task(write(number))


def say(what: str, which: object) -> None:
    sys.stdout.write(f"{what} {which}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))

"""A process that writes in the ledger is killed at any moment, and nothing acknowledged is missing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from agent.store import database as store
from agent.store.chain import Head
from agent.store.database import reading
from agent.store.ledger import Ledger
from agent.store.rows import Row, Wanted, rows
from tests.agent.ledger_bench import opened, verdict_on

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]

KILLS = 6
MOST_LINES = 400


def acknowledged(folder: Path, lines: int) -> list[tuple[str, str]]:
    """Let a process write until it has said so many lines, kill it, and return all that it said."""
    command = [sys.executable, "-m", "tests.lab.ledger_writer", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        said += process.stdout.readlines()
    whole = [line for line in said if line.endswith("\n")]
    return [(words[0], words[1]) for words in map(str.split, whole) if len(words) == 2]


def all_rows(folder: Path) -> list[Row]:
    with reading(folder / store.NAME) as connection:
        return list(rows(connection))


def missing(said: list[tuple[str, str]], kept: list[Row]) -> list[tuple[str, str]]:
    """What was acknowledged, and is not among these rows."""
    stages = {(row.entry["stage"], row.entry["command"]) for row in kept if "stage" in row.entry}
    heads = {str(Head(row.seq, row.hash)) for row in kept}
    known = {
        "row": lambda which: which in heads,
        "intent": lambda which: ("intent", which) in stages,
        "ended": lambda which: ("confirmed", which) in stages,
    }
    return [(what, which) for what, which in said if not known[what](which)]


@pytest.mark.parametrize("seed", range(KILLS))
async def test_nothing_that_was_acknowledged_is_missing(tmp_path: Path, seed: int) -> None:
    said = []
    for lines in (1, Random(seed).randint(1, MOST_LINES)):  # the second finds what the first left
        said += await asyncio.to_thread(acknowledged, tmp_path, lines)
    kept = await asyncio.to_thread(all_rows, tmp_path)
    assert missing(said, kept) == []
    assert (await asyncio.to_thread(verdict_on, tmp_path)).findings == ()
    async with opened(tmp_path) as ledger:
        await every_command_has_one_end(ledger)
    assert (await asyncio.to_thread(verdict_on, tmp_path)).is_whole


async def every_command_has_one_end(ledger: Ledger) -> None:
    ends: dict[str, list[str]] = {}
    for row in await ledger.rows(Wanted(kind="command")):
        ends.setdefault(row.entry["command"], []).append(row.entry["stage"])
    finals = {
        command: [it for it in stages if it in {"confirmed", "unknown"}]
        for command, stages in ends.items()
    }
    assert {command: final for command, final in finals.items() if len(final) != 1} == {}
    unknown = {command for command, stages in ends.items() if stages[-1] == "unknown"}
    assert {it.command for it in await ledger.unsettled()} == unknown

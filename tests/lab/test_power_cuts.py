"""The power fails under a ledger, and under an agent with jobs: what was acknowledged is there."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from random import Random

import pytest

from agent.store.ledger_verify import Verdict
from agent.store.store_errors import NotRead
from benchmarks.crash import Lane, endure
from benchmarks.power import NoSuchDisk, Power
from benchmarks.power_cuts import powered
from tests.agent.ledger_bench import opened, verdict_on
from tests.lab.processes import child
from tests.lab.test_ledger_killed import all_rows, every_command_has_one_end, missing

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

CUTS = 4
MOST_LINES = 400
KEEPS_NOTHING = "13"
"""A seed whose cut no sector outlasts that was not synced."""


async def acknowledged(power: Power, program: str, lines: int, seed: str) -> list[tuple[str, str]]:
    """Let a program write until it has said so many lines, cut the power, and return all it said."""
    async with child(sys.executable, "-m", f"tests.lab.{program}", str(power.place)) as process:
        assert process.stdout is not None
        said = [await process.stdout.readline() for _ in range(lines)]
        await power.cut(process, seed)
        said += (await process.stdout.read()).splitlines(keepends=True)
    whole = [line.decode().split() for line in said if line.endswith(b"\n")]
    return [(words[0], words[1]) for words in whole]


async def verdict(power: Power) -> Verdict:
    return await asyncio.to_thread(verdict_on, power.place)


@pytest.mark.parametrize("seed", range(CUTS))
async def test_nothing_that_a_ledger_acknowledged_is_missing_after_a_power_cut(
    power: Power, seed: int
) -> None:
    said = []
    for lines in (1, Random(seed).randint(1, MOST_LINES)):  # the second finds what the first left
        said += await acknowledged(power, "ledger_writer", lines, f"{seed}.{lines}")
        assert missing(said, await asyncio.to_thread(all_rows, power.place)) == []
        assert (await verdict(power)).findings == ()
    async with opened(power.place) as ledger:
        await every_command_has_one_end(ledger)
    assert (await verdict(power)).is_whole


async def test_the_disk_finds_a_ledger_that_does_not_wait_for_it(power: Power) -> None:
    for seed in range(20):
        said = await acknowledged(power, "careless_ledger_writer", MOST_LINES, f"careless {seed}")
        try:
            if missing(said, await asyncio.to_thread(all_rows, power.place)):
                return
        except NotRead:  # all of it, or so much that it is no ledger any more
            return
    raise AssertionError("nothing was ever lost")


async def test_a_file_is_lost_that_was_written_and_not_synced(power: Power) -> None:
    write = "import os, sys, time; f = open(sys.argv[1], 'wb', 0); f.write(b'x' * 4096); {}"
    sync = "os.fsync(f.fileno()); os.fsync(os.open(os.path.dirname(sys.argv[1]), 0)); "
    for name, work in (("unsynced", ""), ("synced", sync)):
        program = write.format(f"{work}print('written', flush=True); time.sleep(60)")
        async with child(sys.executable, "-c", program, str(power.place / name)) as process:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"written\n"
            await power.cut(process, KEEPS_NOTHING)
    found = {it.name: it.read_bytes() for it in power.place.iterdir()}
    assert found.get("unsynced", b"") == b""
    assert found["synced"] == b"x" * 4096


async def test_after_each_power_cut_the_record_agrees_with_what_the_devices_were_told(
    power: Power,
) -> None:
    lane = Lane("test")  # on a disk of its own: that of the fixture has shown that there can be one
    await endure(lane, CUTS - 1, powered)
    assert lane.findings == []
    assert lane.kills == CUTS - 1
    assert lane.jobs > 0
    assert lane.commands > lane.jobs


async def test_a_disk_that_cannot_be_mounted_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(NoSuchDisk, match=r"a disk of our own needs .*fuse"):
        async with Power(tmp_path, tmp_path / "missing"):
            pass

"""What a ledger finds when it is opened again, and the head that is written beside it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.store import database as store
from agent.store.chain import Head
from agent.store.entries import (
    Stage,
)
from agent.store.head_file import NAME as HEAD_NAME
from agent.store.head_file import SECTOR, HeadFile
from agent.store.ledger import Ledger
from agent.store.store_errors import DiskFailed
from tests.agent.ledger_bench import KIM, LEE, happening, opened, verdict_on


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    async with opened(tmp_path) as found:
        yield found


async def test_what_the_end_of_the_agent_cut_off_is_unknown_at_the_next_start(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as ledger:
        done = await ledger.intend(KIM, "set", "oven1.setpoint", after=40.0, job="17")
        await ledger.ended(done, Stage.CONFIRMED)
        await ledger.intend(KIM, "set", "psu1.voltage", after=6.0)
        sent = await ledger.intend(LEE, "do", "stage1.home", job="17")
        await ledger.sent_soon(sent)
    async with opened(tmp_path) as ledger:
        waiting = await ledger.unsettled()
        assert [(it.device, it.stage, it.job) for it in waiting] == [
            ("psu1", "unknown", ""),
            ("stage1", "unknown", "17"),
        ]
        last = (await ledger.rows())[-1].entry
        assert (last["stage"], last["actor"]["origin"]) == ("unknown", "agent")
        assert last["reason"] == "the agent ended before this command did"
        rows = ledger.head.seq
    async with opened(tmp_path) as ledger:  # they are told of once
        assert ledger.head.seq == rows
        assert len(await ledger.unsettled()) == 2


async def test_the_head_beside_the_ledger_follows_it(tmp_path: Path) -> None:
    file = HeadFile(tmp_path / HEAD_NAME)
    async with opened(tmp_path) as ledger:
        for _ in range(3):
            await ledger.record(KIM, happening())
        head = ledger.head
    assert head.seq == 4
    assert await asyncio.to_thread(file.read) == head


def test_a_head_that_was_half_written_leaves_the_one_before(tmp_path: Path) -> None:
    file = HeadFile(tmp_path / HEAD_NAME)
    file.reset(Head(1, b"a" * 32))
    file.write(Head(2, b"b" * 32))
    file.write(Head(3, b"c" * 32))
    assert file.read() == Head(3, b"c" * 32)
    torn = bytearray(file.path.read_bytes())
    torn[10:SECTOR] = torn[SECTOR + 10 :]
    file.path.write_bytes(torn)
    assert file.read() == Head(2, b"b" * 32)


async def test_a_ledger_after_a_damaged_one_names_it_and_its_last_head(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await ledger.record(KIM, happening())
        lost = ledger.head
    (tmp_path / store.NAME).write_bytes(b"no database" * 1000)
    async with opened(tmp_path) as ledger:
        await ledger.record(KIM, happening())
        first = (await ledger.rows())[0].entry
    assert (first["kind"], first["action"], first["object"]) == ("ledger", "began", "bench-1")
    assert first["before"] == {"head": str(lost)}
    kept = first["after"]["follows"]
    found = hashlib.sha256((Path(kept["folder"]) / store.NAME).read_bytes()).hexdigest()
    assert kept["files"][store.NAME] == found
    verdict = await asyncio.to_thread(verdict_on, tmp_path)
    assert verdict.is_whole
    assert "the database before it was damaged: file is not a database" in verdict.notes[0]


async def test_a_ledger_that_was_deleted_is_missed(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await ledger.record(KIM, happening())
    (tmp_path / store.NAME).unlink()
    async with opened(tmp_path) as ledger:
        rows = await ledger.rows()
    assert [row.entry["action"] for row in rows] == ["began", "lacks"]
    assert rows[1].entry["reason"] == "rows 1 to 2 are missing at the end"


async def test_a_head_that_can_not_be_written_keeps_nobody_from_recording(
    ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "link").symlink_to("elsewhere")
    (tmp_path / "link").replace(tmp_path / HEAD_NAME)
    for number in range(3):
        await ledger.record(KIM, happening(number))
    await ledger.rows()
    assert ledger.head.seq == 4

    def said() -> int:
        return len([it for it in caplog.messages if "ledger.head can't be written" in it])

    async with asyncio.timeout(5):
        while not said():  # it is written when the ledger has been quiet for a moment
            await asyncio.sleep(0.01)
    assert said() == 1


async def test_a_head_that_can_not_be_read_at_the_start_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / HEAD_NAME).mkdir()
    with pytest.raises(DiskFailed, match=r"ledger\.head can't be used: Is a directory"):
        async with opened(tmp_path):
            pass


async def test_a_ledger_is_verified_while_an_agent_writes_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger, asyncio.TaskGroup() as tasks:
        for number in range(500):
            tasks.create_task(ledger.record(KIM, happening(number)))
        verdicts = [await asyncio.to_thread(verdict_on, tmp_path) for _ in range(5)]
    assert [verdict.findings for verdict in verdicts] == [()] * 5

"""The ledger: what a command, a job or a person did is on disk, in order, and stays as it is."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path
from random import Random

import pytest

from agent.store import database as store
from agent.store.chain import BEGINNING, Head
from agent.store.clock_sync import clock_synced
from agent.store.database import Connection, Database
from agent.store.entries import (
    AlarmEntry,
    ConfigEntry,
    Ending,
    EventEntry,
    JobEntry,
    Provenance,
    Stage,
    StepEntry,
)
from agent.store.ledger import Ledger
from agent.store.rows import Wanted
from agent.store.store_errors import BadEntry, WriteRefused
from tests.agent.ledger_bench import KIM, LEE, SetClock, happening, ledger_of, opened, verdict_on


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    async with opened(tmp_path) as found:
        yield found


def on_disk(folder: Path) -> list[tuple[int, bytes, str, bytes]]:
    """What another program finds in the ledger now."""
    with closing(sqlite3.connect(folder / store.NAME)) as connection:
        return list(connection.execute("SELECT * FROM ledger ORDER BY seq"))


async def stages(ledger: Ledger) -> list[str]:
    return [row.entry["stage"] for row in await ledger.rows(Wanted(kind="command"))]


async def test_an_intent_is_on_disk_when_the_gate_goes_on(ledger: Ledger, tmp_path: Path) -> None:
    intent = await ledger.intend(
        KIM, "set", "psu1.voltage", before=5.0, after=6.0, reason="warm-up", job="17"
    )
    seq, _, body, _ = on_disk(tmp_path)[-1]
    assert seq == 2
    assert json.loads(body) == {
        "utc": "2026-09-21T14:13:20.250000Z",
        "mono": 4711.5,
        "clock_synced": True,
        "boot_id": "a-boot",
        "software_version": "0.1.0",
        "config_hash": "c0ffee",
        "actor": {"name": "김하나", "role": "technician", "origin": "cli"},
        "kind": "command",
        "action": "set",
        "object": "psu1.voltage",
        "before": 5.0,
        "after": 6.0,
        "reason": "warm-up",
        "job": "17",
        "command": intent.command,
        "stage": "intent",
    }


async def test_each_row_is_chained_to_the_one_before_it(ledger: Ledger, tmp_path: Path) -> None:
    for number in range(3):
        await ledger.record(KIM, happening(number))
    previous = BEGINNING
    for number, (seq, prev_hash, body, hash_) in enumerate(on_disk(tmp_path), 1):
        assert (seq, prev_hash) == (number, previous)
        assert hash_ == hashlib.sha256(previous + body.encode()).digest()
        previous = hash_
    assert ledger.head == Head(4, previous)
    assert ledger.head.form() == {"seq": 4, "hash": previous.hex()}


async def test_rows_have_no_gaps_however_many_write_at_once(ledger: Ledger, tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as tasks:
        written = [tasks.create_task(ledger.record(KIM, happening(it))) for it in range(300)]
    assert sorted(task.result().seq for task in written) == list(range(2, 302))
    assert (await asyncio.to_thread(verdict_on, tmp_path)).is_whole


async def test_the_stages_of_a_command_share_its_id(ledger: Ledger) -> None:
    intent = await ledger.intend(KIM, "do", "psu1.ramp", after={"to": 5, "rate": 0.5})
    await ledger.sent_soon(intent)
    await ledger.ended(intent, Stage.CONFIRMED, after=5.0)
    rows = await ledger.rows(Wanted(device="psu1"))
    assert [row.entry["stage"] for row in rows] == ["intent", "sent", "confirmed"]
    assert {row.entry["command"] for row in rows} == {intent.command}
    assert [row.entry.get("after") for row in rows] == [{"to": 5, "rate": 0.5}, None, 5.0]


async def test_a_command_ends_once(ledger: Ledger) -> None:
    intent = await ledger.intend(KIM, "set", "psu1.voltage", after=6.0)
    await ledger.ended(intent, Stage.REFUSED, reason="99 V is above 16 V")
    with pytest.raises(WriteRefused, match=r"confirmed of command .* is not known, or has ended"):
        await ledger.ended(intent, Stage.CONFIRMED)
    with pytest.raises(WriteRefused):
        await ledger.sent_soon(intent)
    assert await stages(ledger) == ["intent", "refused"]


@pytest.mark.parametrize("stage", [Stage.CONFIRMED, Stage.REFUSED, Stage.FAILED])
async def test_a_known_end_leaves_nothing_to_settle(ledger: Ledger, stage: Ending) -> None:
    intent = await ledger.intend(KIM, "set", "psu1.voltage", after=6.0)
    await ledger.ended(intent, stage)
    assert await ledger.unsettled() == ()


async def test_an_unknown_end_blocks_until_somebody_settles_it(ledger: Ledger) -> None:
    intent = await ledger.intend(KIM, "set", "psu1.voltage", after=6.0)
    await ledger.sent_soon(intent)
    assert await ledger.unsettled() == ()  # it is under way
    await ledger.ended(intent, Stage.UNKNOWN, reason="no answer within 2 s")
    (waits,) = await ledger.unsettled()
    assert (waits.device, waits.target, waits.action) == ("psu1", "psu1.voltage", "set")
    assert (waits.command, waits.stage, waits.actor) == (intent.command, "unknown", "김하나")
    await ledger.settle(LEE, waits.command, reason="the display shows 6 V", after=6.0)
    assert await ledger.unsettled() == ()
    last = (await ledger.rows())[-1].entry
    assert (last["stage"], last["actor"]["name"], last["reason"], last["object"]) == (
        *("settled", "lee", "the display shows 6 V"),
        "psu1.voltage",
    )
    with pytest.raises(WriteRefused, match="waits for somebody to say how it ended"):
        await ledger.settle(LEE, waits.command, reason="again")


async def test_who_gives_up_before_the_intent_is_on_disk_has_sent_nothing(
    ledger: Ledger,
) -> None:
    asking = asyncio.get_running_loop().create_task(ledger.intend(KIM, "set", "psu1.voltage"))
    await asyncio.sleep(0)
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    await ledger.record(KIM, happening())
    assert await stages(ledger) == ["intent", "failed"]
    assert await ledger.unsettled() == ()


async def test_entries_of_every_kind_are_found_again(ledger: Ledger) -> None:
    await ledger.record(KIM, JobEntry(action="start", target="thermal_cycle", job="17"))
    await ledger.record(KIM, StepEntry(action="begin", target="set", job="17", step="2.1"))
    await ledger.record(KIM, EventEntry(action="device.lost", target="psu1", reason="unplugged"))
    await ledger.record(LEE, AlarmEntry(action="acknowledge", target="oven1.too_hot"))
    await ledger.record(LEE, ConfigEntry(action="change", target="log.level", before="info"))
    assert [row.entry["kind"] for row in await ledger.rows()] == [
        *("ledger", "job", "step", "event", "alarm", "config"),
    ]
    assert [row.seq for row in await ledger.rows(Wanted(job="17"))] == [2, 3]
    assert [row.seq for row in await ledger.rows(Wanted(actor="lee"))] == [5, 6]
    assert [row.seq for row in await ledger.rows(Wanted(device="oven1"))] == [5]
    assert [row.seq for row in await ledger.rows(Wanted(device="oven"))] == []
    assert [row.seq for row in await ledger.rows(Wanted(kind="config", last=3))] == [6]
    assert [row.seq for row in await ledger.rows(Wanted(last=2))] == [5, 6]


async def test_another_table_changes_with_its_entry_or_not_at_all(ledger: Ledger) -> None:
    def queued(connection: Connection) -> None:
        connection.execute("CREATE TABLE queue (job TEXT PRIMARY KEY)")
        connection.execute("INSERT INTO queue VALUES ('17')")

    def refused(connection: Connection) -> None:
        connection.execute("INSERT INTO queue VALUES ('17')")

    entry = JobEntry(action="submit", target="thermal_cycle", job="17")
    head = await ledger.record(KIM, entry, queued)
    with pytest.raises(WriteRefused, match="submit thermal_cycle by 김하나: UNIQUE"):
        await ledger.record(KIM, entry, refused)
    assert ledger.head == head
    assert (await ledger.record(KIM, entry)).seq == head.seq + 1


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), b"bytes", object(), {1: 2, "a": 3}, [{1}]]
)
async def test_what_has_no_form_in_json_is_refused_and_nothing_is_recorded(
    ledger: Ledger, value: object
) -> None:
    with pytest.raises(BadEntry, match="it can't be written as JSON"):
        await ledger.intend(KIM, "set", "psu1.voltage", after=value)  # type: ignore[arg-type]
    assert ledger.head.seq == 1
    assert await ledger.unsettled() == ()


async def test_whatever_a_device_writes_is_kept_as_it_was(ledger: Ledger) -> None:
    told = '\udcff\x00 \x1b[2J "quoted" \'; DROP TABLE ledger; -- 온도'
    await ledger.record(KIM, EventEntry(action="device.said", target="psu1", reason=told))
    assert (await ledger.rows())[-1].entry["reason"] == told


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        ("UPDATE ledger SET body = '{}' WHERE seq = 1", "append-only: write a new row"),
        ("DELETE FROM ledger WHERE seq = 1", "append-only: nothing is deleted"),
        ("DELETE FROM ledger", "append-only: nothing is deleted"),
        ("INSERT INTO ledger SELECT 9, prev_hash, body, hash FROM ledger", "has no gaps"),
        ("REPLACE INTO ledger SELECT * FROM ledger", "has no gaps"),
        ("INSERT INTO ledger SELECT 2, x'00', body, hash FROM ledger", "CHECK constraint"),
    ],
)
async def test_the_database_itself_refuses_to_change_a_row(
    ledger: Ledger, tmp_path: Path, tampering: str, said: str
) -> None:
    with closing(sqlite3.connect(tmp_path / store.NAME)) as connection:
        with pytest.raises(sqlite3.IntegrityError, match=said):
            connection.execute(tampering)


async def test_a_change_of_config_is_seen_in_every_later_row(ledger: Ledger) -> None:
    ledger.provenance = Provenance(boot_id="a-boot", software_version="0.1.0", config_hash="new")
    await ledger.record(KIM, happening())
    assert [row.entry["config_hash"] for row in await ledger.rows()] == ["c0ffee", "new"]


async def test_ids_of_commands_come_from_the_random_numbers_that_were_handed_in(
    tmp_path: Path,
) -> None:
    async with Database(tmp_path / store.NAME, SetClock()) as database:
        ledger = ledger_of(database)
        ledger._rng = Random(7)
        await ledger.begin("bench-1")
        intent = await ledger.intend(KIM, "set", "psu1.voltage")
    assert intent.command == f"{Random(7).getrandbits(64):016x}"


def test_the_kernel_says_whether_the_clock_is_in_step() -> None:
    assert clock_synced() in {True, False, None}

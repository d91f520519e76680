"""What the gate puts on record, and that nothing is sent which is not on record."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.fleet.samples import Cause, Outcome, Status
from agent.fleet.states import DeviceState
from agent.safety.ledger_record import LedgerRecord
from agent.store.database import NAME, Database
from agent.store.ledger_verify import verify
from tests.agent.bench import station_in_memory
from tests.agent.ledger_bench import SetClock, ledger_of
from tests.agent.record_bench import KIM, VISITOR, recorded

STAGES = ("intent", "sent", "confirmed")


async def test_a_setting_and_a_command_are_on_record_before_and_after(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        await it.gate.set(KIM, "psu1", "voltage", 5)
        await it.gate.do(KIM, "psu1", "ramp", {"to": 6.0})
        assert await it.stages() == [
            *((f"psu1.{name}", stage) for name in ("voltage", "ramp") for stage in STAGES),
        ]
        first = next(row.entry for row in await it.ledger.rows() if row.entry["kind"] == "command")
        assert first["actor"] == {"name": "kim", "role": "technician", "origin": "cli"}
        assert (first["before"], first["after"]) == (0.0, 5.0)
    verdict = await asyncio.to_thread(verify, tmp_path / NAME)
    assert not verdict.findings


async def test_nothing_is_sent_before_the_intent_is_on_the_disk(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it, asyncio.TaskGroup() as tasks:
        it.record.let_go.clear()
        setting = tasks.create_task(it.gate.set(KIM, "psu1", "voltage", 5))
        await it.until_stage("intent")
        assert not it.orders()
        it.record.let_go.set()
        assert (await setting).status is Status.DONE
        assert it.orders() == ["volt 5"]


async def test_what_is_stopped_while_the_disk_is_slow_is_not_sent_later(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it, asyncio.TaskGroup() as tasks:
        it.record.let_go.clear()
        setting = tasks.create_task(it.gate.set(KIM, "psu1", "output", True))
        await it.until_stage("intent")
        assert (await it.gate.stop(KIM, "psu1")).status is Status.DONE
        it.record.let_go.set()
        outcome = await setting
        assert outcome.status is Status.REFUSED
        assert "psu1 was stopped before anything was sent" in outcome.message
        assert "outp 1" not in it.orders()


async def test_a_ledger_that_was_never_opened_keeps_everything_from_being_sent_but_stops(
    tmp_path: Path,
) -> None:
    async with Database(tmp_path / NAME, SetClock()) as database:
        ledger = ledger_of(database)
        clock = SetClock()
        async with station_in_memory(record=lambda it: LedgerRecord(ledger, it, clock)) as bench:
            gate, toy = bench.station.gate, bench.simulators["psu1"]
            outcome = await gate.set(KIM, "psu1", "voltage", 5)
            assert (outcome.status, outcome.cause) == (Status.FAILED, Cause.NOT_RECORDED)
            assert outcome.message == (
                "the ledger was not opened; nothing was sent: what is not on record is not done"
            )
            assert not [line for line in toy.asked if line.startswith("volt ")]
            settled = await gate.settle(KIM, "psu1", "looked")
            assert (settled.status, settled.cause) == (Status.FAILED, Cause.NOT_RECORDED)
            assert settled.message == "the ledger was not opened; psu1 stays as it is"
            assert (await gate.stop(KIM, "psu1")).status is Status.DONE


async def test_a_caller_who_goes_away_leaves_no_command_without_an_end(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it, asyncio.TaskGroup() as tasks:
        ramp = tasks.create_task(it.gate.do(KIM, "psu1", "ramp", {"to": 5.0, "seconds": 0.2}))
        await it.bench.until_state("psu1", DeviceState.BUSY)
        ramp.cancel()
        await it.until_stage("confirmed")
        assert await it.stages() == [("psu1.ramp", stage) for stage in STAGES]


async def test_an_unknown_outcome_blocks_the_device_until_a_person_has_looked(
    tmp_path: Path,
) -> None:
    async with recorded(tmp_path) as it:
        assert (await it.ramp_into_the_unknown()).status is Status.UNKNOWN
        refused = await it.gate.set(KIM, "psu1", "voltage", 5)
        assert (refused.status, refused.cause) == (Status.REFUSED, Cause.BLOCKED)
        assert refused.message == (
            "psu1 is blocked: nobody knows how `do psu1.ramp` of kim ended. Look at the device, "
            'then `labkeeper settle psu1 --reason "…"`, or stop it'
        )
        off = await it.gate.set(KIM, "psu1", "output", False)
        assert off.status is Status.DONE
        denied = await it.gate.settle(VISITOR, "psu1", "never mind")
        assert denied.cause is Cause.NOT_ALLOWED
        settled = await it.gate.settle(KIM, "psu1", "it stands at 0 V")
        assert settled.message == "psu1: 1 settled"
        assert (await it.gate.set(KIM, "psu1", "voltage", 5)).status is Status.DONE
        assert ("psu1.ramp", "settled") in await it.stages()


async def test_a_confirmed_stop_unblocks_the_device(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it, asyncio.TaskGroup() as tasks:
        ramp = tasks.create_task(it.gate.do(KIM, "psu1", "ramp", {"to": 5.0, "seconds": 1.0}))
        await it.bench.until_state("psu1", DeviceState.BUSY)
        assert (await it.gate.stop(KIM, "psu1")).status is Status.DONE
        assert (await ramp).status is Status.UNKNOWN
        assert (await it.gate.set(KIM, "psu1", "voltage", 5)).status is Status.DONE
        assert ("psu1.ramp", "settled") in await it.stages()


async def test_a_setting_of_unknown_outcome_is_settled_by_reading_it_back(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        async with asyncio.TaskGroup() as tasks:
            it.toy.delay = 0.05
            setting = tasks.create_task(it.gate.set(KIM, "psu1", "voltage", 5))
            async with asyncio.timeout(3):
                while "volt 5" not in it.toy.asked:
                    await asyncio.sleep(0.001)
            it.toy.unplugged = True
        assert setting.result().status is Status.UNKNOWN
        it.toy.unplugged, it.toy.delay = False, 0.0
        await it.bench.until_state("psu1", DeviceState.READY)
        await it.until_stage("settled")
        assert (await it.gate.set(KIM, "psu1", "voltage", 6)).status is Status.DONE
        assert ("psu1.voltage", "settled") in await it.stages()


async def test_an_agent_that_starts_anew_knows_what_it_does_not_know(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        await it.ramp_into_the_unknown()
    async with recorded(tmp_path) as it:
        refused = await it.gate.do(KIM, "psu1", "ramp", {"to": 1.0})
        assert refused.cause is Cause.BLOCKED
        assert await it.gate.settle(KIM, "psu1", "looked") == Outcome(
            status=Status.DONE, message="psu1: 1 settled"
        )


@pytest.mark.parametrize("device", ["psu1", "psu9"])
async def test_what_is_not_blocked_has_nothing_to_settle(device: str) -> None:
    async with station_in_memory() as bench:
        outcome = await bench.station.gate.settle(KIM, device, "looked")
        expected = "psu1 has nothing to settle" if device == "psu1" else "no device is called psu9"
        assert expected in outcome.message


async def test_two_at_once_after_a_read_back_settle_it_once_and_both_are_done(
    tmp_path: Path,
) -> None:
    async with recorded(tmp_path) as it:
        await it.unknown()
        await it.read_anew()
        both = await asyncio.gather(
            it.gate.set(KIM, "psu1", "voltage", 5), it.gate.set(KIM, "psu1", "voltage", 5)
        )
        assert [outcome.status for outcome in both] == [Status.DONE, Status.DONE]
        assert (await it.stages()).count(("psu1.voltage", "settled")) == 1


async def test_a_defect_of_the_record_ends_the_command_and_not_the_station(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        it.record.defect = RuntimeError("a defect")
        outcome = await it.gate.set(KIM, "psu1", "voltage", 5)
        assert outcome.status is Status.UNKNOWN
        assert "an error of the agent, RuntimeError('a defect')" in outcome.message
        it.record.defect = None
        assert (await it.gate.set(KIM, "psu1", "voltage", 5)).status is Status.DONE

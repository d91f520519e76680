"""What the gate puts on record, and that nothing is sent which is not on record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from agent.clock import SystemClock
from agent.fleet.samples import Cause, Outcome, Status
from agent.fleet.states import DeviceState
from agent.roles import Actor
from agent.safety.record import LedgerRecord, Unwritable
from agent.store.database import NAME, Database
from agent.store.entries import Provenance
from agent.store.ledger import Ledger
from agent.store.ledger_verify import verify
from drivers import Role
from tests.agent.bench import Bench, station_in_memory

KIM = Actor(name="kim", origin="cli", role=Role.TECHNICIAN)
VISITOR = Actor(name="visitor", origin="api", role=Role.OBSERVER)


class Held(LedgerRecord):
    """A record whose disk takes nothing until it is let go."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.let_go = asyncio.Event()
        self.let_go.set()
        self.defect: Exception | None = None

    async def intend(self, actor: Actor, verb: str, target: str, after: Any) -> Any:
        if self.defect is not None:
            raise self.defect
        intent = await super().intend(actor, verb, target, after)
        await self.let_go.wait()
        return intent


class Recorded:
    """A station whose gate has a ledger in a folder of the test."""

    def __init__(self, bench: Bench, ledger: Ledger, record: Held) -> None:
        self.bench, self.ledger, self.record = bench, ledger, record
        self.gate, self.toy = bench.station.gate, bench.simulators["psu1"]

    async def stages(self) -> list[tuple[str, str]]:
        """Target and stage of each command's entries, in order."""
        rows = [row.entry for row in await self.ledger.rows()]
        return [(it["object"], it["stage"]) for it in rows if it["kind"] == "command"]

    async def until_stage(self, stage: str) -> None:
        async with asyncio.timeout(3):
            while stage not in [found for _, found in await self.stages()]:
                await asyncio.sleep(0.01)

    def orders(self) -> list[str]:
        """What the device was told, in order; questions are left out."""
        return [line for line in self.toy.asked if not line.endswith("?")]

    async def ramp_into_the_unknown(self) -> Outcome:
        """A command that the link's end cuts off."""
        async with asyncio.TaskGroup() as tasks:
            ramp = tasks.create_task(self.gate.do(KIM, "psu1", "ramp", {"to": 5.0, "seconds": 0.3}))
            await self.bench.until_state("psu1", DeviceState.BUSY)
            self.toy.unplugged = True
        self.toy.unplugged = False
        await self.bench.until_state("psu1", DeviceState.READY)
        return ramp.result()


@asynccontextmanager
async def recorded(folder: Path) -> AsyncIterator[Recorded]:
    clock = SystemClock()
    async with Database(folder / NAME, clock) as database:
        ledger = Ledger(
            database,
            clock=clock,
            rng=Random(),
            provenance=Provenance(boot_id="b", software_version="0", config_hash="c"),
            is_clock_synced=lambda: None,
        )
        await ledger.begin("bench-1")
        async with station_in_memory(record=lambda board: Held(ledger, board, clock)) as bench:
            record = bench.record
            assert isinstance(record, Held)
            await record.begin()
            yield Recorded(bench, ledger, record)


async def test_a_setting_and_a_command_are_on_record_before_and_after(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        await it.gate.set(KIM, "psu1", "voltage", 5)
        await it.gate.do(KIM, "psu1", "ramp", {"to": 6.0})
        assert await it.stages() == [
            ("psu1.voltage", "intent"),
            ("psu1.voltage", "confirmed"),
            ("psu1.ramp", "intent"),
            ("psu1.ramp", "confirmed"),
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


async def test_a_disk_that_takes_nothing_keeps_everything_from_being_sent_but_stops() -> None:
    async with station_in_memory(record=lambda _: Unwritable("the disk is full")) as bench:
        outcome = await bench.station.gate.set(KIM, "psu1", "voltage", 5)
        assert (outcome.status, outcome.cause) == (Status.FAILED, Cause.NOT_RECORDED)
        assert outcome.message == (
            "the disk is full; nothing was sent: what is not on record is not done"
        )
        assert not [line for line in bench.simulators["psu1"].asked if line.startswith("volt ")]
        assert (await bench.station.gate.stop(KIM, "psu1")).status is Status.DONE


async def test_a_caller_who_goes_away_leaves_no_command_without_an_end(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it, asyncio.TaskGroup() as tasks:
        ramp = tasks.create_task(it.gate.do(KIM, "psu1", "ramp", {"to": 5.0, "seconds": 0.2}))
        await it.bench.until_state("psu1", DeviceState.BUSY)
        ramp.cancel()
        await it.until_stage("confirmed")
        assert await it.stages() == [("psu1.ramp", "intent"), ("psu1.ramp", "confirmed")]


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
        await it.until_stage("settled")
        assert (await it.gate.set(KIM, "psu1", "voltage", 5)).status is Status.DONE


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
        read = it.bench.station.clock.utc()
        await it.bench.until("psu1", lambda at: at.samples["voltage"].time > read)
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
        intent = await it.record.intend(KIM, "set", "psu1.voltage", 3.0)
        await it.record.ended(intent, Outcome(status=Status.UNKNOWN, message="cut off"))
        read = it.bench.station.clock.utc()
        await it.bench.until("psu1", lambda at: at.samples["voltage"].time > read)
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

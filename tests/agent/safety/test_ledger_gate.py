"""That the ledger gives a gate what it needs: an intent before the first byte, and one end for each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.fleet.samples import Outcome, Status
from agent.store import database as store
from agent.store.database import Database
from agent.store.entries import Ending, Stage, Who
from agent.store.ledger import Ledger
from agent.store.rows import Wanted
from agent.store.store_errors import DiskFull, NotRecorded
from tests.agent.ledger_bench import KIM, LEE, SetClock, ledger_of
from tests.agent.store.test_database import Failing

ENDS: dict[Status, Ending] = {
    Status.DONE: Stage.CONFIRMED,
    Status.REFUSED: Stage.REFUSED,
    Status.FAILED: Stage.FAILED,
    Status.UNKNOWN: Stage.UNKNOWN,
}


class Device:
    """Takes settings, and answers as it was told to."""

    def __init__(self) -> None:
        self.values: list[object] = []
        self.outcome = Outcome(status=Status.DONE, value=6.0)

    async def set(self, value: object) -> Outcome:
        self.values.append(value)
        return self.outcome


class LittleGate:
    """The part of a gate that has to do with the ledger, and nothing else of it."""

    def __init__(self, ledger: Ledger, device: Device) -> None:
        self.ledger, self.device = ledger, device

    async def set(self, who: Who, target: str, value: float) -> Outcome:
        blocked = {command.device for command in await self.ledger.unsettled()}
        if target.partition(".")[0] in blocked:
            return Outcome(status=Status.REFUSED, message="how the last command ended is unknown")
        try:
            intent = await self.ledger.intend(who, "set", target, after=value)
        except NotRecorded as error:
            return Outcome(status=Status.FAILED, message=f"nothing was sent: {error}")
        await self.ledger.sent_soon(intent)
        outcome = await self.device.set(value)
        end = ENDS[outcome.status]
        await self.ledger.ended(intent, end, after=outcome.value, reason=outcome.message)
        return outcome


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(tmp_path / store.NAME, SetClock()) as found:
        yield found


@pytest.fixture
async def gate(database: Database) -> LittleGate:
    ledger = ledger_of(database)
    await ledger.begin("bench-1")
    return LittleGate(ledger, Device())


async def stages(gate: LittleGate) -> list[str]:
    return [row.entry["stage"] for row in await gate.ledger.rows(Wanted(kind="command"))]


@pytest.mark.parametrize("status", Status)
async def test_every_outcome_has_its_end(gate: LittleGate, status: Status) -> None:
    gate.device.outcome = Outcome(status=status, message="why")
    await gate.set(KIM, "psu1.voltage", 6.0)
    assert await stages(gate) == ["intent", "sent", ENDS[status]]


async def test_nothing_is_sent_that_is_not_on_record(gate: LittleGate, database: Database) -> None:
    failing = Failing(database._writing, "COMMIT", "SQLITE_FULL")
    database._writing = failing  # type: ignore[assignment]
    outcome = await gate.set(KIM, "psu1.voltage", 6.0)
    assert gate.device.values == []
    assert outcome.status is Status.FAILED
    assert outcome.message.startswith(
        "nothing was sent: not recorded: set psu1.voltage by 김하나 (intent): the disk is full"
    )


async def test_an_end_that_was_not_recorded_leaves_the_device_to_be_settled(
    gate: LittleGate, database: Database
) -> None:
    real = database._writing

    class LastStraw(Device):
        async def set(self, value: object) -> Outcome:
            database._writing = Failing(real, "COMMIT", "SQLITE_FULL")  # type: ignore[assignment]
            return await super().set(value)

    gate.device = LastStraw()
    with pytest.raises(DiskFull):
        await gate.set(KIM, "psu1.voltage", 6.0)
    database._writing = real
    (waits,) = await gate.ledger.unsettled()
    assert (waits.device, waits.stage) == ("psu1", "sent")
    await gate.ledger.settle(LEE, waits.command, reason="the display shows 6 V")
    assert await gate.ledger.unsettled() == ()


async def test_a_device_of_unknown_state_is_left_alone_until_it_is_settled(
    gate: LittleGate,
) -> None:
    gate.device.outcome = Outcome(status=Status.UNKNOWN)
    await gate.set(KIM, "psu1.voltage", 6.0)
    assert (await gate.set(KIM, "psu1.output", 1)).status is Status.REFUSED
    gate.device.outcome = Outcome(status=Status.DONE)
    assert (await gate.set(KIM, "oven1.setpoint", 40.0)).status is Status.DONE
    (waits,) = await gate.ledger.unsettled()
    await gate.ledger.settle(LEE, waits.command, reason="the display shows 5 V")
    assert (await gate.set(KIM, "psu1.voltage", 6.0)).status is Status.DONE
    assert gate.device.values == [6.0, 40.0, 6.0]

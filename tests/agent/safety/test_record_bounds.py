"""A disk that hangs, is full or is slow: what it keeps back, for how long, and what it does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.fleet.samples import Cause, Outcome, Status
from agent.safety import ledger_record, owed, passage, settling
from tests.agent.record_bench import KIM, UNKNOWN, Recorded, recorded


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """All bounds as they are, but shorter."""
    monkeypatch.setattr(passage, "SEND_WITHIN_S", 0.8)
    monkeypatch.setattr(passage, "STOP_RECORD_WAITS_S", 0.3)
    monkeypatch.setattr(ledger_record, "OFF_WITHIN_S", 0.1)
    monkeypatch.setattr(ledger_record, "TOLD_WITHIN_S", 0.2)
    monkeypatch.setattr(settling, "SETTLED_WITHIN_S", 0.8)
    monkeypatch.setattr(owed, "AGAIN_S", 0.05)


async def stages_of(it: Recorded, target: str) -> list[str]:
    return [stage for found, stage in await it.stages() if found == target]


async def test_what_a_hanging_disk_has_kept_for_too_long_is_never_sent(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        with it.hung_disk():
            async with asyncio.timeout(4):
                outcome = await it.gate.set(KIM, "psu1", "voltage", 5)
            assert (outcome.status, outcome.cause) == (Status.FAILED, Cause.NOT_RECORDED)
            assert "not sent: the disk had not taken it within 0.8 s" in outcome.message
        await it.until_stage("failed")
        assert await stages_of(it, "psu1.voltage") == ["intent", "failed"]
        assert it.orders() == []


async def test_an_intent_that_comes_back_too_late_is_not_sent_any_more(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it, asyncio.TaskGroup() as tasks:
        it.record.let_go.clear()
        setting = tasks.create_task(it.gate.set(KIM, "psu1", "voltage", 5))
        await it.until_stage("intent")
        await asyncio.sleep(0.9)
        it.record.let_go.set()
        outcome = await setting
        assert (outcome.status, outcome.cause) == (Status.REFUSED, Cause.NOT_RECORDED)
        assert "psu1.voltage was not sent: the disk took " in outcome.message
        assert await stages_of(it, "psu1.voltage") == ["intent", "refused"]
        assert it.orders() == []


async def test_an_output_is_switched_off_although_the_disk_hangs_and_is_on_record_later(
    tmp_path: Path,
) -> None:
    async with recorded(tmp_path) as it:
        await it.gate.set(KIM, "psu1", "output", True)
        with it.hung_disk():
            async with asyncio.timeout(4):
                outcome = await it.gate.set(KIM, "psu1", "output", False)
            assert outcome.status is Status.DONE
            assert it.orders() == ["outp 1", "outp 0"]
        async with asyncio.timeout(3):
            while len(await stages_of(it, "psu1.output")) < 6:
                await asyncio.sleep(0.01)
        assert await stages_of(it, "psu1.output") == ["intent", "sent", "confirmed"] * 2


async def test_an_output_is_switched_off_although_the_disk_is_full_and_is_on_record_later(
    tmp_path: Path,
) -> None:
    async with recorded(tmp_path) as it:
        await it.gate.set(KIM, "psu1", "output", True)
        with it.full_disk():
            refused = await it.gate.set(KIM, "psu1", "voltage", 5)
            assert refused.cause is Cause.NOT_RECORDED
            assert (await it.gate.set(KIM, "psu1", "output", False)).status is Status.DONE
            assert it.orders() == ["outp 1", "outp 0"]
        late = await it.until_entry("set.done")
        assert (late["object"], late["after"], late["actor"]["name"]) == (
            *("psu1.output", False),
            "kim",
        )
        assert late["reason"] == "sent before it was on record."


@pytest.mark.parametrize("told_s", [0.2, 5.0])
async def test_an_off_whose_intent_the_disk_refuses_after_it_was_sent_is_on_record_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told_s: float
) -> None:
    monkeypatch.setattr(ledger_record, "TOLD_WITHIN_S", told_s)
    async with recorded(tmp_path) as it, asyncio.TaskGroup() as tasks:
        await it.gate.set(KIM, "psu1", "output", True)
        with it.disk_that_hangs_and_fails():
            off = tasks.create_task(it.gate.set(KIM, "psu1", "output", False))
            async with asyncio.timeout(3):
                while not (off.done() if told_s < 1 else it.record.has_ended):
                    await asyncio.sleep(0.01)
            assert it.orders() == ["outp 1", "outp 0"]
        assert (await off).status is Status.DONE
        late = await it.until_entry("set.done")
        assert (late["object"], late["after"]) == ("psu1.output", False)
        assert late["reason"] == "sent before it was on record."
        await it.record.noted(KIM, "a later entry", "psu1", "")
        assert len(await it.entries("set.done")) == 1
        assert await stages_of(it, "psu1.output") == ["intent", "sent", "confirmed"]


async def test_what_is_owed_when_the_agent_ends_is_tried_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owed, "AGAIN_S", 1000.0)
    async with recorded(tmp_path) as it:
        with it.full_disk():
            assert (await it.gate.stop(KIM, "psu1")).status is Status.DONE
            async with asyncio.timeout(3):
                while not it.record._owed._works:
                    await asyncio.sleep(0.01)
    async with recorded(tmp_path) as it:
        assert [entry["after"] for entry in await it.entries("stop")] == ["done"]


async def test_an_output_is_switched_off_while_the_record_of_a_stop_hangs(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        with it.hung_disk():
            assert (await it.gate.stop(KIM, "psu1")).status is Status.DONE
            async with asyncio.timeout(4):
                off = await it.gate.set(KIM, "psu1", "output", False)
                refused = await it.gate.set(KIM, "psu1", "voltage", 5)
            assert off.status is Status.DONE
            assert refused.cause is Cause.NOT_RECORDED
        await it.until_entry("stop")


async def test_a_stop_is_on_record_although_something_asked_before_it_does_not_end(
    tmp_path: Path,
) -> None:
    async with recorded(tmp_path) as it, asyncio.TaskGroup() as tasks:
        it.record.let_go.clear()
        setting = tasks.create_task(it.gate.set(KIM, "psu1", "output", True))
        await it.until_stage("intent")
        assert (await it.gate.stop(KIM, "psu1")).status is Status.DONE
        assert (await it.until_entry("stop"))["after"] == "done"
        it.record.let_go.set()
        assert (await setting).status is Status.REFUSED


async def test_an_end_that_the_disk_did_not_take_is_written_when_it_does(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it, asyncio.TaskGroup() as tasks:
        ramp = tasks.create_task(it.gate.do(KIM, "psu1", "ramp", {"to": 5.0, "seconds": 0.2}))
        await it.until_stage("sent")
        with it.full_disk():
            assert (await ramp).status is Status.DONE
            assert await stages_of(it, "psu1.ramp") == ["intent", "sent"]
        await it.until_stage("confirmed")
        assert await it.ledger.unsettled() == ()


async def test_a_stop_that_the_disk_did_not_take_is_written_when_it_does(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        with it.full_disk():
            assert (await it.gate.stop(KIM, "psu1")).status is Status.DONE
            refused = await it.gate.set(KIM, "psu1", "voltage", 5)  # waits for that record
            assert refused.cause is Cause.NOT_RECORDED
            assert await it.entries("stop") == []
        assert (await it.until_entry("stop"))["after"] == "done"


async def test_a_value_that_json_can_not_hold_does_not_keep_a_command_from_ending(
    tmp_path: Path,
) -> None:
    async with recorded(tmp_path) as it:
        intent = await it.intended("do", "psu1.ramp")
        done = Outcome(status=Status.DONE, value=float("nan"), message="reached")
        await it.record.ended(intent, done)
        assert await stages_of(it, "psu1.ramp") == ["intent", "confirmed"]
        (_, end) = await it.entries("do")
        assert end["reason"].startswith("reached (its value is left out: not recorded: it can't")


async def test_a_person_settles_what_is_just_being_written(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it, asyncio.TaskGroup() as tasks:
        intent = await it.intended("do", "psu1.ramp")
        with it.hung_disk():
            ending = tasks.create_task(it.record.ended(intent, UNKNOWN))
            settled = tasks.create_task(it.gate.settle(KIM, "psu1", "it stands at 0 V"))
            await asyncio.sleep(0.05)
            assert it.record.doubted("psu1")
        assert (await settled).message == "psu1: 1 settled"
        await ending
        assert await stages_of(it, "psu1.ramp") == ["intent", "unknown", "settled"]
        assert it.gate.doubts == {}


async def test_a_person_hears_in_time_that_a_hanging_disk_takes_no_word_of_theirs(
    tmp_path: Path,
) -> None:
    async with recorded(tmp_path) as it:
        await it.ramp_into_the_unknown()
        with it.hung_disk():
            async with asyncio.timeout(4):
                outcome = await it.gate.settle(KIM, "psu1", "it stands at 0 V")
            assert (outcome.status, outcome.cause) == (Status.FAILED, Cause.NOT_RECORDED)
            assert outcome.message.startswith("psu1 is not settled: the disk had not taken it")
            assert it.record.doubted("psu1")
        assert (await it.gate.settle(KIM, "psu1", "it stands at 0 V")).status is Status.DONE
        assert (await it.gate.set(KIM, "psu1", "voltage", 5)).status is Status.DONE

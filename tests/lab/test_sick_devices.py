"""Devices whose answers come late, cut, spoilt or not at all: no wrong value, nothing done twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from agent.fleet.samples import Cause, Outcome, Status
from agent.fleet.states import DeviceState
from simulators.faults import Disconnect, Fault
from tests.lab.sick_bench import History, Patient, Ward, ward

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]

WAYS: Final = (
    ("siglent.spd1000x", "tcp"),
    ("siglent.spd1000x", "serial"),
    ("keysight.34460a", "tcp"),
    ("autonics.tk4", "modbus+tcp"),
    ("autonics.tk4", "modbus+rtu"),
    ("printers.marlin", "serial"),
    ("motion.grbl", "serial"),
)
every_way = pytest.mark.parametrize(("name", "scheme"), WAYS)

SETTINGS: Final = {
    "siglent.spd1000x": ("voltage", 5.0),
    "autonics.tk4": ("setpoint", 51.5),
    "printers.marlin": ("bed_target", 47.0),
}
writing_ways = pytest.mark.parametrize(
    ("name", "scheme"), [(name, scheme) for name, scheme in WAYS if name in SETTINGS]
)
QUIET: Final[dict[str, Any]] = {"periods": {}}
"""A plan that polls nothing, so that a test knows every byte."""


@pytest.fixture
async def patient(name: str, scheme: str, tmp_path: Path) -> AsyncIterator[Patient]:
    made = Patient(name, scheme, tmp_path)
    async with made.server:
        yield made


@every_way
async def test_replies_that_are_late_lost_or_cut_anywhere_make_no_wrong_value(
    patient: Patient,
) -> None:
    history = History(patient)
    late = patient.bench.quick["first_byte"] + 0.05
    faults = [Fault(kind="delay", next=1, seconds=late), Fault(kind="lose", next=1)]
    faults += [Fault(kind="cut", next=1, keep=keep) for keep in (0, 1, 2, 5, 8)]
    async with ward(patient.plan()) as made:
        for step, fault in enumerate(faults, 1):
            await made.until_state(patient, DeviceState.READY)
            fired = sum(patient.server.faults.counts.values())
            patient.server.faults.add(fault)
            while sum(patient.server.faults.counts.values()) == fired:
                history.stir(step)
                await asyncio.sleep(0.02)
            history.stir(step + len(faults))
        patient.server.faults.clear()
        await made.until_state(patient, DeviceState.READY)
    assert not history.wrong(made)
    assert history.judged > len(faults)


@every_way
async def test_a_hung_device_is_asked_once_more_then_left_with_growing_pauses_and_said_once(
    patient: Patient,
) -> None:
    async with ward(patient.plan(first_retry=0.05, most_retry=0.4)) as made:
        await made.until_state(patient, DeviceState.READY)
        patient.server.faults.hang()
        lost = await made.until_state(patient, DeviceState.OFFLINE)
        assert {sample.quality for sample in lost.samples.values()} <= {"stale", "bad"}
        heard = len(patient.log.connections)
        await made.until(patient, lambda _: len(patient.log.connections) > heard + 1)
        assert len(made.said("device.offline", patient)) == 1
        outcome = await made.worker(patient).stop()
        assert (outcome.status, outcome.cause) == (Status.FAILED, Cause.NOT_SENT)
        patient.server.faults.clear()
        back = await made.until_state(patient, DeviceState.READY)
        assert "good" in {sample.quality for sample in back.samples.values()}
        assert len(made.said("device.connected", patient)) == 2


@dataclass
class Cut:
    """What came of a setting that was cut off at one byte."""

    at: int
    outcome: Outcome
    carried: bool
    told_again: bool


@writing_ways
async def test_a_cable_that_is_pulled_at_any_byte_of_a_command_makes_no_false_promise(
    patient: Patient, name: str
) -> None:
    async with ward(patient.plan(**QUIET)) as made:
        cuts = [cut async for cut in _cuts(made, patient, name)]
    assert len(cuts) > 8
    for cut in cuts:
        if cut.carried:
            assert cut.outcome.status in {Status.UNKNOWN, Status.DONE}, cut
        if cut.outcome.cause is Cause.NOT_SENT:
            assert not cut.carried, cut
    assert {cut.outcome.status for cut in cuts} >= {Status.UNKNOWN, Status.DONE}
    assert not any(cut.told_again for cut in cuts)


async def _cuts(made: Ward, patient: Patient, name: str) -> AsyncIterator[Cut]:
    """Pull the cable one byte later each time, until the request no longer meets the cut."""
    reading, value = SETTINGS[name]
    for at in range(1, 200):
        await made.until_state(patient, DeviceState.READY)
        patient.bench.stir(at)
        said = len(made.said("device.offline", patient))
        patient.server.faults.strike(Disconnect(), at)
        outcome = await made.worker(patient).set(reading, value)
        carried = patient.bench.truth()[reading] == value
        if outcome.status is Status.DONE:
            yield Cut(at, outcome, carried, told_again=False)
            return
        async with asyncio.timeout(10.0):
            while len(made.said("device.offline", patient)) == said:
                await asyncio.sleep(0.005)
        await made.until_state(patient, DeviceState.READY)
        told_again = any(_has_write(patient, name, said) for said in patient.log.since())
        yield Cut(at, outcome, carried, told_again)


def _has_write(patient: Patient, name: str, message: bytes) -> bool:
    return b"M140" in message if "marlin" in name else patient.bench.writes([message]) > 0


@writing_ways
async def test_a_cable_that_is_pulled_in_mid_reply_leaves_the_outcome_unknown(
    patient: Patient, name: str
) -> None:
    reading, value = SETTINGS[name]
    async with ward(patient.plan(**QUIET)) as made:
        for keep in (0, 1, 3):
            await made.until_state(patient, DeviceState.READY)
            patient.bench.stir(keep)
            _spoil_the_reply_to_the_write(patient, reading, value, keep)
            outcome = await made.worker(patient).set(reading, value)
            assert outcome.status is Status.UNKNOWN, (keep, outcome)
            assert patient.bench.truth()[reading] == value
            await made.until_state(patient, DeviceState.OFFLINE, DeviceState.CONNECTING)


def _spoil_the_reply_to_the_write(patient: Patient, reading: str, value: object, keep: int) -> None:
    def cut() -> None:
        if patient.bench.truth()[reading] == value:
            patient.log.acted = lambda: None
            patient.server.faults.add(Fault(kind="disconnect", next=1, keep=keep))

    patient.log.acted = cut

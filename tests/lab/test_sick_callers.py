"""Callers who give up, and replies that are lost: whoever asks next gets his own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest

from agent.fleet.samples import Status
from agent.fleet.states import DeviceState
from drivers.errors import DriverError, LinkError
from simulators.faults import Fault
from tests.lab.sick_bench import History, Patient, Ward, ward

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]

WAYS: Final = (
    ("siglent.spd1000x", "serial"),
    ("autonics.tk4", "modbus+rtu"),
    ("printers.marlin", "serial"),
    ("motion.grbl", "serial"),
)
SETTINGS: Final = {
    "siglent.spd1000x": ("voltage", 5.0),
    "autonics.tk4": ("setpoint", 51.5),
    "printers.marlin": ("bed_target", 47.0),
}
QUERIES: Final = {
    ("siglent.spd1000x", "tcp"): ("measured_voltage", b"MEAS:VOLT? CH1"),
    ("siglent.spd1000x", "serial"): ("measured_voltage", b"MEAS:VOLT? CH1"),
    ("autonics.tk4", "modbus+tcp"): ("heating_output", bytes.fromhex("04 03ec 0001")),
    ("autonics.tk4", "modbus+rtu"): ("heating_output", bytes.fromhex("04 03ec 0001")),
}
"""A reading of each, and what its question has on the wire."""
MOST_STEPS: Final = 80
STEP_S: Final = 0.0007


async def _given_up(
    work: Callable[[], Coroutine[Any, Any, object]], steps: int, turns: int
) -> bool:
    """Let work begin and give it up after so many steps of time and turns of the loop.

    Returns whether it had ended by itself.
    """

    async def caught() -> None:
        with suppress(DriverError):
            await work()

    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(caught())
        if steps:
            await asyncio.sleep(steps * STEP_S)
        for _ in range(turns):
            await asyncio.sleep(0)
        return not working.cancel()


async def _given_up_ever_later(
    work: Callable[[], Coroutine[Any, Any, object]], then: Callable[[int], None]
) -> int:
    """Give work up one step later each time, until it ends by itself; how often it was given up."""
    for step in range(MOST_STEPS):
        ended = await _given_up(work, steps=step // 2, turns=step % 7)
        then(step)
        if ended and step > 14:
            return step
    return MOST_STEPS


async def _judged(made: Ward, patient: Patient, history: History) -> None:
    """See that the values which come from here on are right, and that the link was never lost."""
    history.stir(999)
    polls = made.worker(patient).tally.polls
    await made.until(patient, lambda _: made.worker(patient).tally.polls > polls + 2)
    assert made.snapshot(patient).state is DeviceState.READY
    assert not history.wrong(made)
    assert history.judged > 3
    assert made.said("device.offline", patient) == []


@pytest.mark.parametrize(("name", "scheme"), WAYS)
async def test_a_reading_that_is_given_up_anywhere_leaves_every_other_value_right(
    tmp_path: Path, name: str, scheme: str
) -> None:
    patient = Patient(name, scheme, tmp_path)
    history = History(patient)
    async with patient.server, ward(patient.plan()) as made:
        await made.until_state(patient, DeviceState.READY)
        driver = made.drivers[patient.name]
        names = list(patient.plan().periods)
        given_up = await _given_up_ever_later(lambda: driver.read(names), history.stir)
        assert given_up > 14
        await _judged(made, patient, history)


@pytest.mark.parametrize(("name", "scheme"), [way for way in WAYS if way[0] in SETTINGS])
async def test_a_setting_that_is_given_up_anywhere_is_made_once_or_not_at_all(
    tmp_path: Path, name: str, scheme: str
) -> None:
    patient = Patient(name, scheme, tmp_path)
    history = History(patient)
    patient.log.acted = history.note
    reading, value = SETTINGS[name]
    async with patient.server, ward(patient.plan()) as made:
        await made.until_state(patient, DeviceState.READY)
        setting = getattr(made.drivers[patient.name], reading)
        given_up = await _given_up_ever_later(lambda: setting.write(value), history.stir)
        assert patient.bench.writes(patient.log.heard) <= given_up + 1
        await _judged(made, patient, history)
        assert (await made.worker(patient).set(reading, value)).status is Status.DONE


@pytest.mark.parametrize(("name", "scheme"), list(QUERIES))
async def test_a_reading_whose_reply_is_lost_is_asked_once_more_and_no_more(
    tmp_path: Path, name: str, scheme: str
) -> None:
    patient = Patient(name, scheme, tmp_path)
    reading, query = QUERIES[name, scheme]
    async with patient.server, ward(patient.plan(periods={})) as made:
        await made.until_state(patient, DeviceState.READY)
        worker, faults = made.worker(patient), patient.server.faults

        async def asked(lost: int) -> int:
            """How often the question came while so many replies to whatever were lost."""
            before = b"".join(patient.log.heard).count(query)
            faults.add(Fault(kind="lose", next=lost))
            with suppress(LinkError):
                sample = (await worker.read((reading,)))[reading]
                assert (sample.quality, lost) == ("good", 1)
            faults.clear()
            return b"".join(patient.log.heard).count(query) - before

        await worker.read((reading,))  # the first also finds out what the device can do
        assert await asked(lost=1) == 2
        assert made.said("device.offline", patient) == []
        assert await asked(lost=1000) in {1, 2}, "2 where it can be asked without a fence before"


@pytest.mark.parametrize(("name", "scheme"), [way for way in WAYS if way[0] in SETTINGS])
async def test_a_setting_whose_confirmation_is_lost_is_not_made_again(
    tmp_path: Path, name: str, scheme: str
) -> None:
    patient = Patient(name, scheme, tmp_path)
    reading, value = SETTINGS[name]
    async with patient.server, ward(patient.plan(periods={})) as made:
        await made.until_state(patient, DeviceState.READY)
        patient.bench.stir(1)

        def lose() -> None:
            if patient.bench.truth()[reading] == value:
                patient.log.acted = lambda: None
                patient.server.faults.add(Fault(kind="lose", probability=1.0))

        patient.log.acted = lose
        outcome = await made.worker(patient).set(reading, value)
        assert outcome.status is Status.UNKNOWN
        patient.bench.stir(2)  # what is made again now, shows
        patient.server.faults.clear()
        made.worker(patient).reconnect()
        await made.until(patient, lambda _: len(made.said("device.connected", patient)) == 2)
        assert patient.bench.truth()[reading] != value

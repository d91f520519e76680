"""Devices that are another all at once, start anew, or are another program's: seen before a write."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.fleet.samples import Cause, Outcome, Status
from agent.fleet.states import DeviceState
from drivers.protocol import scpi_dialogue
from simulators.control import ControlServer
from simulators.faults import Restart
from tests.lab.sick_bench import Patient, Ward, ward

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]

SERIAL_NUMBER = "SPD1XHBD3R1168"
SUPPLY = ("siglent.spd1000x", "tcp")


@contextlib.asynccontextmanager
async def served(name: str, scheme: str, folder: Path) -> AsyncIterator[Patient]:
    patient = Patient(name, scheme, folder)
    async with patient.server:
        yield patient


async def hammered(made: Ward, patient: Patient, reading: str, value: object) -> list[Outcome]:
    """Ask for a setting without a pause until it is done or the device is another."""
    outcomes: list[Outcome] = []
    worker = made.worker(patient)
    while made.snapshot(patient).state is not DeviceState.WRONG_DEVICE:
        outcomes.append(await worker.set(reading, value))
        if outcomes[-1].status is Status.DONE:
            break
        await asyncio.sleep(0.001)
    return outcomes


async def test_two_ports_that_get_each_other_s_name_are_wrong_devices_and_get_no_write(
    tmp_path: Path,
) -> None:
    async with (
        served("siglent.spd1000x", "serial", tmp_path) as low,
        served("siglent.spd1305x", "serial", tmp_path) as high,
        ward(low.plan(), high.plan()) as made,
    ):
        for patient in (low, high):
            await made.until_state(patient, DeviceState.READY)
        lab = {"low": low.server, "high": high.server}
        swap = {"device": "low", "do": "swap", "with": "high"}
        assert await ControlServer(lab).answer(json.dumps(swap).encode()) == {"ok": True}
        async with asyncio.TaskGroup() as tasks:
            asking = [tasks.create_task(hammered(made, p, "voltage", 3.0)) for p in (low, high)]
        assert {o.cause for task in asking for o in task.result()} <= {Cause.NOT_SENT}
        for patient in (low, high):
            state = await made.until_state(patient, DeviceState.WRONG_DEVICE)
            assert "answers; this driver is for" in state.reason
            assert patient.bench.writes(patient.log.heard) == 0


async def test_another_unit_of_the_model_after_a_reconnect_is_refused_by_its_serial_number(
    tmp_path: Path,
) -> None:
    async with (
        served(*SUPPLY, tmp_path) as patient,
        ward(patient.plan(serial_number=SERIAL_NUMBER)) as made,
    ):
        await made.until_state(patient, DeviceState.READY)
        patient.server.faults.answer_as(SERIAL_NUMBER.encode(), b"SPD1XOTHER0000")
        patient.server.disconnect()
        outcomes = await hammered(made, patient, "voltage", 3.0)
        assert {outcome.cause for outcome in outcomes} <= {Cause.NOT_SENT}
        state = await made.until_state(patient, DeviceState.WRONG_DEVICE)
        assert "serial number SPD1XOTHER0000 answers" in state.reason
        assert patient.bench.writes(patient.log.heard) == 0


@pytest.mark.parametrize("known_for", ["KNOWN_TO_READ_S", "KNOWN_TO_WRITE_S"])
async def test_a_unit_that_is_exchanged_behind_an_open_connection_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known_for: str
) -> None:
    """As behind a serial server, which keeps the connection, between two answers."""
    monkeypatch.setattr(scpi_dialogue, known_for, 0.0)
    async with (
        served(*SUPPLY, tmp_path) as patient,
        ward(patient.plan(serial_number=SERIAL_NUMBER)) as made,
    ):
        await made.until_state(patient, DeviceState.READY)
        patient.server.faults.answer_as(SERIAL_NUMBER.encode(), b"SPD1XOTHER0000")
        outcome = await made.worker(patient).set("voltage", 3.0)
        assert (outcome.status, outcome.cause) == (Status.FAILED, Cause.NOT_SENT)
        await made.until_state(patient, DeviceState.WRONG_DEVICE)
        assert "answers all at once" in made.said("device.offline", patient)[0]
        assert patient.bench.writes(patient.log.heard) == 0


async def test_identity_comes_first_and_the_state_is_read_before_any_write_after_the_return(
    tmp_path: Path,
) -> None:
    async with served(*SUPPLY, tmp_path) as patient, ward(patient.plan()) as made:
        await made.until_state(patient, DeviceState.READY)
        await patient.server.stop()
        await made.until_state(patient, DeviceState.OFFLINE)
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(hammered(made, patient, "voltage", 5.0))
            await asyncio.sleep(0.05)
            await patient.server.start()
        assert asking.result()[-1].status is Status.DONE
        assert {outcome.cause for outcome in asking.result()[:-1]} <= {Cause.NOT_SENT}
        lines = b"".join(patient.log.since()).splitlines()
        assert lines[0] == b"*IDN?"
        before = lines[: lines.index(b"CH1:VOLT 5.000")]
        for query in (b"MEAS:VOLT? CH1", b"SYST:STAT?", b"CH1:VOLT?", b"CH1:CURR?"):
            assert query in before


async def test_a_board_that_has_started_anew_while_idle_gets_nothing_of_a_setting(
    tmp_path: Path,
) -> None:
    async with (
        served("printers.marlin", "serial", tmp_path) as patient,
        ward(patient.plan(periods={})) as made,
    ):
        await made.until_state(patient, DeviceState.READY)
        patient.server.player.restart()
        await made.until_said(patient, b"start")
        outcome = await made.worker(patient).set("bed_target", 47.0)
        assert (outcome.status, outcome.cause) == (Status.FAILED, Cause.NOT_SENT), outcome
        assert "reset itself" in outcome.message
        await made.until(patient, lambda _: len(made.said("device.connected", patient)) == 2)
        assert not any(b"M140" in message for message in patient.log.heard)


async def test_a_stage_that_has_started_anew_while_idle_is_not_moved(tmp_path: Path) -> None:
    async with (
        served("motion.grbl", "serial", tmp_path) as patient,
        ward(patient.plan(periods={})) as made,
    ):
        await made.until_state(patient, DeviceState.READY)
        patient.server.player.restart()
        await made.until_said(patient, b"Grbl")
        outcome = await made.worker(patient).do("jog", {"feed": 3000.0, "x": -0.5})
        assert (outcome.status, outcome.cause) == (Status.FAILED, Cause.NOT_SENT), outcome
        assert "reset itself" in outcome.message
        assert not any(b"$J" in message for message in patient.log.heard)


async def test_a_stage_that_resets_in_mid_move_leaves_it_unknown_and_is_not_moved_again(
    tmp_path: Path,
) -> None:
    async with served("motion.grbl", "serial", tmp_path) as patient, ward(patient.plan()) as made:
        await made.until_state(patient, DeviceState.READY)
        jog = {"feed": 60.0, "x": -5.0}
        async with asyncio.TaskGroup() as tasks:
            moving = tasks.create_task(made.worker(patient).do("jog", jog))
            async with asyncio.timeout(5.0):
                while not any(b"$J" in message for message in patient.log.heard):
                    await asyncio.sleep(0.005)
            patient.server.player.restart()
        assert moving.result().status is Status.UNKNOWN
        assert "reset itself" in made.said("device.offline", patient)[0]
        await made.until_state(patient, DeviceState.READY)
        assert b"".join(patient.log.heard).count(b"$J") == 1


async def test_a_printer_that_resets_at_any_byte_of_a_setting_is_never_told_twice(
    tmp_path: Path,
) -> None:
    async with (
        served("printers.marlin", "serial", tmp_path) as patient,
        ward(patient.plan(periods={})) as made,
    ):
        statuses: set[Status] = set()
        for at in range(1, 40, 3):
            await made.until_state(patient, DeviceState.READY)
            known = len(patient.bench.printer.executed)  # type: ignore[attr-defined]
            patient.server.faults.strike(Restart(), at)
            outcome = await made.worker(patient).set("bed_target", 47.0)
            statuses.add(outcome.status)
            patient.server.faults.clear()
            made.worker(patient).reconnect()
            await _until_connected_anew(made, patient)
            done = patient.bench.printer.executed[known:]  # type: ignore[attr-defined]
            told = [line for line in done if line.startswith("M140 S47")]
            assert len(told) <= 1, (at, outcome, done)
            if told and outcome.status is not Status.DONE:
                assert outcome.status is Status.UNKNOWN, (at, outcome)
        assert Status.UNKNOWN in statuses


async def _until_connected_anew(made: Ward, patient: Patient) -> None:
    connected = len(made.said("device.connected", patient))
    await made.until(patient, lambda _: len(made.said("device.connected", patient)) > connected)


@pytest.mark.parametrize("known_for", ["KNOWN_TO_READ_S", "KNOWN_TO_WRITE_S"])
async def test_a_meter_that_was_switched_off_and_on_is_doubted_and_gets_nothing_of_a_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known_for: str
) -> None:
    monkeypatch.setattr(scpi_dialogue, known_for, 0.0)
    async with served("keysight.34460a", "tcp", tmp_path) as patient, ward(patient.plan()) as made:
        await made.until_state(patient, DeviceState.READY)
        patient.server.player.restart()
        outcome = await made.worker(patient).set("voltage_autorange", value=False)
        assert (outcome.status, outcome.cause) == (Status.FAILED, Cause.NOT_SENT), outcome
        await made.until(patient, lambda _: bool(made.said("device.offline", patient)))
        assert "switched off and on" in made.said("device.offline", patient)[0]
        await made.until_state(patient, DeviceState.READY)
        assert patient.bench.writes(patient.log.heard) == 0


async def test_a_port_that_another_program_holds_is_said_so_and_left_alone(tmp_path: Path) -> None:
    async with served("siglent.spd1000x", "serial", tmp_path) as patient:
        other = os.open(patient.address().place, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            async with ward(patient.plan()) as made:
                state = await made.until_state(patient, DeviceState.OFFLINE)
                assert "another program holds the port: close it there" in state.reason
                assert patient.log.heard == []
        finally:
            os.close(other)

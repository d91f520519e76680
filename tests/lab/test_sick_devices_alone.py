"""Devices that babble, are at another speed, stop reading or are slow: each alone, no other harmed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest

from agent.fleet.samples import Cause, Status
from agent.fleet.states import DeviceState
from drivers.errors import DeviceError
from drivers.protocol import scpi
from drivers.protocol.scpi import Scpi
from drivers.transport import descriptor, tcp
from drivers.transport.link import Timeouts
from drivers.transport.memory import Loopback, Script
from simulators.faults import Fault
from tests.lab.sick_bench import History, Patient, ward

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]

SOON: Final = Timeouts(turn=1.0, first_byte=0.1, next_byte=0.05, whole=0.3)


@contextlib.asynccontextmanager
async def served(name: str, scheme: str, folder: Path) -> AsyncIterator[Patient]:
    patient = Patient(name, scheme, folder)
    async with patient.server:
        yield patient


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("siglent.spd1000x", "are baud rate and parity right"),
        ("printers.marlin", "are baud rate and parity right"),
        ("motion.grbl", "are baud rate and parity right"),
    ],
)
async def test_bytes_of_another_speed_are_no_value_and_the_link_is_blamed(
    tmp_path: Path, name: str, hint: str
) -> None:
    async with served(name, "serial", tmp_path) as patient:
        history = History(patient)
        async with ward(patient.plan()) as made:
            await made.until_state(patient, DeviceState.READY)
            for byte in range(128):
                other = bytes([byte ^ 0xFF])
                patient.server.faults.answer_as(bytes([byte]), other)
            await made.until_state(patient, DeviceState.OFFLINE)
            await made.until(patient, lambda s: s.state is DeviceState.OFFLINE and hint in s.reason)
            assert len(made.said("device.offline", patient)) == 1
        assert not history.wrong(made)


async def test_a_frame_that_never_has_its_checksum_is_no_value_and_the_link_is_lost(
    tmp_path: Path,
) -> None:
    async with served("autonics.tk4", "modbus+rtu", tmp_path) as patient:
        history = History(patient)
        async with ward(patient.plan()) as made:
            await made.until_state(patient, DeviceState.READY)
            patient.server.faults.add(Fault(kind="garble", probability=1.0, flips=2))
            await made.until_state(patient, DeviceState.OFFLINE, DeviceState.QUARANTINED)
        assert not history.wrong(made)


@pytest.mark.parametrize(
    ("name", "scheme", "words"),
    [
        ("siglent.spd1000x", "tcp", b"5.001\n"),
        ("siglent.spd1000x", "serial", b"5.001\n"),
        ("printers.marlin", "serial", b"ok T:999.00 /0.00 B:999.00 /0.00\n"),
    ],
)
async def test_a_device_that_babbles_is_offline_until_it_is_quiet(
    tmp_path: Path, name: str, scheme: str, words: bytes
) -> None:
    async with served(name, scheme, tmp_path) as patient, ward(patient.plan()) as made:
        await made.until_state(patient, DeviceState.READY)
        patient.server.faults.babble(words, 0.002)
        await made.until_state(patient, DeviceState.OFFLINE)
        patient.server.faults.clear()
        await made.until_state(patient, DeviceState.READY)


async def test_a_stage_that_says_ok_to_nothing_has_no_line_confirmed(tmp_path: Path) -> None:
    async with (
        served("motion.grbl", "serial", tmp_path) as patient,
        ward(patient.plan(periods={})) as made,
    ):
        await made.until_state(patient, DeviceState.READY)
        patient.server.faults.babble(b"ok\r\n", 0.002)
        await made.until_said(patient, b"ok")
        outcome = await made.worker(patient).do("unlock", {})
        assert (outcome.status, outcome.cause) == (Status.FAILED, Cause.NOT_SENT), outcome
        assert not any(b"$X" in message for message in patient.log.heard)


async def test_a_slow_device_skips_its_polls_and_holds_up_nobody(tmp_path: Path) -> None:
    async with (
        served("siglent.spd1000x", "tcp", tmp_path) as slow,
        served("siglent.spd1305x", "tcp", tmp_path) as quick,
    ):
        few = {"measured_voltage": 0.05}
        patient = {"first_byte": 2.0, "whole": 2.0}
        async with ward(slow.plan(periods=few, timeouts=patient), quick.plan(periods=few)) as made:
            for device in (slow, quick):
                await made.until_state(device, DeviceState.READY)
            slow.server.faults.add(Fault(kind="delay", probability=1.0, seconds=0.3))
            tallies = [made.worker(device).tally for device in (slow, quick)]
            before = [(tally.polls, tally.skipped) for tally in tallies]
            await made.until(slow, lambda _: tallies[0].skipped >= before[0][1] + 8)
            polled = [
                tally.polls - polls for tally, (polls, _) in zip(tallies, before, strict=True)
            ]
            assert polled[0] <= 4
            assert polled[1] > polled[0], "who is held up is polled no more often"
            assert made.snapshot(slow).state is DeviceState.READY


class Generator(scpi.ScpiDriver):
    """An instrument with a long text."""

    label = scpi.text("DISP:TEXT", doc="What the display shows.")


@pytest.mark.parametrize("scheme", ["tcp", "serial"])
async def test_a_device_that_stops_reading_in_a_long_write_is_lost_and_the_outcome_unknown(
    tmp_path: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descriptor, "WRITE_STALL_S", 0.3)
    monkeypatch.setattr(tcp, "WRITE_STALL_S", 0.3)
    async with served("siglent.spd1000x", scheme, tmp_path) as patient:
        plan = patient.plan(driver_class=Generator, periods={})
        async with ward(plan) as made:
            await made.until_state(patient, DeviceState.READY)

            def stop_reading() -> None:
                if patient.log.heard[-1].startswith(b"SYST:ERR?"):
                    patient.server.deafen()

            patient.log.acted = stop_reading
            outcome = await made.worker(patient).set("label", "x" * 8_000_000)
            assert outcome.status is Status.UNKNOWN
            assert "stopped reading" in outcome.message
            again = await made.worker(patient).set("label", "y")
            assert (again.status, again.cause) == (Status.FAILED, Cause.NOT_SENT), again
            await made.until_state(patient, DeviceState.OFFLINE)
            patient.log.acted = lambda: None
            patient.server.listen()
            await made.until_state(patient, DeviceState.READY)
            assert not any(b'"y"' in message for message in patient.log.heard)


@pytest.mark.parametrize("sign", ["9.9E37", "-9.9E+37", "9.91E37", "+9.90000000E+37"])
async def test_the_signs_for_no_number_are_none(sign: str) -> None:
    class Meter(scpi.ScpiDriver):
        """A meter."""

        volts = scpi.reading("READ?", unit="V", doc="Voltage.")

    async with Script((b"READ?\n", f"{sign}\n".encode())) as script:
        value = (await Meter(Scpi(script, SOON)).read(["volts"]))["volts"]
    assert isinstance(value, DeviceError)


class Prompting(scpi.ScpiDriver):
    """An instrument that prompts when it is ready for more."""

    traits = MappingProxyType({"prompt": b"SCPI> "})

    volts = scpi.reading("MEAS:VOLT?", unit="V", doc="Voltage measured.")
    voltage = scpi.setting("VOLT", unit="V", low=0, high=5, confirm=True, doc="Voltage wanted.")


def prompting(data: bytes) -> bytes:
    replies = {b"*IDN?": b"Maker,M1,SN7,1.0\r\n", b"SYST:ERR?": b'0,"No error"\r\n'}
    line = data.strip()
    return replies.get(line, b"2.000\r\n" if line.endswith(b"?") else b"") + b"SCPI> "


async def test_a_prompt_after_each_reply_is_part_of_it_where_it_is_declared() -> None:
    heard: list[bytes] = []

    def handle(data: bytes) -> bytes:
        heard.append(data)
        return prompting(data)

    async with Loopback(handle) as link:
        device = Prompting.over(link)
        await device.meet()
        for _ in range(3):
            assert (await device.read(["volts"]))["volts"] == 2.0
        await device.voltage.write(2.0)
    assert heard.count(b"*IDN?\n") == 1, "it never had to get back in step"
    assert device.wire.discarded == 0


async def test_an_error_of_the_front_panel_is_not_blamed_on_the_next_command() -> None:
    none, panel = b'0,"No error"\n', b'-222,"Data out of range"\n'
    async with Script(
        (b"SYST:ERR?\n", none),
        (b"VOLT 1.000\n", b""),
        (b"SYST:ERR?\n", none),
        (b"VOLT?\n", b"1.000\n"),
        (b"SYST:ERR?\n", panel),  # somebody turned the knob in between
        (b"SYST:ERR?\n", none),
        (b"VOLT 2.000\n", b""),
        (b"SYST:ERR?\n", none),
        (b"VOLT?\n", b"2.000\n"),
    ) as script:
        wire = Scpi(script, SOON)
        device = Prompting(wire)
        await device.voltage.write(1.0)
        await device.voltage.write(2.0)
        assert list(wire.unclaimed) == ["-222 Data out of range"]
    script.assert_finished()


async def test_a_report_that_comes_by_itself_during_a_wait_has_no_later_time_than_its_arrival(
    tmp_path: Path,
) -> None:
    async with served("printers.marlin", "serial", tmp_path) as patient:
        history = History(patient)
        async with ward(patient.plan()) as made:
            await made.until_state(patient, DeviceState.READY)
            heating = made.worker(patient)
            known = len(made.seen)
            async with asyncio.TaskGroup() as tasks:
                waiting = tasks.create_task(heating.do("home", {}))
                for step in range(1, 6):
                    history.stir(step)
                    await asyncio.sleep(0.05)
                await waiting
            assert len(made.seen) > known
        assert not [text for text in history.wrong(made) if text.startswith(("nozzle", "bed"))]

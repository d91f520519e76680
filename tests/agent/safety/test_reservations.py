"""A device of a job: nobody else may set or command it, anybody may stop it, and the job is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.fleet.samples import Cause, Status
from agent.roles import Actor
from agent.safety.reservations import Holder, Reservations
from drivers import Role
from tests.agent.bench import station_in_memory

ENGINEER = Actor(name="lee", origin="cli", role=Role.ENGINEER)
VISITOR = Actor(name="visitor", origin="api", role=Role.OBSERVER)
JOB = Actor(name="kim", origin="job", role=Role.ENGINEER, job="j1")
HOLDER = Holder(job="j1", what="thermal_cycle", by="kim")


def test_a_job_gets_all_its_devices_or_none() -> None:
    reservations = Reservations()
    assert reservations.take({"psu1", "oven1"}, HOLDER)
    assert not reservations.take({"oven1", "dmm1"}, Holder(job="j2", what="x", by="lee"))
    assert sorted(reservations.holders) == ["oven1", "psu1"]
    reservations.release("j1")
    assert not reservations.holders


@pytest.mark.parametrize("verb", ["set", "do"])
async def test_nobody_else_may_tell_a_reserved_device_anything(verb: str) -> None:
    async with station_in_memory() as bench:
        gate = bench.station.gate
        bench.reservations.take({"psu1"}, HOLDER)
        if verb == "set":
            outcome = await gate.set(ENGINEER, "psu1", "voltage", 5)
        else:
            outcome = await gate.do(ENGINEER, "psu1", "calibrate", {})
        assert (outcome.status, outcome.cause) == (Status.REFUSED, Cause.RESERVED)
        assert "reserved by the job j1 (thermal_cycle, started by kim)" in outcome.message
        assert not [line for line in bench.simulators["psu1"].asked if " " in line]


async def test_the_job_itself_may_and_everybody_may_again_after_it() -> None:
    async with station_in_memory() as bench:
        gate = bench.station.gate
        bench.reservations.take({"psu1"}, HOLDER)
        assert (await gate.set(JOB, "psu1", "voltage", 5)).status is Status.DONE
        bench.reservations.release("j1")
        assert (await gate.set(ENGINEER, "psu1", "voltage", 6)).status is Status.DONE


async def test_a_job_may_not_touch_a_device_that_is_not_its_own() -> None:
    async with station_in_memory() as bench:
        outcome = await bench.station.gate.set(JOB, "psu1", "voltage", 5)
        assert outcome.cause is Cause.RESERVED
        assert "does not belong to the job j1" in outcome.message


async def test_anybody_stops_a_reserved_device_and_the_job_is_told_before_it_is_stopped() -> None:
    async with station_in_memory() as bench:
        told: list[tuple[str, str, str, bool]] = []
        asked = bench.simulators["psu1"].asked

        def heard(job: str, device: str, actor: Actor) -> None:
            told.append((job, device, actor.name, "outp 0" in asked))

        bench.reservations.listen(heard)
        bench.reservations.take({"psu1"}, HOLDER)
        assert (await bench.station.gate.stop(VISITOR, "psu1")).status is Status.DONE
        assert told == [("j1", "psu1", "visitor", False)]
        assert "outp 0" in asked


async def test_a_job_that_stops_its_own_device_is_not_told_of_it() -> None:
    async with station_in_memory() as bench:
        told: list[str] = []
        bench.reservations.listen(lambda job, device, actor: told.append(job))
        bench.reservations.take({"psu1"}, HOLDER)
        assert (await bench.station.gate.stop(JOB, "psu1")).status is Status.DONE
        assert told == []


async def test_a_defect_in_whoever_is_told_does_not_hinder_the_stop() -> None:
    async with station_in_memory() as bench:

        def broken(job: str, device: str, actor: Actor) -> None:
            raise RuntimeError("a defect")

        bench.reservations.listen(broken)
        bench.reservations.take({"psu1"}, HOLDER)
        assert (await bench.station.gate.stop(VISITOR, "psu1")).status is Status.DONE


async def test_a_command_whose_file_was_still_looked_for_does_not_begin_after_a_stop(
    tmp_path: Path,
) -> None:
    async with station_in_memory(folder=tmp_path) as bench:
        (tmp_path / "lines.gcode").write_text("G1\n", "utf-8")
        gate, files = bench.station.gate, bench.station.files
        usual = files.named

        async def slow(name: str) -> object:
            await gate.stop(VISITOR, "psu1")
            return await usual(name)

        files.named = slow  # type: ignore[method-assign,assignment]
        outcome = await gate.do(ENGINEER, "psu1", "count", {"file": "lines.gcode"})
        assert outcome.status is Status.REFUSED
        assert "was stopped before anything was sent for psu1.count" in outcome.message

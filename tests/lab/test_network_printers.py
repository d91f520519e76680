"""Printers behind Moonraker, PrusaLink and OctoPrint, side by side on one station."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_asyncio

from simulators.control import RoomControl
from tests.drivers.slicer import sliced
from tests.drivers.tower import Tower
from tests.lab.print_station import PrintStation, shown, tricks, written
from tests.lab.processes import Room, agent, room, short_folder, station

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]

T = TypeVar("T")
DRIVERS = {"printer2": "moonraker", "printer3": "prusalink", "printer4": "octoprint"}
ACCESS = {
    "printer2": "key_file: printer2-key",
    "printer3": "user: maker, password_file: printer3-key",
    "printer4": "key_file: printer4-key",
}
PART = sliced("PrusaSlicer", Tower(layers=2, facets=12))
NAME = "시험편.gcode"


def devices(lab: Room) -> str:
    """The devices section: the three, and a supply that shows that time passes."""
    host, port = lab.tcp("psu1")
    supply = f'{{driver: siglent.spd1000x, address: "tcp://{host}:{port}", simulated: true}}'
    lines = [
        f'{name}: {{driver: printers.{driver}, address: "{lab.http(name)}", simulated: true, '
        f"access: {{{ACCESS[name]}}}}}"
        for name, driver in DRIVERS.items()
    ]
    return "devices:\n" + "".join(f"  {line}\n" for line in [f"psu1: {supply}", *lines])


def keys(folder: Path, found: dict[str, str]) -> None:
    """Write the files that the config names."""
    for name, key in found.items():
        written(folder, f"{name}-key", f"{key}\n".encode())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab_station() -> AsyncIterator[PrintStation]:
    folder = short_folder()
    only = ",".join(["psu1", *DRIVERS])
    async with room(folder / "room", "--only", only) as lab:
        keys(folder, lab.keys)
        await lab.control.ask("printer2", do="demand_key", on=True)
        async with agent(folder, station(folder, devices(lab))) as running:
            await running.until_ready("psu1", *DRIVERS)
            made = PrintStation(lab, running)
            added = await made.says("files", "add", str(written(folder, NAME, PART)))
            assert added.code == 0
            yield made
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def control(lab_station: PrintStation) -> AsyncIterator[RoomControl]:
    """The door for tricks; the printers are at rest, and have the usual time."""
    await lab_station.running.until_ready(*DRIVERS)
    async with tricks(lab_station) as door:
        await pace(door, 1)
        yield door


async def pace(control: RoomControl, factor: float) -> None:
    """Let time pass faster for the machines."""
    for name in DRIVERS:
        await control.ask(name, do="pace", factor=factor)


async def each(act: Callable[[str], Awaitable[T]]) -> dict[str, T]:
    """Do the same with all three at once."""
    return dict(zip(DRIVERS, await asyncio.gather(*map(act, DRIVERS)), strict=True))


def states(found: dict[str, dict[str, Any]]) -> set[str]:
    return {found[name]["state"] for name in DRIVERS}


async def test_all_three_are_ready_and_say_the_same_about_themselves(
    lab_station: PrintStation, control: RoomControl
) -> None:
    found = await lab_station.running.devices()
    for name, maker in zip(DRIVERS, ("Moonraker ", "PrusaLink", "OctoPrint "), strict=True):
        values = shown(found[name])
        assert found[name]["identity"].startswith(maker)
        assert (values["print_state"], values["print_owner"]) == ("idle", "nobody")
        assert (values["nozzle"], values["nozzle_target"], values["heaters"]) == (23.0, 0.0, "off")
    told = await each(lambda name: lab_station.running.get(f"/devices/{name}/description"))
    names = {
        tuple(sorted(it["name"] for it in [*one["readings"], *one["settings"]]))
        for one in told.values()
    }
    assert len(names) == 1


async def test_each_prints_a_file_to_its_end(
    lab_station: PrintStation, control: RoomControl
) -> None:
    await pace(control, 100)

    async def printed(name: str) -> tuple[int, str, str]:
        async with lab_station.printing(name, NAME) as told:
            return await told.ended(), told.lines[-1], told.complaints

    for name, (code, line, complaints) in (await each(printed)).items():
        assert (code, complaints) == (0, "")
        assert line.startswith(f"{name}: {NAME} is printed in ")
        job = (await control.ask(name, do="truth"))["job"]
        assert (job["state"], job["size"], job["by"]) == ("finished", len(PART), "api")
        values = await lab_station.until(name, lambda it: it["print_result"] == "done")
        assert (values["print_file"], values["heaters"]) == (NAME, "off")


async def test_a_foreign_print_is_shown_and_left_alone_until_somebody_stops_the_printer(
    lab_station: PrintStation, control: RoomControl
) -> None:
    await pace(control, 5)  # homing takes 6 s of theirs, and is not broken off
    for name in DRIVERS:
        await control.ask(name, do="screen", action="start", file="foreign.gcode")
    foreign = await each(
        lambda name: lab_station.until(name, lambda it: it["print_owner"] == "foreign")
    )
    assert {it["print_file"] for it in foreign.values()} == {"foreign.gcode"}
    for name, said in (await each(lambda it: lab_station.says("do", f"{it}.pause"))).items():
        assert said.code == 2
        assert f"{name}: pause: foreign.gcode was begun by somebody else" in said.err
    for name, said in (await each(lambda it: lab_station.says("print", it, NAME))).items():
        assert said.code == 2
        assert f"{name} is printing: wait for its end" in said.err
    assert {(await truth(control, name))["state"] for name in DRIVERS} <= {"starting", "printing"}
    stopped = await each(lambda it: lab_station.says("stop", it))
    ends = {name: (await truth(control, name))["state"] for name in DRIVERS}
    assert ends == {"printer2": "failed", "printer3": "cancelled", "printer4": "failed"}
    for name in ("printer2", "printer3"):
        assert (stopped[name].code, stopped[name].out) == (0, f"{name}: stopped and safe\n")
    # OctoPrint closes the port after M112, and can't tell of heaters any more.
    assert stopped["printer4"].code == 3
    assert "NOT CONFIRMED SAFE" in stopped["printer4"].out
    await lab_station.running.until(
        lambda it: it["printer2"]["state"] == it["printer4"]["state"] == "fault"
    )
    await control.ask("printer2", do="restart")
    await control.ask("printer4", do="reboot", seconds=0.1)
    await each(lambda it: lab_station.says("reconnect", it))
    await lab_station.running.until_ready(*DRIVERS)


async def truth(control: RoomControl, name: str) -> dict[str, Any]:
    """The print as the machine itself has it."""
    job: dict[str, Any] = (await control.ask(name, do="truth"))["job"]
    return job


async def test_a_wrong_key_is_a_fault_that_is_not_tried_again_until_somebody_has_mended_it(
    lab_station: PrintStation, control: RoomControl
) -> None:
    async def requests(name: str) -> int:
        return int((await control.ask(name, do="counts"))["counts"]["requests"])

    right = lab_station.lab.keys
    keys(lab_station.running.folder, dict.fromkeys(DRIVERS, "wrong"))
    await each(lambda it: lab_station.says("reconnect", it))
    found = await lab_station.running.until(lambda it: states(it) == {"fault"})
    for name, what in (
        ("printer2", "the key"),
        ("printer3", "access.user"),
        ("printer4", "the key"),
    ):
        assert f"does not accept {what}" in found[name]["reason"]
        assert "mend it, then reconnect" in found[name]["reason"]
    before = {name: await requests(name) for name in DRIVERS}
    began = found["psu1"]["values"]["measured_voltage"]["time"]
    polls = 0
    while polls < 5:  # of the supply, which is read every half second; the first wait is 0.25 s
        found = await lab_station.running.until(
            lambda it: it["psu1"]["values"]["measured_voltage"]["time"] > began  # noqa: B023
        )
        began, polls = found["psu1"]["values"]["measured_voltage"]["time"], polls + 1
    assert {name: await requests(name) for name in DRIVERS} == before
    assert states(found) == {"fault"}
    keys(lab_station.running.folder, right)
    await each(lambda it: lab_station.says("reconnect", it))
    await lab_station.running.until_ready(*DRIVERS)


async def test_a_print_whose_host_is_away_for_a_while_is_found_again_and_reaches_its_end(
    lab_station: PrintStation, control: RoomControl
) -> None:
    async with AsyncExitStack() as stack:
        watched = [
            await stack.enter_async_context(lab_station.printing(name, NAME)) for name in DRIVERS
        ]
        await each(lambda name: lab_station.until(name, lambda it: it["print_state"] == "printing"))
        for name in DRIVERS:
            await control.ask(name, do="stop")
        await lab_station.running.until(lambda it: states(it) == {"offline"}, seconds=20)
        for told in watched:
            assert await told.ended() == 3
            assert "whether it was done is unknown" in told.complaints
    for name in DRIVERS:
        await control.ask(name, do="start")
    found = await each(
        lambda name: lab_station.until(name, lambda it: it["print_state"] == "printing")
    )
    for values in found.values():
        assert (values["print_owner"], values["print_file"]) == ("agent", NAME)
        assert values["print_result"] == "none"
    await pace(control, 200)
    await each(lambda name: lab_station.until(name, lambda it: it["print_result"] == "done"))
    assert {(await truth(control, name))["state"] for name in DRIVERS} == {"finished"}

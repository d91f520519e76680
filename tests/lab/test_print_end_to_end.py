"""A sliced file from the command line to the board: every line, what is shown meanwhile, its end."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from simulators.control import RoomControl
from tests.drivers.slicer import picture, sliced
from tests.drivers.tower import Tower
from tests.lab.print_station import (
    HELLO,
    SHOWN_WITHIN_S,
    PrintStation,
    Values,
    forget,
    orders,
    received,
    tricks,
    written,
)
from tests.lab.processes import agent, room, short_folder, station

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]

OTHERS = ("psu1", "dmm1", "oven1", "stage1")
# Small, so that the way aside and the next homing are short.
PRINTER = "printer: {volume: {x: [0, 60], y: [0, 60], z: [0, 50]}}"
GROWING = ("print_progress", "print_time_progress", "print_elapsed", "print_layer", "print_height")
# Cooler than the room, so that no wait for heat takes any time.
TOWER = Tower(layers=3, radius=8, facets=12, speed=250, centre=(30, 30), nozzle=19, bed=18)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab_station() -> AsyncIterator[PrintStation]:
    folder = short_folder()
    async with room(folder / "room") as lab:
        devices = lab.five().replace("marlin,", f"marlin, {PRINTER},")
        async with agent(folder, station(folder, devices)) as running:
            await running.until_ready("printer1", *OTHERS)
            yield PrintStation(lab, running)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def control(lab_station: PrintStation) -> AsyncIterator[RoomControl]:
    """The door for tricks, once the printer is at rest and counts anew."""
    await lab_station.running.until_ready("printer1")
    async with tricks(lab_station) as door:
        await forget(door)
        yield door


def program(slicer: str = "PrusaSlicer", tower: Tower = TOWER) -> bytes:
    """The file of a small tower, which parks nearby and within the volume."""
    return re.sub(rb"Y2[02]0", b"Y40", sliced(slicer, tower)).replace(b"G1 Z10\n", b"G1 Z1\n")


async def followed(station: PrintStation) -> list[Values]:
    """What is shown of a print, again and again until it is over."""
    seen: list[Values] = []
    while not seen or seen[-1]["print_state"] != "idle":
        seen.append({it: await station.fresh("printer1", it) for it in ("print_state", *GROWING)})
        await asyncio.sleep(0.2)
    return seen


def grows(seen: list[Values], name: str) -> bool:
    """Whether a value was seen at three heights at least, and never went back."""
    found = [it[name] for it in seen if it[name] is not None]
    return found == sorted(found) and len(set(found)) >= 3


def newest(device: dict[str, Any]) -> str:
    """When the last of its values was read, in UTC."""
    return str(max(sample["time"] for sample in device["values"].values()))


@pytest.mark.parametrize("slicer", ["PrusaSlicer", "Cura"])
async def test_a_sliced_file_is_printed_line_by_line_and_its_progress_is_seen(
    lab_station: PrintStation, control: RoomControl, tmp_path: Path, slicer: str
) -> None:
    data = program(slicer)
    path = written(tmp_path, f"시험편 {slicer}.gcode", data)
    added = await lab_station.says("files", "add", str(path))
    assert (added.code, added.err) == (0, "")
    checked = await lab_station.says("files", "check", path.name, "--printer", "printer1")
    assert (checked.code, checked.out) == (0, f"ok: printer1 may print {path.name}\n")
    before = await lab_station.running.devices()
    async with lab_station.printing("printer1", path.name) as told:
        await lab_station.state("printer1", "printing")
        seen, code = await asyncio.gather(followed(lab_station), told.ended())
    after = await lab_station.running.devices()
    assert (code, told.complaints) == (0, "")
    assert told.lines[-1].startswith(f"printer1: {path.name} is printed in ")
    assert await received(control) == orders(data)
    for name in GROWING:
        assert grows(seen, name), (name, [it[name] for it in seen])
    for name in OTHERS:
        assert after[name]["state"] == "ready"
        assert newest(after[name]) > newest(before[name])
    values = await lab_station.values("printer1")
    assert (values["print_result"], values["print_file"]) == ("done", path.name)
    assert (values["print_progress"], values["print_layer"]) == (100.0, TOWER.layers)
    assert values["heaters"] == "off"


async def test_the_largest_picture_of_a_file_is_served(lab_station: PrintStation) -> None:
    sent = {"headers": {"Content-Type": "application/octet-stream"}}
    for slicer in ("PrusaSlicer", "Cura"):
        put = await lab_station.ask(
            "PUT", f"/files/그림 {slicer}.gcode", content=program(slicer), **sent
        )
        assert put.status_code == 200, put.text
    answer = await lab_station.ask("GET", "/files/그림 PrusaSlicer.gcode/thumbnail")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content == picture(220, 124)
    none = await lab_station.ask("GET", "/files/그림 Cura.gcode/thumbnail")
    assert none.status_code == 404


async def under_way(station: PrintStation, lines: int) -> None:
    """Wait until the board has so many lines of the file; at first it tells those of the last one."""
    await station.state("printer1", "printing")
    async with asyncio.timeout(SHOWN_WITHIN_S):
        while (await station.fresh("printer1", "lines_sent") or 0) < lines:
            await asyncio.sleep(0.05)


async def test_a_print_is_paused_resumed_and_cancelled_while_another_is_refused(
    lab_station: PrintStation, control: RoomControl, tmp_path: Path
) -> None:
    path = written(tmp_path, "멈춤.gcode", program())
    async with lab_station.printing("printer1", str(path)) as told:
        await under_way(lab_station, 20)
        states, paused = await asyncio.gather(
            lab_station.state("printer1", "paused"), lab_station.says("do", "printer1.pause")
        )
        assert (states[-2:], paused.code) == (["pausing", "paused"], 0)
        aside = await lab_station.until("printer1", lambda it: it["print_state"] == "paused")
        assert (aside["x"], aside["y"], aside["z"] > 5.0) == (0.0, 60.0, True)
        assert (aside["print_owner"], aside["heaters"]) == ("agent", "on")
        other = written(tmp_path, "둘째.gcode", program())
        second = await lab_station.says("print", "printer1", str(other))
        assert (second.code, second.out) == (2, ""), "nothing is told of the first"
        assert "print can't start while print runs; wait for its end or stop it" in second.err
        resumed = await lab_station.says("do", "printer1.resume")
        assert (resumed.code, await lab_station.fresh("printer1", "print_state")) == (0, "printing")
        cancelled = await lab_station.says("do", "printer1.cancel")
        assert (cancelled.code, await told.ended()) == (0, 3)
    assert "it was cancelled; the heaters are off\n" in told.complaints
    assert await heat(lab_station) == (0.0, 0.0)
    values = await lab_station.until("printer1", lambda it: it["print_state"] == "idle")
    assert values["print_result"] == "cancelled"
    lines, _ = await received(control)
    assert 20 <= lines < orders(program())[0]


async def heat(station: PrintStation) -> tuple[float, float]:
    """The targets of nozzle and bed as the board says them now."""
    words = ("printer1.nozzle_target", "printer1.bed_target", "--fresh", "--json")
    said = json.loads((await station.says("read", *words)).out)
    return said["printer1.nozzle_target"]["value"], said["printer1.bed_target"]["value"]


async def test_a_cancel_ends_the_wait_for_heat_and_switches_the_heaters_off(
    lab_station: PrintStation, control: RoomControl, tmp_path: Path
) -> None:
    hot = Tower(layers=1, radius=8, centre=(30, 30), nozzle=215, bed=60)
    path = written(tmp_path, "가열.gcode", program(tower=hot))
    async with lab_station.printing("printer1", str(path)) as told:
        await lab_station.until("printer1", lambda it: it["nozzle"] > 25)
        assert await lab_station.fresh("printer1", "heaters") == "on"
        cancelled = await lab_station.says("do", "printer1.cancel")
        assert (cancelled.code, await told.ended()) == (0, 3)
    assert await heat(lab_station) == (0.0, 0.0)
    assert (await lab_station.values("printer1"))["print_result"] == "cancelled"


async def test_a_stop_halts_the_board_in_mid_print_and_a_reconnect_wakes_it(
    lab_station: PrintStation, control: RoomControl, tmp_path: Path
) -> None:
    path = written(tmp_path, "정지.gcode", program())
    async with lab_station.printing("printer1", str(path)) as told:
        await under_way(lab_station, 20)
        stopped = await lab_station.says("stop", "printer1")
        assert (stopped.code, stopped.out) == (0, "printer1: stopped and safe\n")
        assert await told.ended() == 3
    assert "print was stopped before its end" in told.complaints
    found = await lab_station.running.until(lambda it: it["printer1"]["state"] == "fault")
    assert "kill() called! Reset it, then reconnect" in found["printer1"]["reason"]
    assert (await lab_station.says("reconnect", "printer1")).code == 0
    values = await lab_station.until("printer1", lambda it: it["print_state"] == "idle")
    assert (values["print_result"], values["heaters"]) == ("cancelled", "off")
    # Whether the place is said depends on who hears of the stop first: the print, or whoever ends it.
    place = r"정지\.gcode: the print ended after line \d+ \([^)]+\): "
    assert re.fullmatch(f"({place})?it was stopped by M112", values["print_reason"])
    assert (await received(control))[0] < orders(program())[0]


async def test_a_print_whose_cable_was_pulled_is_interrupted_and_nothing_goes_on_by_itself(
    lab_station: PrintStation, control: RoomControl, tmp_path: Path
) -> None:
    path = written(tmp_path, "뽑힘.gcode", program())
    async with lab_station.printing("printer1", str(path)) as told:
        await under_way(lab_station, 20)
        await control.ask("printer1", do="unplug")
        assert await told.ended() == 3
    ended = re.search(r"뽑힘.gcode: the print ended after line (\d+) ", told.complaints)
    assert ended is not None
    assert int(ended[1]) > program().index(b"G28") // 80
    for words in ("whether it was done is unknown", "whether the heaters are off is not known"):
        assert words in told.complaints
    assert (await lab_station.running.devices())["printer1"]["state"] == "offline"
    await forget(control)
    await control.ask("printer1", do="plug")
    assert (await lab_station.says("reconnect", "printer1")).code == 0
    values = await lab_station.until("printer1", lambda it: it["print_state"] == "idle")
    assert (values["print_result"], values["heaters"]) == ("interrupted", "off")
    assert f"the print ended after line {ended[1]} " in values["print_reason"]
    assert await received(control, *HELLO) == orders(b"")

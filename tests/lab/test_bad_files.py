"""Files that no printer may get, and one that only looks so: what is said of them, and what is sent."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from simulators.control import RoomControl
from tests.drivers.slicer import sliced
from tests.drivers.tower import Tower
from tests.lab.print_station import PrintStation, forget, orders, received, tricks, written
from tests.lab.processes import agent, room, short_folder, station

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]

DEVICES = """\
devices:
  printer1:
    driver: printers.marlin
    address: "serial://{path}"
    simulated: true
    printer:
      volume: {{x: [0, 220], y: [0, 220], z: [0, 250]}}
      nozzle: 260
"""
NOTHING = orders(b"")
GOOD = b"G28\nG90\nM83\n" + b"".join(b"G1 X%d Y10 F1500\n" % (10 + it % 2) for it in range(20))
PART = sliced("PrusaSlicer", Tower(layers=2))
HOT = sliced("Cura", Tower(layers=2, nozzle=290))
FIVE_GB = 5_000_000_000


def line_of(data: bytes, words: bytes) -> int:
    """The number of the first line that holds these words."""
    return data[: data.index(words)].count(b"\n") + 1


BAD = {
    "이진.gcode": (bytes(range(256)) * 40, "line 1: it is binary"),
    "완성형.gcode": (
        GOOD + "; 브래킷\n".encode("cp949"),
        f"line {GOOD.count(10) + 1}: it is not UTF-8",
    ),
    "압축.gcode": (gzip.compress(PART), "it is compressed (gzip): unpack it first"),
    "빈파일.gcode": (b"", "it is empty"),
    "잘림.gcode": (PART[:-1500], "it is cut off"),
    "긴줄.gcode": (
        GOOD + b"G1 X" + b"1" * 10_000 + b"\n",
        f"line {GOOD.count(10) + 1}: G1: it is more than 4096 bytes long",
    ),
    "뜨거움.gcode": (
        HOT,
        f"line {line_of(HOT, b'M104 S290')}: M104 heats the nozzle to 290 °C, above 260 °C, "
        "the limit set by ",
    ),
    "밖.gcode": (
        GOOD + b"G1 X230 Y10\n",
        f"line {GOOD.count(10) + 1}: G1 moves X to 230 mm, above 220 mm, the limit set by ",
    ),
    "저장.gcode": (
        GOOD + b"M500\n",
        f"line {GOOD.count(10) + 1}: M500 changes or loads the stored settings",
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab_station() -> AsyncIterator[PrintStation]:
    folder = short_folder()
    async with room(folder / "room", "--only", "printer1") as lab:
        devices = DEVICES.format(path=lab.pty("printer1"))
        async with agent(folder, station(folder, devices)) as running:
            await running.until_ready("printer1")
            yield PrintStation(lab, running)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def control(lab_station: PrintStation) -> AsyncIterator[RoomControl]:
    """The door for tricks; the board counts anew."""
    async with tricks(lab_station) as door:
        await forget(door)
        yield door


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_file_is_refused_by_a_sentence_and_the_printer_gets_nothing_of_it(
    lab_station: PrintStation, control: RoomControl, tmp_path: Path, name: str
) -> None:
    data, words = BAD[name]
    said = await lab_station.says("print", "printer1", str(written(tmp_path, name, data)))
    assert (said.code, said.out) == (2, "")
    assert f"labkeeper: printer1 may not print it: {name}" in said.err
    assert words in said.err
    # Who asks for no admission before is refused all the same.
    asked = {"arguments": {"file": name}}
    answer = await lab_station.ask("POST", "/devices/printer1/commands/print", json=asked)
    told = answer.json()
    assert told["outcome"] == "refused"
    assert told["detail"].startswith(f"printer1: print: {name}")
    assert words in told["detail"]
    assert await received(control) == NOTHING


async def test_a_sparse_file_of_5_gb_is_refused_by_its_size(
    lab_station: PrintStation, control: RoomControl, tmp_path: Path
) -> None:
    path = written(tmp_path, "거대.gcode", b"")
    os.truncate(path, FIVE_GB)
    said = await lab_station.says("print", "printer1", str(path))
    assert (said.code, said.out) == (2, "")
    assert f"{path.name}: 5,000.0 MB are more than the whole store may hold, 4,096.0 MB" in said.err
    assert await received(control) == NOTHING


async def test_a_sparse_file_of_5_gb_in_the_store_is_refused_by_its_content(
    lab_station: PrintStation, control: RoomControl
) -> None:
    path = written(lab_station.running.folder / "state" / "files", "거대.gcode", b"")
    os.truncate(path, FIVE_GB)
    try:
        said = await lab_station.says("print", "printer1", path.name)
    finally:
        path.unlink()
    assert (said.code, said.out) == (2, "")
    assert f"{path.name}, line 1: it is binary" in said.err
    assert await received(control) == NOTHING


async def test_ends_of_lines_as_windows_has_them_and_comments_of_10_kb_are_no_reason_to_refuse(
    lab_station: PrintStation, control: RoomControl, tmp_path: Path
) -> None:
    data = b"; " + b"x" * 10_000 + b"\r\n" + GOOD.replace(b"\n", b"\r\n")
    said = await lab_station.says("print", "printer1", str(written(tmp_path, "윈도.gcode", data)))
    assert (said.code, said.err) == (0, "")
    assert await received(control) == orders(GOOD)

"""Printers and files to print: the page as it leaves the agent, and what is asked before a print."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest

from agent.fleet.samples import Quality, Sample, Snapshot, Value
from agent.fleet.states import DeviceState
from agent.jobs.plate_desk import Plate
from agent.web.console.print_items import plate_items, print_items
from drivers import Bound, Profile
from tests.agent.api_bench import looking
from tests.agent.bench import PLAN, station_in_memory
from tests.agent.jobs_bench import LEE, JobsBench, jobs_in_memory, pausable_printer, toys

__all__ = ["toys"]


def printer(**values: Value) -> Snapshot:
    samples = {name: Sample(it, Quality.GOOD, 0.0) for name, it in values.items()}
    return Snapshot(device="p1", state=DeviceState.READY, since=0.0, samples=samples)


def test_a_print_is_told_with_its_layers_and_its_time_left() -> None:
    shown = print_items(
        printer(
            print_state="printing",
            print_file="cube.gcode",
            print_progress=40.2,
            print_layer=3,
            print_layers=50,
            print_height=0.6,
            print_left=3900.0,
        ),
        "en",
    )
    text, kind, _, note = shown["print:p1"]
    assert (text, kind) == ("printing", "printing")
    assert note == "cube.gcode · layer 3 of 50 · 0.6 mm high · 1 h 5 min left"
    assert shown["progress:p1"][:2] == ("40 %", "known")


def test_of_a_print_only_what_is_believed_is_told() -> None:
    stale = Sample("printing", Quality.STALE, 0.0)
    offline = Snapshot(
        device="p1", state=DeviceState.OFFLINE, since=0.0, samples={"print_state": stale}
    )
    shown = print_items(offline, "ko")
    assert shown["print:p1"][:2] == ("응답 없음", "unknown")
    assert shown["progress:p1"][1] == ""


def test_how_the_last_print_ended_is_told_at_rest() -> None:
    ended = printer(print_state="idle", print_result="failed", print_reason="E0", print_file="a.g")
    assert print_items(ended, "en")["print:p1"][3] == "the last print, a.g: failed · E0"
    foreign = printer(print_state="printing", print_owner="foreign")
    assert "begun by another program" in print_items(foreign, "en")["print:p1"][3]


def test_a_plate_is_clear_taken_or_printed_on() -> None:
    plates = {
        name: Plate(device=name, is_clear=clear, is_printing=prints)
        for name, clear, prints in [("a", True, False), ("b", False, False), ("c", False, True)]
    }
    kinds = {name: it.kind for name, it in plate_items(plates, "ko").items()}
    assert kinds == {"plate:a": "clear", "plate:b": "taken", "plate:c": "printing"}


async def test_a_station_without_printers_says_so(tmp_path: Path) -> None:
    async with station_in_memory(PLAN, folder=tmp_path) as bench, looking(bench.station) as browser:
        text = (await browser.get("/printers")).text
        assert "No printer is configured." in text
        assert "No file is here yet." in text


SLICED = "; estimated printing time (normal mode) = 1h 5m 0s\n; filament used [g] = 15.3\n"
GCODE = f"G28\nM109 S215\nG92 E0\nG1 Z0.2 F1200\nG1 X10 Y20 E1 F3000\nG1 X30 E2\nM104 S0\n{SLICED}"


@asynccontextmanager
async def with_printer(folder: Path) -> AsyncIterator[tuple[JobsBench, httpx.AsyncClient]]:
    """A printer, two files, of which one is too hot for it, and a browser."""
    cool = Profile(source="station.yaml:9", nozzle=Bound(260.0, "station.yaml:9"))
    async with jobs_in_memory(folder, replace(pausable_printer(), profile=cool)) as bench:
        (folder / "files" / "part <1>.gcode").write_text(GCODE)
        (folder / "files" / "hot.gcode").write_text(GCODE.replace("S215", "S290"))
        async with looking(bench.station.station) as browser:
            yield bench, browser


@pytest.mark.usefixtures(toys.__name__)
async def test_printers_and_files_are_shown_with_what_the_driver_offers(tmp_path: Path) -> None:
    async with with_printer(tmp_path) as (_, browser):
        text = (await browser.get("/printers")).text
        for deed in ("pause", "resume", "cancel"):
            offered = f'data-deed="/api/v1/devices/printer1/commands/{deed}"' in text
            assert offered is (deed in pausable_printer().driver_class.commands)
        assert 'id="value:printer1.nozzle"' in text
        assert 'id="value:printer1.bed"' not in text  # the toy has none
        assert "part &lt;1&gt;.gcode" in text
        assert "hot.gcode" in text
        found = (await browser.get("/parts/file-list?text=HOT")).text
        assert ("hot.gcode" in found, "part &lt;1&gt;" in found) == (True, False)


@pytest.mark.usefixtures(toys.__name__)
async def test_a_file_says_what_is_in_it_and_whether_the_printer_may_get_it(
    tmp_path: Path,
) -> None:
    async with with_printer(tmp_path) as (_, browser):
        text = (await browser.get("/parts/print", params={"file": "part <1>.gcode"})).text
        assert "nozzle 215 °C" in text
        assert "1 h 5 min" in text
        assert "15.3 g" in text
        assert 'data-admitted="yes"' in text
        assert "Is the plate clear?" not in text
        assert "Print on printer1" in text
        hot = (await browser.get("/parts/print", params={"file": "hot.gcode"})).text
        assert 'data-admitted="no"' in hot
        assert "M109 heats the nozzle to 290 °C, above 260 °C" in hot
        assert "Print on printer1" not in hot
        none = await browser.get("/parts/print", params={"file": "none.gcode"})
        assert (none.status_code, "can&#39;t be printed" in none.text) == (200, True)


@pytest.mark.usefixtures(toys.__name__)
async def test_a_plate_that_may_not_be_clear_is_asked_for_before_a_print(tmp_path: Path) -> None:
    async with with_printer(tmp_path) as (bench, browser):
        gate, knobs = bench.station.station.gate, bench.station.simulators["printer1"].values
        printing = gate.do(LEE, "printer1", "print", {"file": "part <1>.gcode"})
        print_ = asyncio.get_running_loop().create_task(printing)
        await bench.station.until(
            "printer1", lambda it: it.samples["print_state"].value == "printing"
        )
        text = (await browser.get("/parts/print", params={"file": "part <1>.gcode"})).text
        assert ("It prints now" in text, "Print on" in text) == (True, False)
        knobs["ends"] = 1
        await print_
        await bench.station.until("printer1", lambda it: it.samples["print_state"].value == "idle")
        text = (await browser.get("/parts/print", params={"file": "part <1>.gcode"})).text
        assert "Is the plate clear?" in text
        text = (await browser.get("/printers")).text
        assert 'id="plate:printer1" class="plate" data-kind="taken"' in text


@pytest.mark.usefixtures(toys.__name__)
async def test_a_file_without_a_picture_has_one_that_stands_for_it(tmp_path: Path) -> None:
    async with with_printer(tmp_path) as (_, browser):
        for name in ("hot.gcode", "none.gcode", "../x"):
            answer = await browser.get("/parts/picture", params={"file": name})
            assert answer.headers["content-type"].startswith("image/svg+xml")


FORBIDDEN = [
    "M110",
    "M112",
    "M20",
    "M500",
    "M575",
    "M997",
    "RESTART",
    "SAVE_CONFIG",
    "M118_//action:x",
    "M900",
]
WRONG = """\
G28
M104 S290
M140 S150
M141 S90
G1 X-5 Y500 F99999
"""


@pytest.mark.usefixtures(toys.__name__)
async def test_why_a_printer_may_not_get_a_file_is_said_in_korean(tmp_path: Path) -> None:
    tight = Profile(
        source="station.yaml:9",
        volume=MappingProxyType({"X": (0.0, 200.0), "Y": (0.0, 200.0)}),
        feed=Bound(6000.0, "station.yaml:9"),
        nozzle=Bound(260.0, "station.yaml:9"),
        bed=Bound(110.0, "station.yaml:9"),
        chamber=Bound(60.0, "station.yaml:9"),
        forbid=frozenset({"M900"}),
    )
    async with jobs_in_memory(tmp_path, replace(pausable_printer(), profile=tight)) as bench:
        lines = WRONG + "\n".join(it.replace("_//", " //") for it in FORBIDDEN)
        (tmp_path / "files" / "bad.gcode").write_text(f"{lines}\n")
        (tmp_path / "files" / "empty.gcode").write_text("")
        async with looking(bench.station.station) as browser:
            browser.headers["Accept-Language"] = "ko"
            reasons = await reasons_of(browser, "bad.gcode")
            assert len(reasons) == len(FORBIDDEN) + len(["nozzle", "bed", "chamber", "X", "Y", "F"])
            reasons += await reasons_of(browser, "empty.gcode")
    assert [it for it in reasons if not re.search("[가-힣]", it)] == []


async def reasons_of(browser: httpx.AsyncClient, file: str) -> list[str]:
    text = (await browser.get("/parts/print", params={"file": file})).text
    found = re.findall(r'<li class="reason">(.*?)</li>', text)
    assert found, text
    return found

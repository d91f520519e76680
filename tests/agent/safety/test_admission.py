"""Whether a printer may get a file: said by config and driver, without a link to the printer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from agent.fleet.plan import Plan
from agent.safety.admission import Admission, admission, prints_files
from agent.store.file_errors import Unexamined
from drivers import Address, Driver, Limits, Profile, Span, Survey
from drivers.printers.marlin import MarlinPrinter
from drivers.printers.moonraker import MoonrakerPrinter
from drivers.printers.octoprint import OctoPrintPrinter
from drivers.printers.prusalink import PrusaLinkPrinter
from drivers.survey import Bound, Scan
from tests.agent.toy import ToySupply

SERIAL = "serial:///dev/ttyUSB0?baudrate=115200"
NETWORK = "http://192.0.2.7"
PRINTERS: dict[str, tuple[type[Driver[Any]], str]] = {
    "printers.marlin": (MarlinPrinter, SERIAL),
    "printers.octoprint": (OctoPrintPrinter, NETWORK),
    "printers.moonraker": (MoonrakerPrinter, NETWORK),
    "printers.prusalink": (PrusaLinkPrinter, NETWORK),
}


@dataclass
class Given:
    """A file that is a text."""

    text: str
    name: str = "part.gcode"
    error: Exception | None = None

    @property
    def size(self) -> int:
        return len(self.text)

    def pieces(self) -> AsyncIterator[bytes]:
        raise AssertionError("the file is read")

    async def survey(self) -> Survey:
        if self.error:
            raise self.error
        scan = Scan()
        scan.feed(self.text.encode())
        return scan.finish()


def plan_of(driver: str, **changes: object) -> Plan:
    driver_class, address = PRINTERS[driver]
    plan = Plan(
        name="printer1",
        driver_name=driver,
        driver_class=driver_class,
        address=Address.parse(address),
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("driver", PRINTERS)
async def test_every_printer_says_what_it_may_get(driver: str) -> None:
    plan = plan_of(driver, limits=Limits({"nozzle_target": Span(high=240, high_source="a.yaml:7")}))
    assert prints_files(plan.driver_class)
    assert (await admission(plan, Given("G28\nM109 S240\nM104 S0\n"))).is_admitted
    refused = await admission(plan, Given("G28\nM109 S241\nM104 S0\n"))
    assert refused.reasons == (
        "part.gcode, line 2: M109 heats the nozzle to 241 °C, above 240 °C, the limit set by "
        "a.yaml:7",
    )


@pytest.mark.parametrize("driver", PRINTERS)
async def test_the_profile_of_the_config_counts_too(driver: str) -> None:
    profile = Profile(volume={"X": (0, 200)}, nozzle=Bound(230, "a.yaml:9"))
    refused = await admission(plan_of(driver, profile=profile), Given("G28\nM104 S231\nG1 X201\n"))
    assert not refused.is_admitted
    assert "above 230 °C, the limit set by a.yaml:9" in refused.reasons[0]
    assert "moves X to 201 mm" in refused.reasons[1]


async def test_what_only_keeps_a_file_from_being_sent_by_lines_does_not_keep_it_from_a_host() -> (
    None
):
    file = Given("G28\nM117 시험편\n")
    by_lines = [it for it in (await file.survey()).trouble if it.by_lines]
    assert by_lines
    for driver in PRINTERS:
        found = await admission(plan_of(driver), file)
        assert found.is_admitted is (driver != "printers.marlin"), driver


async def test_a_slow_line_is_foretold_and_a_network_is_none() -> None:
    moves = "".join(f"G1 X{n / 10:.3f} Y{n % 2 / 10:.3f}\n" for n in range(999))
    file = Given(f"G28\nG1 F6000\n{moves}")
    for driver in PRINTERS:
        found = await admission(plan_of(driver), file)
        assert found.is_admitted
        assert len(found.warnings) == (driver == "printers.marlin"), driver
    fast = plan_of("printers.marlin", address=Address.parse(SERIAL.replace("115200", "2000000")))
    assert (await admission(fast, file)).warnings == ()


async def test_a_file_that_was_not_examined_is_not_admitted() -> None:
    file = Given("", error=Unexamined("part.gcode was not examined: no idea"))
    found = await admission(plan_of("printers.marlin"), file)
    assert found == Admission(reasons=("part.gcode was not examined: no idea",))


def test_a_supply_prints_nothing() -> None:
    assert not prints_files(ToySupply)

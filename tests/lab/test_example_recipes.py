"""The recipes that come with labkeeper, each run to its end on simulated instruments, with both verdicts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.processes import Agent
from tests.lab.recipe_station import asked, fast_lab, ran, value

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]
SHORT: dict[str, Any] = {"hot": 45, "cold": 40, "soak": 0.1, "cycles": 1, "steady": 0.1}


@pytest.fixture
async def running(folder: Path) -> AsyncIterator[Agent]:
    async with fast_lab(folder) as agent:
        yield agent


def ending(job: dict[str, Any]) -> tuple[str, str, str]:
    return job["state"], job["verdict"], job["why"]


def measured(job: dict[str, Any]) -> dict[str, Any]:
    """The last value of each name."""
    return {it["name"]: it["value"] for it in job["measures"]}


async def test_a_specimen_that_drifts_no_more_than_allowed_passes_the_thermal_cycle(
    running: Agent,
) -> None:
    job = await ran(running, "thermal_cycle", specimen="S-17", lot="L-3", **SHORT)
    assert ending(job) == ("done", "pass", "")
    assert measured(job)["resistance_hot"] > 100 * (1 + 3.85e-3 * 43)  # as warm as the oven
    assert "S-17" in job["answers"][0]["question"]
    assert job["answers"][0]["value"] is True
    assert await value(running, "oven1.running") is False
    strict = await ran(running, "thermal_cycle", specimen="S-18", lot="L-3", drift=0, **SHORT)
    assert ending(strict) == ("done", "fail", "")
    assert strict["measures"][-1]["reason"].endswith("is above 0 Ω")
    assert await value(running, "oven1.running") is False


async def test_a_specimen_that_is_not_in_the_oven_is_not_heated(running: Agent) -> None:
    job = await ran(
        running, "thermal_cycle", {"in the oven": False}, specimen="S-19", lot="L-3", **SHORT
    )
    assert job["state"] == "failed"
    assert "Is specimen S-19 in the oven, with its leads connected?” is no" in job["why"]
    assert job["measures"] == []
    assert job["safe"]["oven1"]["status"] == "done"
    assert await value(running, "oven1.running") is False


async def test_a_sample_that_leaks_more_than_its_limit_ends_the_ramp_with_the_output_off(
    running: Agent,
) -> None:
    quick: dict[str, Any] = {"settle": 0.2, "rate": 10}
    good = await ran(running, "leakage_ramp", sample="R-1", limit=0.6, **quick)
    assert ending(good) == ("done", "pass", "")
    assert [it["value"] for it in good["measures"]] == pytest.approx(
        [0.1, 0.2, 0.33, 0.5], abs=0.01
    )
    assert await value(running, "psu1.output") is False
    leaky = await ran(running, "leakage_ramp", sample="R-2", limit=0.25, **quick)
    assert (leaky["state"], leaky["verdict"]) == ("failed", "fail")
    assert "the verdict is fail: leakage: 0.33" in leaky["why"]
    assert leaky["measures"][-1]["value"] == pytest.approx(0.33, abs=0.01)  # 5 V never came
    assert await value(running, "psu1.output") is False
    assert await value(running, "psu1.voltage") == 0


async def test_a_part_is_printed_on_a_plate_that_a_person_has_seen_to_be_clear(
    running: Agent,
) -> None:
    good = await ran(running, "print_part", file="part.gcode", lot="L-3")
    assert ending(good) == ("done", "pass", "")
    assert [it["value"] for it in good["answers"]] == [True, True]
    again = await ran(running, "print_part", {"is it good": False}, file="part.gcode", lot="L-3")
    assert ending(again) == ("done", "fail", "")
    assert "has the last print been taken off" in again["answers"][1]["question"]
    refused = await ran(running, "print_part", {"last print": False}, file="part.gcode", lot="L-3")
    assert refused["state"] == "failed"
    assert "the plate of printer1 is not clear" in refused["why"]
    for heater in ("nozzle_target", "bed_target"):
        assert await value(running, f"printer1.{heater}") == 0


async def test_the_meter_measures_at_every_point_of_the_raster(running: Agent) -> None:
    grid: dict[str, Any] = {"columns": 2, "rows": 2, "pitch": 10, "feed": 3000, "dwell": 50}
    unable = await ran(running, "stage_raster", **grid)
    assert unable["state"] == "failed"
    assert "homing is not enabled ($22)" in unable["why"]
    assert unable["measures"] == []
    job = await ran(running, "stage_raster", home=False, **grid)
    assert ending(job) == ("done", "none", "")  # it has no limits, and judges nothing
    found = [it["value"] for it in job["measures"]]
    assert found[0::3] == pytest.approx([-40, -30, -40, -30], abs=0.1)
    assert found[1::3] == pytest.approx([-40, -40, -30, -30], abs=0.1)
    assert found[2::3] == pytest.approx([0, 0, 0, 0], abs=0.1)
    assert await value(running, "stage1.feed") == 0


async def test_the_nightly_check_tells_a_bench_at_rest_from_one_that_is_on(running: Agent) -> None:
    await asked(running, "/stop")  # a controller comes from its box running
    at_rest = await ran(running, "nightly_check")
    assert ending(at_rest) == ("done", "pass", "")
    assert at_rest["answers"] == []
    await set_(running, "psu1", "voltage", 5.0)
    await set_(running, "psu1", "output", True)
    left_on = await ran(running, "nightly_check")
    failed = {it["name"] for it in left_on["measures"] if it["verdict"] == "fail"}
    assert (left_on["state"], left_on["verdict"]) == ("done", "fail")
    assert failed == {"supply_is_off", "rest_voltage", "rest_current"}
    assert await value(running, "psu1.output") is True  # it looks, and moves nothing


async def set_(running: Agent, device: str, setting: str, to: object) -> None:
    await asked(running, f"/devices/{device}/settings/{setting}", "PUT", value=to)

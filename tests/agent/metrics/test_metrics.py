"""The metrics page: values in base units, and nothing for what can't be believed."""

from dataclasses import replace

from agent.fleet.states import DeviceState
from agent.metrics import StationPage
from tests.agent.bench import PLAN, Bench, station_in_memory
from tests.agent.metrics_bench import Series, labels, scraped

QUALITY = "labkeeper_reading_quality"


def _scrape(bench: Bench) -> Series:
    return scraped(StationPage(bench.board, bench.fleet.workers))


async def test_values_bear_the_base_unit_in_their_name() -> None:
    async with station_in_memory() as bench:
        await bench.until_state("psu1", DeviceState.READY)
        series = _scrape(bench)
    temperature = labels(device="psu1", reading="temperature")
    assert series["labkeeper_temperature_celsius", temperature] == 25.0
    assert series["labkeeper_on", labels(device="psu1", reading="output")] == 0.0
    mode = labels(device="psu1", reading="mode", choice="cv")
    assert series["labkeeper_choice", mode] == 1.0
    assert series["labkeeper_device_up", labels(device="psu1")] == 1.0
    assert series["labkeeper_device_state", labels(device="psu1", state="ready")] == 1.0


async def test_polls_are_counted_and_their_durations_form_a_histogram() -> None:
    async with station_in_memory() as bench:
        await bench.until("psu1", lambda s: s.revision > 5)
        series = _scrape(bench)
        polls = series["labkeeper_polls_total", labels(device="psu1")]
    assert polls >= 1
    assert series["labkeeper_poll_duration_seconds_count", labels(device="psu1")] == polls
    assert series["labkeeper_device_connects_total", labels(device="psu1")] == 1


async def test_an_offline_device_has_no_value_series_but_is_seen_to_be_down() -> None:
    async with station_in_memory() as bench:
        await bench.until_state("psu1", DeviceState.READY)
        bench.simulators["psu1"].unplugged = True
        await bench.until_state("psu1", DeviceState.OFFLINE)
        series = _scrape(bench)
    assert series["labkeeper_device_up", labels(device="psu1")] == 0.0
    assert series["labkeeper_device_state", labels(device="psu1", state="offline")] == 1.0
    assert not [name for name, its in series if dict(its).get("reading")]
    assert series["labkeeper_failures_total", labels(device="psu1", kind="ConnectFailed")] >= 1


async def test_a_bad_value_has_no_series_while_its_neighbours_have() -> None:
    async with station_in_memory(replace(PLAN, simulated=True)) as bench:
        del bench.simulators["psu1"].values["temp"]
        await bench.until("psu1", lambda s: s.samples["temperature"].value is None)
        readings = {dict(its).get("reading") for name, its in _scrape(bench) if name != QUALITY}
        assert "temperature" not in readings
        assert "measured_voltage" in readings
        bad = labels(device="psu1", reading="temperature", quality="bad")
        assert _scrape(bench)[QUALITY, bad] == 1

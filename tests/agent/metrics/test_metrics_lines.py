"""The lines that are written by hand say what prometheus-client would say of the same devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.fleet.board import Board
from agent.fleet.samples import Quality, Sample, Snapshot
from agent.fleet.states import DeviceState
from agent.fleet.tally import Tally
from agent.metrics import StationPage
from agent.metrics.definitions import METRICS
from agent.metrics.lines import Form
from agent.metrics.parts import Numbers, Samples
from drivers import Address, Driver, Reading
from tests.agent.metrics_bench import Client, parsed, scraped
from tests.agent.toy import Mode, ToyRef, ToyWire

FORMS: tuple[Form, ...] = ("text", "openmetrics")
NUMBERS = st.floats() | st.integers() | st.just(10**400) | st.just(-(10**400))
ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(['"', "\\", "\n%s"])


def _reading(type_: type[Any], unit: Any = "") -> Reading[Any]:
    return Reading(ToyRef(str, str, "word"), type_, unit=unit, doc="One of many.")


class Many(Driver[ToyWire]):
    """A device with a reading of every kind."""

    hazards: ClassVar = {"heater": frozenset({False}), "mode": frozenset({"cv"})}

    volts = _reading(float, "V")
    millivolts = _reading(float, "mV")
    share = _reading(float, "%")
    speed = _reading(float, "mm/min")
    kelvin_not = _reading(float, "Cel")
    layers = _reading(int, "1")
    heater = _reading(bool)
    fan = _reading(bool)
    mode = _reading(Mode)
    words = _reading(str)


class Few(Driver[ToyWire]):
    """Another model, which may come in the place of the first."""

    volts = _reading(float, "V")


VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "number": NUMBERS,
    "integer": NUMBERS,
    "boolean": st.booleans(),
    "choice": ANY_TEXT,
    "text": ANY_TEXT,
}


@dataclass
class Station:
    """A board with devices whose workers are told apart by their driver alone."""

    board: Board = field(default_factory=Board)
    workers: dict[str, Any] = field(default_factory=dict)

    def put(self, device: str, driver: type[Driver[Any]]) -> None:
        address = Address.parse("tcp://127.0.0.1:1")
        plan = SimpleNamespace(
            driver_class=driver, driver_name="toy.many", simulated=False, address=address
        )
        if device not in self.workers or self.workers[device].plan.driver_class is not driver:
            self.workers[device] = SimpleNamespace(plan=plan, tally=Tally())


def _sample(kind: str) -> st.SearchStrategy[Sample]:
    value = st.none() | VALUES[kind]
    times = st.sampled_from([0.0, 1.5, 1764333033.1239, 1764333033.1241])
    return st.builds(Sample, value, st.sampled_from(Quality), times)


def _samples(driver: type[Driver[Any]]) -> st.SearchStrategy[dict[str, Sample]]:
    return st.fixed_dictionaries(
        {}, optional={name: _sample(it.form.kind) for name, it in driver.readings.items()}
    )


CHANGE = st.sampled_from((Many, Many, Few)).flatmap(
    lambda driver: st.tuples(
        st.just(driver),
        st.sampled_from([*DeviceState, DeviceState.READY, DeviceState.READY]),
        _samples(driver),
        st.booleans(),
    )
)


@settings(max_examples=40, deadline=None)
@given(
    names=st.lists(ANY_TEXT, min_size=1, max_size=3, unique=True),
    changes=st.lists(st.tuples(st.integers(0, 2), CHANGE), max_size=8),
    polls=st.lists(st.floats(0, 10), max_size=3),
)
def test_after_any_changes_both_forms_say_what_prometheus_client_says(
    names: list[str], changes: list[tuple[int, Any]], polls: list[float]
) -> None:
    station = Station()
    page = StationPage(station.board, station.workers)
    client = Client(station.board, station.workers, METRICS)
    for number, (driver, state, given_samples, keep) in changes:
        samples = given_samples
        device = names[number % len(names)]
        station.put(device, driver)
        before = station.board.latest.get(device)
        if keep and before is not None and before.samples.keys() <= driver.readings.keys():
            samples = {**before.samples, **samples}  # as a worker does: the others stay as they are
        station.board.post(Snapshot(device=device, state=state, since=12.5, samples=samples))
        tally = station.workers[device].tally
        for seconds in polls:
            tally.polled(seconds)
        tally.failed(ValueError())
        for form in FORMS:
            assert parsed(page.text(form), form) == parsed(client.page(form), form)


def test_a_page_that_begins_later_has_what_was_there_before() -> None:
    station = Station()
    station.put("a", Few)
    samples = {"volts": Sample(1.5, Quality.GOOD, 7.0)}
    station.board.post(Snapshot(device="a", state=DeviceState.READY, since=0.0, samples=samples))
    its = (("device", "a"), ("reading", "volts"))
    assert (
        scraped(StationPage(station.board, station.workers))["labkeeper_voltage_volts", its] == 1.5
    )


@pytest.mark.parametrize("way", ["offline", "removed", "stale"])
def test_no_line_of_a_value_outlives_its_device(way: str) -> None:
    station = Station()
    station.put("a", Few)
    page = StationPage(station.board, station.workers)
    good = Sample(1.5, Quality.GOOD, 7.0)
    ready = Snapshot(device="a", state=DeviceState.READY, since=0.0, samples={"volts": good})
    station.board.post(ready)
    assert "labkeeper_voltage_volts" in {name for name, _ in scraped(page)}
    match way:
        case "offline":
            station.board.post(ready._replace(state=DeviceState.OFFLINE))
        case "removed":
            station.board.remove("a")
        case _:
            station.board.post(ready._replace(samples={"volts": good.gone_stale("it is late")}))
    shown = scraped(page)
    assert not {name for name, _ in shown} & {
        "labkeeper_voltage_volts",
        "labkeeper_reading_timestamp_seconds",
    }
    stale = (("device", "a"), ("quality", "stale"), ("reading", "volts"))
    assert (("labkeeper_reading_quality", stale) in shown) == (way == "stale")


def test_lines_are_written_when_a_value_changes_and_not_when_they_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    station = Station()
    station.put("a", Few)
    page = StationPage(station.board, station.workers)
    good = Sample(1.5, Quality.GOOD, 7.0)
    snapshot = Snapshot(device="a", state=DeviceState.READY, since=0.0, samples={"volts": good})
    station.board.post(snapshot)
    written: list[str] = []

    def write(_: Numbers, device: str, __: Samples) -> str:
        written.append(device)
        return "x 1.0\n"

    monkeypatch.setattr(Numbers, "lines", write)
    page.text()
    station.board.post(snapshot._replace(revision=2))
    station.board.post(snapshot._replace(samples={"volts": good._replace(time=8.0)}))
    assert not written
    assert b"} 8.000\n" in page.text()
    station.board.post(snapshot._replace(samples={"volts": good._replace(value=2.5)}))
    assert len(written) == 1

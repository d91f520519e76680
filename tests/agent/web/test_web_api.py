"""Looking at the station, its devices and what happened; and what there is not."""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.fleet.states import DeviceState
from agent.web import views
from tests.agent.bench import PLAN, named
from tests.agent.web_bench import Web, problem, served, until

pytestmark = pytest.mark.lab


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    (tmp_path / "part.gcode").write_text("G28\nG1 X1\n", encoding="utf-8")
    async with served(PLAN, named("psu2"), folder=tmp_path) as found:
        yield found


async def test_the_station_says_who_it_is_and_how_many_devices_answer(web: Web) -> None:
    answer = await web.tcp.get("/station")
    assert answer.status_code == 200
    assert answer.json() | {"time": ""} == {
        "station": "bench-1",
        "version": "0.0.0",
        "titles": {},
        "time": "",
        "devices": {"total": 2, "up": 2},
    }


async def test_the_devices_come_in_order_with_their_latest_values(web: Web) -> None:
    devices = (await web.tcp.get("/devices")).json()
    assert [device["device"] for device in devices] == ["psu1", "psu2"]
    assert devices[0]["state"] == "ready"
    value = devices[0]["values"]["temperature"]
    assert (value["value"], value["unit"], value["quality"]) == (25.0, "Cel", "good")
    assert "reason" not in value
    assert (await web.tcp.get("/devices/psu2")).json()["identity"] == "Toy,T1,S1,1.0"


async def test_a_description_has_everything_a_form_is_built_from(web: Web) -> None:
    description = (await web.tcp.get("/devices/psu1/description")).json()
    assert description["titles"] == {"en": "Bench supply", "ko": "벤치 전원"}
    voltage = next(s for s in description["settings"] if s["name"] == "voltage")
    assert voltage["value"] == {
        "type": "number",
        "unit": "V",
        "low": 0.0,
        "high": 16.0,
        "choices": [],
    }
    assert [command["name"] for command in description["commands"]] == [
        "ramp",
        "count",
        "calibrate",
    ]


async def test_a_reading_is_the_latest_or_asked_for_now(web: Web) -> None:
    latest = await web.tcp.get("/devices/psu1/readings/temperature")
    assert latest.json()["value"] == 25.0
    web.bench.simulators["psu1"].values["temp"] = 80.0
    fresh = await web.tcp.get("/devices/psu1/readings/temperature", params={"fresh": "true"})
    assert fresh.json()["value"] == 80.0


async def test_a_whole_device_can_be_read_anew_in_one_go(web: Web) -> None:
    web.bench.simulators["psu1"].values["temp"] = 81.0
    fresh = (await web.tcp.get("/devices/psu1", params={"fresh": "true"})).json()
    assert fresh["values"]["temperature"]["value"] == 81.0
    assert set(fresh["values"]) == set(PLAN.driver_class.readings)
    web.bench.simulators["psu1"].unplugged = True
    answer = await web.tcp.get("/devices/psu1", params={"fresh": "true"})
    problem(answer, 503, "not-read")


async def test_a_reading_of_an_offline_device_is_stale_and_not_to_be_had_fresh(web: Web) -> None:
    web.bench.simulators["psu1"].unplugged = True
    await web.bench.until_state("psu1", DeviceState.OFFLINE)
    latest = (await web.tcp.get("/devices/psu1/readings/temperature")).json()
    assert latest["quality"] == "stale"
    assert "unplugged" in latest["reason"]
    answer = await web.tcp.get("/devices/psu1/readings/temperature?fresh=true")
    body = problem(answer, 503, "not-read")
    assert body["outcome"] == "failed"
    assert "psu1 is offline" in body["detail"]


async def test_garbage_for_a_fresh_reading_is_no_value(web: Web) -> None:
    web.bench.simulators["psu1"].answer_with = b"warm\n"
    answer = await web.tcp.get("/devices/psu1/readings/temperature?fresh=true")
    assert problem(answer, 502, "device-failed")["outcome"] == "failed"


async def test_a_value_that_was_never_read_is_not_made_up(tmp_path: Path) -> None:
    rarely = named("psu1", periods={**PLAN.periods, "temperature": 0.0})
    async with served(rarely, folder=tmp_path) as web:
        answer = await web.tcp.get("/devices/psu1/readings/temperature")
        assert "fresh=true" in problem(answer, 409, "never-read")["detail"]
        fresh = await web.tcp.get("/devices/psu1/readings/temperature?fresh=true")
        assert fresh.json()["value"] == 25.0


@pytest.mark.parametrize("name", ["nobody", "psu1%0aINFO%20all%20is%20well", "%00", "%ff", "ps%75"])
async def test_an_unknown_device_is_named_and_so_are_those_there_are(web: Web, name: str) -> None:
    answer = await web.tcp.get(f"/devices/{name}")
    detail = problem(answer, 404, "no-such")["detail"]
    assert detail.endswith("devices: psu1, psu2")
    assert "\n" not in detail


async def test_the_catalogue_describes_every_driver(web: Web) -> None:
    drivers = {entry["driver"]: entry for entry in (await web.tcp.get("/drivers")).json()}
    assert "siglent.spd1000x" in drivers
    supply = drivers["siglent.spd1000x"]
    assert supply["trouble"] == ""
    assert supply["settings"]


async def test_events_can_be_asked_for_from_a_number_on(web: Web) -> None:
    await web.token.put("/devices/psu1/settings/voltage", json={"value": 5})
    everything = (await web.tcp.get("/events")).json()
    assert [event["number"] for event in everything] == list(range(1, len(everything) + 1))
    newest = everything[-1]
    assert newest["kind"] == "set.done"
    assert newest["data"]["actor"] == "token"
    later = (await web.tcp.get("/events", params={"after": newest["number"] - 1})).json()
    assert later == [newest]
    assert (await web.tcp.get("/events", params={"after": newest["number"]})).json() == []


async def test_a_number_from_before_a_restart_brings_everything(web: Web) -> None:
    assert len((await web.tcp.get("/events", params={"after": 100_000})).json()) >= 2
    problem(await web.tcp.get("/events", params={"after": "-1"}), 422, "bad-value")


async def test_the_socket_names_its_caller_by_the_kernels_word(web: Web) -> None:
    forged = {"X-Forwarded-User": "boss", "X-Actor": "boss", "Forwarded": "for=boss"}
    await web.unix.put("/devices/psu1/settings/voltage", json={"value": 1}, headers=forged)
    data = (await web.tcp.get("/events")).json()[-1]["data"]
    assert (data["actor"], data["origin"]) == (getpass.getuser(), "cli")


async def test_unknown_pages_and_methods_are_problems_too(web: Web) -> None:
    problem(await web.tcp.get("/nothing"), 404, "no-such")
    problem(await web.tcp.get("/devices/"), 404, "no-such")
    wrong = await web.token.request("DELETE", "/devices/psu1", json={})
    problem(wrong, 405, "wrong-method")
    assert "GET" in wrong.headers["allow"]
    problem(await web.tcp.get("/docs"), 404, "no-such")


async def test_a_defect_shows_nothing_of_itself(
    web: Web, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(seconds: float) -> str:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(views, "utc_text", broken)
    answer = await web.tcp.get("/station")
    assert "secret" not in answer.text
    assert problem(answer, 500, "defect")["outcome"] == "unknown"
    assert "a defect of the agent: GET '/api/v1/station'" in caplog.text


async def test_a_device_that_config_drops_is_gone(web: Web) -> None:
    await web.bench.fleet.retire("psu2")
    await until(lambda: "psu2" not in web.bench.board.latest)
    problem(await web.tcp.get("/devices/psu2"), 404, "no-such")

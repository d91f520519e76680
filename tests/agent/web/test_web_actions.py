"""Settings, commands, stop and reconnect, as a client of the socket or of TCP meets them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.fleet.states import DeviceState
from drivers import Role
from tests.agent.bench import PLAN, named
from tests.agent.web_bench import SETTINGS, Web, problem, served

pytestmark = pytest.mark.lab


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    (tmp_path / "part.gcode").write_text("G28\nG1 X1\n", encoding="utf-8")
    async with served(PLAN, named("psu2"), folder=tmp_path) as found:
        yield found


async def test_a_setting_is_written_once_and_read_back(web: Web) -> None:
    answer = await web.token.put("/devices/psu1/settings/voltage", json={"value": 5})
    assert answer.json() == {"status": "done", "message": "", "value": 5.0}
    assert web.bench.simulators["psu1"].asked.count("volt 5") == 1
    switched = await web.token.put("/devices/psu1/settings/output", json={"value": True})
    assert switched.json()["value"] is True


@pytest.mark.parametrize(
    ("path", "body", "status", "kind", "words"),
    [
        ("settings/voltage", {"value": 17}, 422, "bad-value", "17 V is above 16 V"),
        ("settings/voltage", {"value": "5"}, 422, "bad-value", "'5' is not a number in V"),
        ("settings/voltage", {"value": True}, 422, "bad-value", "True is not a number in V"),
        ("settings/voltage", {"value": None}, 422, "bad-value", "body.value"),
        ("settings/voltage", {"value": 10**400}, 422, "bad-value", "body.value"),
        ("settings/voltage", {"value": 1, "extra": 2}, 422, "bad-value", "body.extra"),
        ("settings/voltage", {}, 422, "bad-value", "body.value: Field required"),
        ("settings/temperature", {"value": 1}, 404, "no-such", "settings: current_limit, output"),
        ("settings/voltage%0a", {"value": 1}, 404, "no-such", r"'voltage\n'"),
        ("settings/nothing", {"value": 1}, 404, "no-such", "no setting is called 'nothing'"),
        ("commands/nothing", {}, 404, "no-such", "commands: calibrate, count, ramp"),
        ("commands/ramp", {"arguments": {}}, 422, "bad-value", "ramp.to is missing"),
        ("commands/ramp", {"arguments": {"to": 99}}, 422, "bad-value", "99 V is above 16 V"),
        ("commands/ramp", {"arguments": {"too": 1}}, 422, "bad-value", "no argument too"),
        ("commands/ramp", {"arguments": {"to\n": 1}}, 422, "bad-value", "body.arguments"),
        ("commands/count", {"arguments": {"file": "../x"}}, 422, "bad-value", "'../x'"),
    ],
)
async def test_a_wrong_request_is_refused_with_a_sentence_and_nothing_is_sent(
    web: Web, path: str, body: object, status: int, kind: str, words: str
) -> None:
    send = web.token.put if path.startswith("settings") else web.token.post
    answer = await send(f"/devices/psu1/{path}", json=body)
    found = problem(answer, status, kind)
    assert words in found["detail"]
    assert found["outcome"] == "refused"
    assert not [sent for sent in web.bench.simulators["psu1"].asked if "?" not in sent]


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 60_000, b'{"value": 1} x', b""])
async def test_a_body_that_is_no_json_is_a_bad_request(web: Web, body: bytes) -> None:
    answer = await web.token.put(
        "/devices/psu1/settings/voltage",
        content=body,
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code in {400, 422}
    assert answer.json()["outcome"] == "refused"


async def test_half_a_character_in_a_body_is_refused_in_a_whole_answer(web: Web) -> None:
    for text in ('{"value": "\\ud800"}', '{"\\ud800": 1}', '{"arguments": {"\\ud800": 1}}'):
        answer = await web.token.put(
            "/devices/psu1/settings/voltage",
            content=text,
            headers={"Content-Type": "application/json"},
        )
        problem(answer, 422, "bad-value")


async def test_the_role_of_the_door_decides(web: Web) -> None:
    limit = "/devices/psu1/settings/current_limit"
    refused = problem(await web.unix.put(limit, json={"value": 2}), 403, "not-allowed")
    assert "needs the role engineer" in refused["detail"]
    assert (await web.token.put(limit, json={"value": 2})).status_code == 200


async def test_a_change_on_an_offline_device_says_that_nothing_was_sent(web: Web) -> None:
    web.bench.simulators["psu1"].unplugged = True
    await web.bench.until_state("psu1", DeviceState.OFFLINE)
    answer = await web.token.put("/devices/psu1/settings/voltage", json={"value": 5})
    body = problem(answer, 503, "not-sent")
    assert body["outcome"] == "failed"
    assert "nothing was sent" in body["detail"]


async def test_silence_after_a_write_is_an_unknown_outcome(web: Web) -> None:
    web.bench.simulators["psu1"].silent = True
    answer = await web.token.put("/devices/psu1/settings/voltage", json={"value": 5})
    assert problem(answer, 504, "outcome-unknown")["outcome"] == "unknown"


async def test_a_device_that_says_no_has_failed(web: Web) -> None:
    web.bench.simulators["psu1"].answer_with = b"!over temperature\n"
    answer = await web.token.put("/devices/psu1/settings/voltage", json={"value": 5})
    assert "over temperature" in problem(answer, 502, "device-failed")["detail"]


async def test_a_command_runs_to_its_end_and_answers_with_what_it_gave(web: Web) -> None:
    counted = await web.token.post(
        "/devices/psu1/commands/count", json={"arguments": {"file": "part.gcode"}}
    )
    assert counted.json() == {"status": "done", "message": "", "value": 2}


async def test_a_command_finds_the_device_busy_with_another(web: Web) -> None:
    ramp = {"arguments": {"to": 5, "seconds": 30}}
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(web.token.post("/devices/psu1/commands/ramp", json=ramp))
        await web.bench.until_state("psu1", DeviceState.BUSY)
        second = await web.token.post("/devices/psu1/commands/ramp", json=ramp)
        assert "ramp can't start while ramp runs" in problem(second, 409, "busy")["detail"]
        await web.unix.post("/devices/psu1/stop")
        assert "was stopped" in problem(await first, 504, "outcome-unknown")["detail"]


async def test_a_command_goes_on_when_its_caller_leaves(web: Web) -> None:
    ramp = {"arguments": {"to": 5, "seconds": 0.3}}
    async with asyncio.TaskGroup() as tasks:
        leaving = tasks.create_task(web.token.post("/devices/psu1/commands/ramp", json=ramp))
        await web.bench.until_state("psu1", DeviceState.BUSY)
        leaving.cancel()
    assert web.bench.board.latest["psu1"].state is DeviceState.BUSY
    await web.bench.until_state("psu1", DeviceState.READY)
    assert web.bench.simulators["psu1"].values["volt"] == 5.0
    await web.bench.until_event("do.done")


async def test_stop_makes_one_device_safe_and_leaves_the_other(web: Web) -> None:
    for device in ("psu1", "psu2"):
        await web.token.put(f"/devices/{device}/settings/output", json={"value": True})
    answer = await web.unix.post("/devices/psu1/stop")
    assert answer.json()["message"] == "psu1 was made safe"
    outputs = [web.bench.simulators[device].values["outp"] for device in ("psu1", "psu2")]
    assert outputs == [0.0, 1.0]


async def test_stop_of_everything_tells_what_was_not_confirmed_safe(web: Web) -> None:
    everything = await web.unix.post("/stop")
    assert {it["status"] for it in everything.json()["devices"].values()} == {"done"}
    web.bench.simulators["psu2"].unplugged = True
    await web.bench.until_state("psu2", DeviceState.OFFLINE)
    await web.token.put("/devices/psu1/settings/output", json={"value": True})
    body = problem(await web.unix.post("/stop"), 503, "not-sent")
    assert body["detail"].startswith("not confirmed safe: psu2;")
    assert body["devices"]["psu1"]["status"] == "done"
    assert body["devices"]["psu2"]["status"] == "failed"
    assert web.bench.simulators["psu1"].values["outp"] == 0.0


async def test_a_defect_in_stopping_one_device_keeps_no_other_from_being_stopped(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> None:
        raise RuntimeError("a defect")

    await web.token.put("/devices/psu2/settings/output", json={"value": True})
    monkeypatch.setattr(web.bench.station.workers["psu1"], "stop", broken)
    body = problem(await web.unix.post("/stop"), 504, "outcome-unknown")
    assert body["detail"].startswith("not confirmed safe: psu1;")
    assert body["devices"]["psu2"]["status"] == "done"
    assert web.bench.simulators["psu2"].values["outp"] == 0.0


async def test_an_observer_may_stop_and_nothing_else(tmp_path: Path) -> None:
    observer = SETTINGS.model_copy(update={"socket_role": Role.OBSERVER, "role": Role.OBSERVER})
    async with served(folder=tmp_path, settings=observer) as web:
        for client in (web.unix, web.token):
            for path in ("reconnect", "commands/ramp"):
                answer = await client.post(
                    f"/devices/psu1/{path}", json={"arguments": {"to": 1}} if "ramp" in path else {}
                )
                problem(answer, 403, "not-allowed")
            assert (await client.post("/devices/psu1/stop", json={})).status_code == 200


async def test_reconnect_ends_the_wait_after_another_instrument_answered(web: Web) -> None:
    simulator = web.bench.simulators["psu1"]
    simulator.identity, simulator.unplugged = "Other,T1,S1,1.0", True
    await web.bench.until_state("psu1", DeviceState.OFFLINE)
    simulator.unplugged = False
    await web.bench.until_state("psu1", DeviceState.WRONG_DEVICE)
    simulator.identity = "Toy,T1,S1,1.0"
    answer = await web.unix.post("/devices/psu1/reconnect")
    assert answer.json()["message"] == "psu1 is tried again now"
    await web.bench.until_state("psu1", DeviceState.READY)
